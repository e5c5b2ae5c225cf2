package pages

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMoney(t *testing.T) {
	for _, c := range []struct {
		amount float64
		want   string
	}{{0, "EUR 0"}, {999, "EUR 999"}, {48000, "EUR 48,000"}, {1234567.5, "EUR 1,234,567.5"}, {-1000, "EUR -1,000"}} {
		if got := Money(c.amount, "EUR"); got != c.want {
			t.Errorf("%v: %q, want %q", c.amount, got, c.want)
		}
	}
	if got := Money(5, ""); got != "5" {
		t.Errorf("without a currency: %q, want 5", got)
	}
}

func TestWhen(t *testing.T) {
	for stored, want := range map[string]string{
		"2026-10-01T08:30:15.250Z": "2026-10-01 08:30", "2026-10-01T08:30:15": "2026-10-01 08:30", "2026-10-01T08:30:15+02:00": "2026-10-01 06:30",
		"": "", "soon": "soon",
	} {
		if got := When(stored); got != want {
			t.Errorf("%q: %q, want %q", stored, got, want)
		}
	}
}

func TestChoose(t *testing.T) {
	for name, c := range map[string]struct {
		entered string
		want    []Choice
	}{
		"nothing":         {"", []Choice{{"0", "0", false}, {"1", "1", false}}},
		"one of them":     {"1", []Choice{{"0", "0", false}, {"1", "1", true}}},
		"something else":  {"7", []Choice{{"0", "0", false}, {"1", "1", false}, {"7", "7", true}}},
		"almost the same": {"1.0", []Choice{{"0", "0", false}, {"1", "1", false}, {"1.0", "1.0", true}}},
	} {
		f := Field{Entered: c.entered}
		f.Choose(Words("0", "1")...)
		if diff := cmp.Diff(c.want, f.Choices); diff != "" || f.Input != "select" {
			t.Errorf("%s: input %q (-want +got):\n%s", name, f.Input, diff)
		}
	}
}

// Each field is on the card once, whatever it is called.
func TestNewCard(t *testing.T) {
	var all []*Field
	for _, f := range []Field{
		{Name: "A__c", Text: "not ours"}, {Name: "Notes__c", Own: "item_notes"}, {Name: "Two__c", Own: "item_2_1", Text: "0"}, {Name: "One__c", Own: "item_1_1", Text: "2"},
		{Name: "Context__c", Own: "deal_context", Label: "Deal Context", Text: "2"}, {Name: "Score__c", Own: "score", Text: "31"}, {Name: "Max__c", Own: "max", Text: "46"},
		{Name: "Health__c", Own: "health", Text: "Red"}, {Name: "Ghost__c", Own: "ghost", Text: "Yes", Entered: "true"}, {Name: "Ready__c", Own: "ready"},
		{Name: "New__c", Own: "unheard_of", Problem: "refused"},
	} {
		all = append(all, &f)
	}
	fields := NewFields(all)
	card := NewCard(fields)
	names := func(fields []*Field) string {
		var names []string
		for _, f := range fields {
			names = append(names, f.Name+"="+f.Tone)
		}
		return strings.Join(names, " ")
	}
	got := []string{card.Score, card.Max, names(card.Overview), names(card.Texts), names(card.Rest)}
	for _, g := range card.Groups {
		got = append(got, g.Title+" "+g.Points+": "+names(g.Fields))
	}
	want := []string{"31", "46", "Ready__c=", "Notes__c=", "Context__c= Score__c= Max__c= Health__c=bad Ghost__c=bad New__c=", "Deal Context 2 / 2: One__c=good", "Category 2 : Two__c=bad"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("card (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Badge{{}, {"Red", "bad"}, {"Ghost", "bad"}}, card.Badges); diff != "" || !card.Scored || !card.RestOpen {
		t.Errorf("scored %v, open %v, badges (-want +got):\n%s", card.Scored, card.RestOpen, diff)
	}
	if left := names(fields.TakeIf(func(*Field) bool { return true })); left != "A__c=" {
		t.Errorf("left over: %s", left)
	}
	if NewCard(NewFields([]*Field{{Name: "A__c"}})) != nil {
		t.Error("a card without a field of ours")
	}
}

func TestRenderKeepsFailuresToItself(t *testing.T) {
	w := httptest.NewRecorder()
	Render(w, http.StatusOK, problemTemplate, nil, errors.New("secret path /etc"))
	if w.Code != http.StatusInternalServerError || strings.Contains(w.Body.String(), "secret") {
		t.Errorf("HTTP %d: %s", w.Code, w.Body)
	}
	site := &Site{Name: "Sandbox", Deals: "deals", User: "Ann"}
	w = httptest.NewRecorder()
	site.RenderProblem(w, http.StatusNotFound, "<b>", "gone & away")
	if body := w.Body.String(); w.Code != http.StatusNotFound || !strings.Contains(body, "<h1>&lt;b&gt;</h1>") || !strings.Contains(body, "gone &amp; away") {
		t.Errorf("HTTP %d: %s", w.Code, body)
	}
}

func TestSafeHTML(t *testing.T) {
	for body, want := range map[string]string{
		"<p>a<b>b</b><br></p>":                  "<p>a<b>b</b><br></p>",
		"a < b & c":                             "a &lt; b &amp; c",
		"<script>alert(1)</script>x":            "x",
		`<p onclick=y style="x">a</p>`:          "<p>a</p>",
		`<a href="javascript:x">y</a>`:          "y",
		"<img src=x onerror=alert(1)><style>x":  "",
		"<table><tr><td>1</td></tr></table><p>": "<table><tr><td>1</td></tr></table><p>",
	} {
		if got := string(SafeHTML(body)); got != want {
			t.Errorf("%q becomes %q, want %q", body, got, want)
		}
	}
}
