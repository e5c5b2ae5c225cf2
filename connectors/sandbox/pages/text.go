package pages

import (
	"html/template"
	"strconv"
	"strings"
	"time"

	"github.com/microcosm-cc/bluemonday"
)

// Badge is a short word in colour; without a text it is not shown.
type Badge struct{ Text, Tone string }

// tones says how good a value of a picklist of ours is. Other values are shown without colour.
var tones = map[string]string{
	"Excellent": "good", "Acceptable": "good", "Below Standard": "fair", "Incomplete": "bad",
	"Green": "good", "Yellow": "fair", "Red": "bad",
	"Accepted": "good", "Re-handoff requested": "bad",
}

// Badges returns what a deal's score means.
func Badges(rating, health string, ghost bool) []Badge {
	badges := []Badge{{rating, tones[rating]}, {health, tones[health]}}
	if ghost {
		badges = append(badges, Badge{"Ghost", "bad"})
	}
	return badges
}

// Contact is somebody on a deal.
type Contact struct {
	Name    string
	Title   string
	Email   string
	Phone   string
	Roles   []string
	Bounced bool
}

// Change is a change of a field.
type Change struct {
	Field string // its label
	From  string // "": nothing
	To    string
	At    string // as stored
	By    string
}

// When returns the moment as people read it.
func (c Change) When() string { return When(c.At) }

// When returns a moment that a CRM stores as people read it, in UTC; what is no moment stays as it is.
func When(stored string) string {
	for _, form := range []string{time.RFC3339, "2006-01-02T15:04:05"} {
		if t, err := time.Parse(form, stored); err == nil {
			return t.UTC().Format("2006-01-02 15:04")
		}
	}
	return stored
}

// Money returns an amount with its digits in groups, such as "USD 48,000" or "USD 48,000.5".
func Money(amount float64, currency string) string {
	text := strconv.FormatFloat(amount, 'f', -1, 64)
	sign, digits := "", text
	if rest, negative := strings.CutPrefix(text, "-"); negative {
		sign, digits = "-", rest
	}
	whole, fraction, fractional := strings.Cut(digits, ".")
	if fractional {
		fraction = "." + fraction
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return strings.TrimSpace(currency + " " + sign + whole + fraction)
}

// layout lets through how a text is laid out, and nothing that leads elsewhere.
var layout = bluemonday.NewPolicy().AllowElements("p", "div", "span", "br", "b", "strong", "i", "em", "u", "ul", "ol", "li",
	"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "blockquote", "pre", "code")

// SafeHTML returns a text from a rich text editor, safe to show.
func SafeHTML(body string) template.HTML { return template.HTML(layout.Sanitize(body)) }
