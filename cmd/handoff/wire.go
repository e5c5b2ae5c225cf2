package main

import (
	"github.com/robfig/cron/v3"
	"handoff/crm"
)

func checkSchedule(spec string) error { _, err := cron.ParseStandard(spec); return err }
func dealFields() []string            { return crm.FieldNames }
func ownFields() []string             { return []string{"score", "rating"} }
