package hubspot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"handoff/connectors/sandbox/pages"
)

// itemName matches the properties that hold the points of an item: 0, 1 or 2.
var itemName = regexp.MustCompile(`^` + ownPrefix + `item_\d+_\d+$`)

// moneyNames are the properties that hold an amount in the deal's currency.
var moneyNames = []string{"amount", "hs_arr", "hs_acv", "hs_mrr", "hs_tcv"}

// pageField shows a value of a property of a deal. values are all of the deal's. The caller holds p's lock.
func (p *Portal) pageField(pr *property, values map[string]string) *pages.Field {
	f := &pages.Field{Name: pr.Name, Label: pr.Label, Help: pr.Description, Entered: values[pr.Name], Text: p.shown(pr, values[pr.Name])}
	if own, ok := strings.CutPrefix(pr.Name, ownPrefix); ok {
		f.Own, f.Label = own, strings.TrimPrefix(pr.Label, "Handoff ") // its section says so
	}
	if slices.Contains(moneyNames, pr.Name) {
		f.Text = money(f.Entered, values["deal_currency_code"])
	}
	if pr.Modification.ReadOnlyValue {
		return f
	}
	switch {
	case pr.Name == "pipeline": // a deal goes to another one by its stage
	case pr.Name == "dealstage":
		f.Choose(p.stagesOf(values["pipeline"])...)
	case pr.Referenced == ownerType:
		f.Choose(p.presentOwners()...)
	case itemName.MatchString(pr.Name):
		f.Choose(pages.Words("0", "1", "2")...)
	case pr.Type == typeEnum && pr.FieldType != "checkbox":
		f.Choose(pr.choices()...)
	case pr.Type == typeBool:
		f.Input = "checkbox"
	case pr.Type == typeNumber:
		f.Input, f.Step = "number", "any"
	case pr.Type == typeDate:
		f.Input = "date"
	case pr.Type == typeDateTime:
		f.Input, f.Step = "datetime-local", "1"
		if t, err := time.Parse(momentForm, f.Entered); err == nil {
			f.Entered = t.Format(enteredForm)
		}
	case pr.FieldType == "textarea" || pr.FieldType == "html":
		f.Input = "textarea"
	default:
		f.Input = "text"
	}
	return f
}

// enteredForm is how a browser's control holds a moment; it leaves zero seconds out.
const enteredForm = "2006-01-02T15:04:05"

// shown returns a value of a property as people read it. The caller holds p's lock.
func (p *Portal) shown(pr *property, value string) string {
	switch {
	case value == "":
		return ""
	case pr.Name == "dealstage":
		if s := p.stage(value); s != nil {
			return s.Label
		}
	case pr.Name == "pipeline":
		if i := slices.IndexFunc(p.pipelines, func(l *pipeline) bool { return l.ID == value }); i >= 0 {
			return p.pipelines[i].Label
		}
	case pr.Referenced == ownerType:
		return p.ownerName(value)
	case pr.Name == createdBy || pr.Name == updatedBy:
		if id, err := strconv.ParseInt(value, 10, 64); err == nil {
			return p.userName(id)
		}
	case pr.Type == typeDateTime:
		return pages.When(value)
	case pr.Type == typeBool:
		return map[string]string{"true": "Yes", "false": "No"}[value]
	case pr.Type == typeEnum:
		return pr.words(value)
	}
	return value
}

// words returns the labels of the options that a value names.
func (pr *property) words(value string) string {
	var labels []string
	for v := range strings.SplitSeq(strings.Trim(value, ";"), ";") {
		if i := slices.IndexFunc(pr.Options, func(o option) bool { return o.Value == v }); i >= 0 {
			v = pr.Options[i].Label
		}
		labels = append(labels, v)
	}
	return strings.Join(labels, ", ")
}

func (pr *property) choices() []pages.Choice {
	var choices []pages.Choice
	for _, o := range pr.Options {
		if !o.Hidden {
			choices = append(choices, pages.Choice{Value: o.Value, Label: o.Label})
		}
	}
	return choices
}

func (p *Portal) stagesOf(pipelineID string) []pages.Choice {
	var choices []pages.Choice
	for _, l := range p.pipelines {
		for _, s := range l.Stages {
			if l.ID == pipelineID {
				choices = append(choices, pages.Choice{Value: s.ID, Label: s.Label})
			}
		}
	}
	return choices
}

func (p *Portal) presentOwners() []pages.Choice {
	var choices []pages.Choice
	for _, o := range p.owners {
		if !o.Archived {
			choices = append(choices, pages.Choice{Value: o.ID, Label: o.name()})
		}
	}
	slices.SortFunc(choices, func(a, b pages.Choice) int { return strings.Compare(a.Label, b.Label) })
	return choices
}

// submitted returns what a form's control sent as a value to save.
func submitted(pr *property, sent string) string {
	switch {
	case pr.Type == typeBool:
		return strconv.FormatBool(sent == "true")
	case pr.Type == typeDateTime && len(sent) == len("2006-01-02T15:04"):
		return sent + ":00Z"
	case pr.Type == typeDateTime && len(sent) == len(enteredForm):
		return sent + "Z"
	}
	return sent
}
