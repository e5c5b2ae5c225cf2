package hubspot

import "strconv"

// enteredProperty is the name of the property that holds when a deal last came to a stage.
func enteredProperty(stageID string) string { return "hs_v2_date_entered_" + stageID }

// derive fills in what follows from the stages that a deal has come to, oldest first. row holds the values that are set.
func (t *tx) derive(o *object, row map[string]string, stages []change) {
	if o.Name != "deals" {
		return
	}
	for _, c := range stages {
		s := t.portal.stage(c.Value)
		if s == nil {
			continue
		}
		row["hs_is_closed"] = s.Metadata.IsClosed
		row["hs_is_closed_won"] = strconv.FormatBool(s.Metadata.won())
		row["hs_deal_stage_probability"] = s.Metadata.Probability
		row["hs_closed_won_date"] = ""
		if s.Metadata.won() {
			row["hs_closed_won_date"] = moment(c.At)
		}
		row[enteredProperty(s.ID)] = moment(c.At)
		if row["pipeline"] == "" {
			row["pipeline"] = t.portal.pipelineOf(s.ID)
		}
	}
}
