package rules

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// read returns the passage of a text in the given language.
func passageOf(t *testing.T, text string) *passage {
	t.Helper()
	e := builtin(t)
	f := fold(text)
	p := &passage{src: &source{}, piece: piece{text: text, folded: f}, langs: e.languagesOf(&f, everyLanguages)}
	p.hits = e.lex.find(&p.folded, p.langs)
	p.said = classesOf(p.hits)
	e.findFacts(p)
	return p
}

func TestDates(t *testing.T) {
	for _, tt := range []struct {
		text           string
		dates, periods int32
		days           []day
	}{
		{"live on 3 November", 1, 0, []day{{11, 3}}},
		{"live on November 3rd", 1, 0, []day{{11, 3}}},
		{"w/c 19 Oct, production 6 Nov", 2, 0, []day{{10, 19}, {11, 6}}},
		{"by 2026-11-03", 1, 0, []day{{11, 3}}},
		{"they want it by 11/3", 1, 0, []day{{11, 3}}},
		{"das System läuft ab dem 3.11. und wird mit der IT abgestimmt", 1, 0, []day{{11, 3}}},
		{"am 3. November geht es los", 1, 0, []day{{11, 3}}},
		{"el 3 de noviembre", 1, 0, []day{{11, 3}}},
		{"sometime in November", 0, 1, nil},
		{"in the spring", 0, 1, nil},
		{"Q3", 0, 1, nil},
		{"they may want it", 0, 0, nil},
		{"support around the clock, 24/7, for everyone", 0, 0, nil},
		{"12/4 meters", 0, 0, nil},
		{"version 9.01", 0, 0, nil},
		{"spec reference 26-06-09", 0, 0, nil},
	} {
		t.Run(tt.text, func(t *testing.T) {
			got := passageOf(t, tt.text).facts
			if got.dates != tt.dates || got.periods != tt.periods {
				t.Errorf("%d dates and %d periods, want %d and %d", got.dates, got.periods, tt.dates, tt.periods)
			}
			if diff := cmp.Diff(tt.days, got.days, cmp.AllowUnexported(day{})); diff != "" {
				t.Errorf("days (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSoonAfter(t *testing.T) {
	closed := time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		day  day
		want bool
	}{
		{"next month", day{10, 20}, true},
		{"next year", day{1, 29}, true},
		{"the day after", day{10, 1}, false},
		{"before the close", day{9, 8}, false},
		{"next summer", day{7, 1}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.day.soonAfter(closed); got != tt.want {
				t.Errorf("%v soon after the close: %v", tt.day, got)
			}
		})
	}
}

func TestFigures(t *testing.T) {
	for _, tt := range []struct {
		text string
		want facts
	}{
		{"14% off", facts{figures: 1, percents: 1}},
		{"it cost £46 each", facts{figures: 1, money: 1}},
		{"they lost 31k eur", facts{figures: 1, money: 1}},
		{"it cost 300 EUR", facts{figures: 1, money: 1, names: 1}},
		{"ten working days", facts{figures: 1, durations: 1}},
		{"takes 3 weeks", facts{figures: 1, durations: 1}},
		{"dauert 6 Wochen", facts{figures: 1, durations: 1, names: 1}},
		{"tarda 10 días", facts{figures: 1, durations: 1}},
		{"on release 9.01", facts{figures: 1, versions: 1}},
		{"on v23", facts{versions: 1}},
		{"on rev8", facts{versions: 1}},
		{"nothing here", facts{}},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, passageOf(t, tt.text).facts, cmp.AllowUnexported(facts{})); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSystems(t *testing.T) {
	for _, tt := range []struct {
		text           string
		systems, names int32
	}{
		{"they use Salesforce", 1, 0},
		{"it goes to netsuite", 1, 0},
		{"it reads from Gesden", 0, 1},
		{"Orders come by file", 0, 0},
	} {
		t.Run(tt.text, func(t *testing.T) {
			if got := passageOf(t, tt.text).facts; got.systems != tt.systems || got.names != tt.names {
				t.Errorf("%d systems and %d names, want %d and %d", got.systems, got.names, tt.systems, tt.names)
			}
		})
	}
}

func TestFactSlots(t *testing.T) {
	for _, tt := range []struct {
		slot     string
		yes, not string
	}{
		{"specific", "late orders rose to 14%", "some small things here and there for the team over time in general somehow"},
		{"specific", "Nadia in Leeds and Omar in York both complained", "it is slow"},
		{"constraint", "needs ten working days", "their IT is slow"},
		{"constraint", "only on Tuesdays at night", "there is a form"},
		{"detail", "the first pilot runs in one shop", "sometime soon"},
		{"date", "3 November", "November"},
		{"period", "before Christmas", "someday"},
		{"duration", "takes 3 weeks", "3 users"},
		{"time", "every Friday", "often"},
		{"figure", "31 seats", "seats"},
		{"money", "it was £46 each", "46 of them"},
		{"money", "14% off", "14 seats"},
		{"version", "on 9.01", "on 9"},
		{"system", "on NetSuite", "on paper"},
		{"product", "on NetSuite", "on Gesden"},
		{"name", "on Gesden", "on paper"},
	} {
		t.Run(tt.slot+": "+tt.yes, func(t *testing.T) {
			s, ok := factSlots[tt.slot]
			if !ok {
				t.Fatalf("there is no slot %q", tt.slot)
			}
			if !s.fill(passageOf(t, tt.yes)) {
				t.Errorf("%q does not fill it", tt.yes)
			}
			if s.fill(passageOf(t, tt.not)) {
				t.Errorf("%q fills it", tt.not)
			}
		})
	}
}
