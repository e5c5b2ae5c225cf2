package rules

import (
	"testing"

	"handoff/crm"
)

func TestLanguage(t *testing.T) {
	e := builtin(t)
	later := asOf.AddDate(0, 0, 1)
	for _, tc := range []struct {
		name string
		s    crm.Snapshot
		want string
	}{
		{"nothing", crm.Snapshot{}, ""},
		{"names alone", crm.Snapshot{Notes: []crm.Note{{Body: "Northwind Platform"}}}, ""},
		{"English", crm.Snapshot{Notes: []crm.Note{{Body: "They went with us because the pilot was on time."}}}, "en"},
		{"German", crm.Snapshot{Notes: []crm.Note{{Body: "Sie haben sich für uns entschieden, weil der Pilot nicht zu spät war."}}}, "de"},
		{"Spanish", crm.Snapshot{Notes: []crm.Note{{Body: "Nos eligieron a nosotros porque el piloto fue más rápido que los demás."}}}, "es"},
		{"most passages", crm.Snapshot{Notes: []crm.Note{
			{Body: "They went with us because the pilot was on time."},
			{Body: "Der Pilot war für die Werkstatt. Sie haben danach mit uns gesprochen."},
		}}, "de"},
		{"what was not there yet", crm.Snapshot{Notes: []crm.Note{
			{Body: "They went with us because the pilot was on time."},
			{At: &later, Body: "Der Pilot war für die Werkstatt. Sie haben danach mit uns gesprochen."},
		}}, "en"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := e.Language(&tc.s, asOf); got != tc.want {
				t.Errorf("%q, want %q", got, tc.want)
			}
		})
	}
}
