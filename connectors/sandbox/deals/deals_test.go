package deals

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"handoff/crm"
)

var noon = time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)

func hashes(all []*crm.Snapshot) []string {
	h := make([]string, len(all))
	for i, s := range all {
		h[i] = s.Hash()
	}
	return h
}

func TestDemo(t *testing.T) {
	all := Demo()
	won := 0
	for _, s := range all {
		if s.Deal.Won {
			won++
		}
		if len(s.Expected) == 0 {
			t.Errorf("%s has no labels", s.ID)
		}
	}
	if len(all) != 60 || won != 57 {
		t.Errorf("%d deals, %d won; want 60, 57", len(all), won)
	}
}

func TestGenerateIsDeterministic(t *testing.T) {
	first := hashes(Generate(500, 7, noon))
	if diff := cmp.Diff(first, hashes(Generate(500, 7, noon.Add(11*time.Hour)))); diff != "" {
		t.Errorf("another time of the same day (-first +later):\n%s", diff)
	}
	if diff := cmp.Diff(first[:20], hashes(Generate(20, 7, noon))); diff != "" {
		t.Errorf("fewer deals are not a prefix (-prefix +fewer):\n%s", diff)
	}
	for name, other := range map[string][]*crm.Snapshot{
		"another seed": Generate(500, 8, noon),
		"another day":  Generate(500, 7, noon.AddDate(0, 0, 1)),
	} {
		if cmp.Equal(first, hashes(other)) {
			t.Errorf("%s gives the same deals", name)
		}
	}
}

func TestGenerateNamesAndShares(t *testing.T) {
	const n = 100_000
	names, accounts := map[string]bool{}, map[string]int{}
	won, contacts, notes, activities := 0, 0, 0, 0
	for _, s := range Generate(n, 1, noon) {
		if names[s.Deal.Name] {
			t.Fatalf("two deals are named %q", s.Deal.Name)
		}
		names[s.Deal.Name] = true
		accounts[s.Deal.Account]++
		if s.Deal.Won {
			won++
		}
		if c := len(s.Contacts); c < 1 || c > 6 {
			t.Errorf("%s has %d contacts", s.ID, c)
		}
		if c := len(s.Notes); c > 5 {
			t.Errorf("%s has %d notes", s.ID, c)
		}
		if c := len(s.Activities); c > 8 {
			t.Errorf("%s has %d activities", s.ID, c)
		}
		contacts, notes, activities = contacts+len(s.Contacts), notes+len(s.Notes), activities+len(s.Activities)
	}
	if won < n*95/100 || won == n {
		t.Errorf("%d of %d won", won, n)
	}
	shared := 0
	for _, deals := range accounts {
		if deals > 1 {
			shared += deals
		}
	}
	if shared != n*15/100 {
		t.Errorf("%d deals share an account, want %d", shared, n*15/100)
	}
	t.Logf("a deal has on average %.1f contacts, %.1f notes, %.1f activities", float64(contacts)/n, float64(notes)/n, float64(activities)/n)
}

func TestGenerateSmallIsMostlyWon(t *testing.T) {
	for n := range 60 {
		won := 0
		for _, s := range Generate(n, 3, noon) {
			if s.Deal.Won {
				won++
			}
		}
		if won*100 < n*95 {
			t.Errorf("%d of %d won", won, n)
		}
	}
}

func TestGenerateDates(t *testing.T) {
	for _, s := range Generate(5000, 2, noon) {
		if s.AsOf.After(noon) {
			t.Errorf("%s: as of %s, which is to come", s.ID, s.AsOf)
		}
		past := func(what string, at *time.Time) {
			if at.After(*s.AsOf) {
				t.Errorf("%s: %s at %s, after as-of %s", s.ID, what, at, s.AsOf)
			}
			if at.Nanosecond() != 0 {
				t.Errorf("%s: %s at %s, not a whole second", s.ID, what, at)
			}
		}
		closed := s.Deal.CloseDate.Time()
		past("close", &closed)
		if s.Deal.CSM != nil {
			past("assigned", s.Deal.CSM.AssignedAt)
		}
		for _, n := range s.Notes {
			past("note", n.At)
		}
		for _, a := range s.Activities {
			past(string(a.Kind), a.At)
		}
		if k := s.Deal.KickoffAt; k != nil && !k.After(*s.AsOf) {
			t.Errorf("%s: kickoff %s is not after as-of %s", s.ID, k, s.AsOf)
		}
	}
}

// The mix is what makes generated deals worth scoring: each habit must be there.
func TestGenerateMix(t *testing.T) {
	seen := map[string]int{}
	for _, s := range Generate(2000, 4, noon) {
		count := func(what string, is bool) {
			if is {
				seen[what]++
			}
		}
		count("no fields", len(s.Deal.Fields) == 0)
		count("ten fields", len(s.Deal.Fields) >= 10)
		count("placeholder", s.Deal.Fields["use_case"] == "TBD")
		count("meddpicc", s.Deal.Fields["identify_pain"] != "")
		count("no amount", s.Deal.Amount == nil)
		count("no csm", s.Deal.CSM == nil)
		count("German", strings.HasSuffix(s.Deal.Account, "GmbH"))
		count("Spanish", strings.HasSuffix(s.Deal.Account, "S.L."))
		for _, c := range s.Contacts {
			count("bounced", c.EmailBounced)
			count("two roles", len(c.Roles) == 2)
		}
		for _, n := range s.Notes {
			count("HTML", strings.HasPrefix(n.Body, "<p>"))
			count("notice", n.Author == "Automation")
			if strings.ContainsAny(n.Body, "{}") {
				t.Errorf("%s: a slot is left open in %q", s.ID, n.Body)
			}
		}
		for _, v := range s.Deal.Fields {
			if strings.ContainsAny(v, "{}") || v == "" {
				t.Errorf("%s: a slot is left open, or nothing said, in %q", s.ID, v)
			}
		}
		for _, a := range s.Activities {
			count(string(a.Kind), true)
		}
	}
	for _, what := range []string{"no fields", "ten fields", "placeholder", "meddpicc", "no amount", "no csm", "German", "Spanish",
		"bounced", "two roles", "HTML", "notice", "email", "call", "meeting", "task"} {
		if seen[what] < 5 {
			t.Errorf("%s: seen %d times in 2,000 deals", what, seen[what])
		}
	}
}

// Each language must have something to say about each item, and name only slots that exist.
func TestPhrases(t *testing.T) {
	w := newWriter(loadPhrases(), rand.New(rand.NewPCG(1, 1)), 0, 1, noon)
	w.fillSlots(w.people())
	for _, slot := range regexp.MustCompile(`\{.*?\}`).FindAllString(phrasesTOML, -1) {
		if w.slots[strings.Trim(slot, "{}")] == "" {
			t.Errorf("phrases.toml names the slot %s, which is never filled", slot)
		}
	}
	for _, l := range loadPhrases().Languages {
		for _, item := range items {
			if say := l.Item[item]; len(say.Whole) == 0 || len(say.Thin) == 0 {
				t.Errorf("language with %s: item %s lacks sentences", l.Legal[0], item)
			}
		}
		if len(l.Item) != len(items) {
			t.Errorf("language with %s: %d items, want %d", l.Legal[0], len(l.Item), len(items))
		}
	}
}

func BenchmarkGenerate(b *testing.B) {
	for b.Loop() {
		Generate(1000, 1, noon)
	}
}
