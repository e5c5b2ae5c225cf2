package main

import "github.com/spf13/cobra"

func (a *app) scoreCommand() *cobra.Command { return &cobra.Command{Use: "score"} }
