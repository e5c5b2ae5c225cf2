package connectortest

import (
	"slices"
	"testing"

	"handoff/connectors"
	"handoff/crm"
)

// check: a CRM that is not set up has a problem for each field; once it is, it has none.
func check(t *testing.T, start Start) {
	f := start(t, few())
	before := checkup(t, f)
	if before.Account == "" {
		t.Error("the check does not say whose records these are")
	}
	for _, spec := range Specs {
		if !slices.ContainsFunc(before.Findings, func(x connectors.Finding) bool { return x.Severity == connectors.Problem && x.Field == spec.Name }) {
			t.Errorf("a missing field is no problem: %s of %s", spec.Name, spec.Object)
		}
	}
	provision(t, f)
	after := checkup(t, f)
	for _, x := range after.Findings {
		if x.Severity == connectors.Problem {
			t.Errorf("a sound CRM has a problem: %+v", x)
		}
	}
	if !slices.ContainsFunc(after.Findings, func(x connectors.Finding) bool { return x.Severity == connectors.Fine }) {
		t.Error("nothing is in order")
	}
	if after.Account != before.Account {
		t.Errorf("account %q, then %q", before.Account, after.Account)
	}
}

func checkup(t *testing.T, f *Fixture) connectors.Checkup {
	t.Helper()
	c, err := f.Connector.Check(t.Context())
	if err != nil {
		t.Fatalf("check: %v", err)
	}
	for _, x := range c.Findings {
		if x.Place == "" || x.Text == "" || x.Severity == connectors.Problem && x.Remedy == "" {
			t.Errorf("a finding does not say where, what and what to do: %+v", x)
		}
	}
	return c
}

// unusable: a field that cannot hold what we write is named, and neither read nor written.
func unusable(t *testing.T, start Start) {
	for _, tc := range []struct {
		name string
		is   crm.FieldSpec // instead of the one of Specs; none: it is missing
		want string        // neutral name of the field that is unusable; "": none is
	}{
		{name: "fields as they should be"},
		{name: "wrong type", is: crm.FieldSpec{Name: "score", Type: crm.Text, Length: 255}, want: "score"},
		{name: "a number for an option", is: crm.FieldSpec{Name: "health", Type: crm.Number}, want: "health"},
		{name: "options missing", is: crm.FieldSpec{Name: "health", Type: crm.Picklist, Options: []string{"Green", "Red"}}, want: "health"},
		{name: "more options", is: crm.FieldSpec{Name: "health", Type: crm.Picklist, Options: []string{"Red", "Yellow", "Green", "Blue"}}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			f := start(t, few())
			if f.CreateField == nil {
				t.Skip("no admin makes fields here")
			}
			if tc.is.Name != "" {
				tc.is.Object, tc.is.Label = crm.DealObject, "Made by an admin"
				if err := f.CreateField(t, tc.is); err != nil {
					t.Fatal(err)
				}
			}
			provision(t, f)
			found, err := f.Connector.Unusable(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, x := range found {
				names = append(names, x.Field)
				if x.Severity != connectors.Problem || x.Place == "" || x.Text == "" || x.Remedy == "" {
					t.Errorf("a finding does not say where, what and what to do: %+v", x)
				}
			}
			want := slices.DeleteFunc([]string{tc.want}, func(s string) bool { return s == "" })
			if !slices.Equal(names, want) {
				t.Fatalf("unusable are %q, want %q", names, want)
			}
			deal := mustPull(t, f, nil).records[0]
			values, err := f.Connector.ReadValues(t.Context(), crm.DealObject, []string{deal.Snapshot.ID})
			if err != nil {
				t.Fatal(err)
			}
			for _, spec := range Specs {
				_, pulled := deal.Values[spec.Name]
				_, read := values[deal.Snapshot.ID][spec.Name]
				if usable := spec.Name != tc.want; spec.Object == crm.DealObject && (pulled != usable || read != usable) {
					t.Errorf("%s is pulled: %v, read: %v; usable: %v", spec.Name, pulled, read, usable)
				}
			}
		})
	}
}
