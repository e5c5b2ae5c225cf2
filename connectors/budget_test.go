package connectors

import (
	"context"
	"errors"
	"testing"
)

func TestBudget(t *testing.T) {
	for _, tc := range []struct {
		name     string
		share    int
		backfill bool
		told     Quota
		message  string // "": the call is affordable
	}{
		{"not told", 80, false, Quota{}, ""},
		{"below", 80, false, Quota{79_999, 100_000}, ""},
		{"at the share", 80, false, Quota{80_000, 100_000}, "80000 of 100000 API calls of the day are used, by all integrations, and a run stops at 80 %"},
		{"backfill, below its half", 80, true, Quota{39_999, 100_000}, ""},
		{"backfill, at its half", 80, true, Quota{40_000, 100_000}, "40000 of 100000 API calls of the day are used, by all integrations, and reading all deals stops at 40 %"},
		{"backfill, below half of next to nothing", 1, true, Quota{9, 1000}, ""},
		{"backfill, at half of next to nothing", 1, true, Quota{10, 1000}, "10 of 1000 API calls of the day are used, by all integrations, and reading all deals stops at 1 %"},
		{"backfill without bounds", 0, true, Quota{100, 100}, ""},
		{"everything", 100, false, Quota{99, 100}, ""},
		{"without bounds", 0, false, Quota{100, 100}, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			ctx := NewBudget(tc.share).Bound(t.Context())
			if tc.backfill {
				ctx = Backfill(Backfill(ctx))
			}
			early := Sent(ctx)
			Sent(ctx)(tc.told)
			Sent(ctx)(Quota{})                            // an answer that tells nothing
			early(Quota{tc.told.Used / 2, tc.told.Limit}) // one that was overtaken
			err := Afford(ctx, "HubSpot", "read deals")
			e := (*Error)(nil)
			switch {
			case tc.message == "" && err != nil:
				t.Errorf("got %v", err)
			case tc.message == "":
			case !errors.As(err, &e) || !errors.Is(err, ErrQuota) || !errors.Is(err, ErrBudget) || errors.Is(err, ErrBackfill) != tc.backfill || e.Message != tc.message || e.Setting != "quota_share":
				t.Errorf("got %v, want %s", err, tc.message)
			}
		})
	}
}

// TestBudgetOfOneRun: what one run was told bounds that run alone, and calls outside of a run not at all.
func TestBudgetOfOneRun(t *testing.T) {
	spent := Quota{100, 100}
	first := NewBudget(80).Bound(t.Context())
	Sent(first)(spent)
	Sent(context.Background())(spent)
	for name, ctx := range map[string]context.Context{"the next run": NewBudget(80).Bound(t.Context()), "a check": t.Context(), "a check that reads all": Backfill(t.Context())} {
		if err := Afford(ctx, "HubSpot", "read deals"); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if Afford(first, "HubSpot", "read deals") == nil {
		t.Error("a spent quota is affordable")
	}
}
