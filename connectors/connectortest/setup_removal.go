package connectortest

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"handoff/connectors"
)

// changes says what a plan would do, in words that can be compared.
func changes(p connectors.Plan) []string {
	var lines []string
	for _, s := range p.Steps {
		lines = append(lines, string(rune(s.Change))+" "+s.What+" "+s.Target+" "+s.Detail)
	}
	return lines
}

func planRemoval(t *testing.T, f *Fixture) connectors.Plan {
	t.Helper()
	plan, err := f.Connector.PlanRemoval(t.Context())
	if err != nil {
		t.Fatalf("plan removal: %v", err)
	}
	return plan
}

// setupRemoval: what setup made can be taken away, half or twice, and leaves the CRM as it was before, seen through Plan.
func setupRemoval(t *testing.T, start Start) {
	f := start(t, few())
	if nothing := planRemoval(t, f); len(nothing.Steps) > 0 {
		t.Fatalf("before setup there is something to take away: %v", changes(nothing))
	}
	before, err := f.Connector.Plan(t.Context(), connectors.SetupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	provision(t, f)
	removal := planRemoval(t, f)
	if len(removal.Steps) < len(Specs) {
		t.Fatalf("%d steps for %d fields", len(removal.Steps), len(Specs))
	}
	for _, s := range removal.Steps {
		if s.Change != connectors.Delete || s.What == "" || s.Target == "" {
			t.Errorf("a step does not say what it takes away: %+v", s)
		}
	}
	remove := func(steps []connectors.Step) {
		t.Helper()
		for _, s := range steps {
			if err := f.Connector.Apply(t.Context(), s); err != nil {
				t.Fatalf("take away %s %s: %v", s.What, s.Target, err)
			}
		}
	}
	remove(removal.Steps[:3]) // then it is killed
	rest := planRemoval(t, f)
	if want := changes(removal)[3:]; !slices.Equal(changes(rest), want) {
		t.Errorf("after three steps, -want +left:\n%s", cmp.Diff(want, changes(rest)))
	}
	remove(rest.Steps)
	remove(removal.Steps)
	if left := planRemoval(t, f); len(left.Steps) > 0 {
		t.Errorf("still there: %v", changes(left))
	}
	after, err := f.Connector.Plan(t.Context(), connectors.SetupOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changes(before), changes(after)); diff != "" {
		t.Errorf("the CRM, -before setup +after removal:\n%s", diff)
	}
}
