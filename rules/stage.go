package rules

// stage judges the deal's own fields, never text.
func (r *record) stage() grade {
	d := &r.s.Deal
	var missing []string
	if d.CloseDate == nil {
		missing = append(missing, "the close date")
	}
	if d.ARR == nil || *d.ARR <= 0 {
		missing = append(missing, "ARR")
	}
	if d.TermMonths == nil || *d.TermMonths <= 0 {
		missing = append(missing, "the contract term")
	}
	switch {
	case !d.Won:
		return grade{sure: true, reason: "Missing: the deal is not Closed Won"}
	case len(missing) == 3:
		return grade{sure: true, reason: "Missing: " + join(missing)}
	case missing != nil:
		return grade{points: 1, sure: true, reason: "Partial: Closed Won; missing " + join(missing)}
	}
	return grade{points: 2, sure: true, reason: "Complete: Closed Won with close date, ARR and contract term"}
}
