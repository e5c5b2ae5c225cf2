// Package rules scores handoffs. A scorecard is data (scorecards/*.toml); Engine applies it to a snapshot of a deal as
// of a moment, and says for each item what is there, where, and what is missing. It is pure: the same input gives the
// same card, byte for byte, and any snapshot gets one.
package rules
