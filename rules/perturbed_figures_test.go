package rules_test

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"handoff/crm"
)

// An amount is a figure with a currency or a k beside it.
var amount = regexp.MustCompile(`(?i)(?:[€$£]|\b(?:EUR|USD|GBP|CHF|MXN|ARS))\s?\d+(?:[.,']\d{3})*(?:[.,]\d{1,2})?\b` +
	`|\b\d+(?:[.,']\d{3})*(?:[.,]\d{1,2})?\s?(?:[€$£]|(?:EUR|USD|GBP|CHF|MXN|euros?|dollars|pounds|k)\b)`)

var digits = regexp.MustCompile(`\d[\d.,']*`)

// multiplyAmounts multiplies all amounts of s; how they are written stays.
func multiplyAmounts(s *crm.Snapshot, factor int) {
	for _, v := range []*float64{s.Deal.Amount, s.Deal.ARR} {
		if v != nil {
			*v *= float64(factor)
		}
	}
	rewrite(s, func(text string) string {
		return amount.ReplaceAllStringFunc(text, func(money string) string {
			return digits.ReplaceAllStringFunc(money, func(figure string) string { return multiply(figure, factor) })
		})
	})
}

// multiply multiplies a figure such as 1,250.50; groups and decimals are separated as before.
func multiply(figure string, factor int) string {
	var places []byte // separators by the number of digits behind them
	var plain []byte
	for i := len(figure) - 1; i >= 0; i-- {
		if c := figure[i]; c >= '0' && c <= '9' {
			plain = append(plain, c)
			places = append(places, 0)
		} else if len(places) > 0 {
			places[len(places)-1] = c
		}
	}
	slices.Reverse(plain)
	n, err := strconv.Atoi(string(plain))
	if err != nil {
		return figure
	}
	product := strconv.Itoa(n * factor)
	var out []byte
	for i := range len(product) {
		behind := len(product) - i // digits
		if i > 0 && behind <= len(places) && places[behind-1] != 0 {
			out = append(out, places[behind-1])
		}
		out = append(out, product[i])
	}
	return string(out)
}

// shiftDates moves the days of the records of s, and those in its text that are written in a certain way.
func shiftDates(s *crm.Snapshot, days int, language string) {
	move := func(at *time.Time) {
		if at != nil {
			*at = at.AddDate(0, 0, days)
		}
	}
	year := s.AsOf.Year()
	if s.Deal.CloseDate != nil {
		year = s.Deal.CloseDate.Time().Year()
		t := s.Deal.CloseDate.Time().AddDate(0, 0, days)
		*s.Deal.CloseDate = crm.NewDate(t.Year(), t.Month(), t.Day())
	}
	move(s.AsOf)
	move(s.Deal.KickoffAt)
	if s.Deal.CSM != nil {
		move(s.Deal.CSM.AssignedAt)
	}
	for i := range s.Notes {
		move(s.Notes[i].At)
	}
	for i := range s.Activities {
		move(s.Activities[i].At)
	}
	for i := range s.History {
		move(s.History[i].At)
	}
	rewrite(s, func(text string) string { return shiftDays(text, days, year, language) })
}

// monthNames are the spellings of the months in the languages of the cases.
var monthNames = map[string][][]string{
	"en": {
		strings.Fields("January February March April May June July August September October November December"),
		strings.Fields("Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"),
		strings.Fields("Jan Feb March April May June July Aug Sept Oct Nov Dec"),
	},
	"de": {
		strings.Fields("Januar Februar März April Mai Juni Juli August September Oktober November Dezember"),
		strings.Fields("Jan Feb Mär Apr Mai Jun Jul Aug Sep Okt Nov Dez"),
	},
	"es": {
		strings.Fields("enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre"),
	},
}

const monthName = `(\pL{3,10})`

var (
	isoDay      = regexp.MustCompile(`\b(20\d\d)-(\d\d)-(\d\d)`)
	dottedDay   = regexp.MustCompile(`\b(\d{1,2})\.(\d{1,2})\.(20\d\d)\b`)
	dottedShort = regexp.MustCompile(`(?i)\b((?:am|bis|vom|ab|zum|seit|den|dem|der) )(\d{1,2})\.(\d{1,2})\.`) // no version
	dayMonth    = regexp.MustCompile(`\b(\d{1,2})(st|nd|rd|th|\.)?( de | of | )` + monthName + `\b( de 20\d\d| 20\d\d|, 20\d\d)?`)
	monthDay    = regexp.MustCompile(`\b` + monthName + ` (\d{1,2})(st|nd|rd|th)?\b(,? 20\d\d)?`)
	slashDay    = regexp.MustCompile(`\b(\d{1,2})/(\d{1,2})\b(/20\d\d)?`)
)

// shiftDays moves the dates in text by days. A year that is not written is the one given.
func shiftDays(text string, days, year int, language string) string {
	shifted := func(y, m, d int) (time.Time, bool) {
		t := time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC)
		return t.AddDate(0, 0, days), t.Day() == d && int(t.Month()) == m
	}
	replace := func(re *regexp.Regexp, with func(parts []string) (string, bool)) {
		var b strings.Builder
		done := 0
		for _, at := range re.FindAllStringSubmatchIndex(text, -1) {
			parts := make([]string, len(at)/2)
			for i := range parts {
				if at[2*i] >= 0 {
					parts[i] = text[at[2*i]:at[2*i+1]]
				}
			}
			if written, ok := with(parts); ok {
				b.WriteString(text[done:at[0]] + written)
				done = at[1]
			}
		}
		text = b.String() + text[done:]
	}
	yearOf := func(s string) int {
		if len(s) < 4 {
			return year
		}
		return number(s[len(s)-4:])
	}
	withYear := func(s string, t time.Time) string {
		if len(s) < 4 {
			return s
		}
		return s[:len(s)-4] + strconv.Itoa(t.Year())
	}
	replace(isoDay, func(p []string) (string, bool) {
		t, ok := shifted(number(p[1]), number(p[2]), number(p[3]))
		return t.Format(time.DateOnly), ok
	})
	replace(dottedDay, func(p []string) (string, bool) {
		t, ok := shifted(number(p[3]), number(p[2]), number(p[1]))
		return like(p[1], t.Day()) + "." + like(p[2], int(t.Month())) + "." + strconv.Itoa(t.Year()), ok
	})
	if language == "de" {
		replace(dottedShort, func(p []string) (string, bool) {
			t, ok := shifted(year, number(p[3]), number(p[2]))
			return p[1] + like(p[2], t.Day()) + "." + like(p[3], int(t.Month())) + ".", ok
		})
	}
	replace(slashDay, func(p []string) (string, bool) {
		a, b := number(p[1]), number(p[2])
		if a > 12 && b <= 12 && p[0] != "24/7" {
			t, ok := shifted(yearOf(p[3]), b, a)
			return like(p[1], t.Day()) + "/" + like(p[2], int(t.Month())) + withYear(p[3], t), ok
		}
		t, ok := shifted(yearOf(p[3]), a, b)
		return like(p[1], int(t.Month())) + "/" + like(p[2], t.Day()) + withYear(p[3], t), ok && b > 12
	})
	moved := map[string]bool{} // what dayMonth wrote is not for monthDay
	replace(dayMonth, func(p []string) (string, bool) {
		m, spelling := monthOf(p[4], language)
		t, ok := shifted(yearOf(p[5]), m, number(p[1]))
		if m == 0 || !ok {
			return "", false
		}
		name := likeCase(spelling[t.Month()-1], p[4])
		moved[name] = true
		return like(p[1], t.Day()) + ordinal(p[2], t.Day()) + p[3] + name + withYear(p[5], t), true
	})
	replace(monthDay, func(p []string) (string, bool) {
		m, spelling := monthOf(p[1], language)
		t, ok := shifted(yearOf(p[4]), m, number(p[2]))
		if m == 0 || !ok || moved[p[1]] {
			return "", false
		}
		return likeCase(spelling[t.Month()-1], p[1]) + " " + like(p[2], t.Day()) + ordinal(p[3], t.Day()) + withYear(p[4], t), true
	})
	return text
}

// monthOf returns the month that a word names, and all months spelt the same way; 0: it names none.
func monthOf(word, language string) (int, []string) {
	for _, lang := range []string{language, "en", "de", "es"} {
		for _, spelling := range monthNames[lang] {
			if i := slices.IndexFunc(spelling, func(m string) bool { return strings.EqualFold(m, word) }); i >= 0 {
				return i + 1, spelling
			}
		}
	}
	return 0, nil
}

// like writes n with as many digits as old if that began with a zero.
func like(old string, n int) string {
	s := strconv.Itoa(n)
	if strings.HasPrefix(old, "0") && len(s) < len(old) {
		return "0" + s
	}
	return s
}

// ordinal returns the ending of day in the manner of old.
func ordinal(old string, day int) string {
	if len(old) != 2 {
		return old
	}
	switch day {
	case 1, 21, 31:
		return "st"
	case 2, 22:
		return "nd"
	case 3, 23:
		return "rd"
	}
	return "th"
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err) // the patterns match digits only
	}
	return n
}
