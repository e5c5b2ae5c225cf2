package rules

import "time"

// endOfBusinessDays returns when the n-th business day, Monday to Friday, after a day ends.
func endOfBusinessDays(day time.Time, n int) time.Time {
	for n > 0 {
		day = day.AddDate(0, 0, 1)
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			n--
		}
	}
	return day.AddDate(0, 0, 1)
}
