package salesforce

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// pageField is a field of a record as its page shows it.
type pageField struct {
	Name  string
	Label string
	Help  string
	Text  string
	Tone  string

	// The form that edits it.
	Input   string // "": it cannot be edited; "select", "checkbox", "textarea", else the type of an input
	Entered string // what the form starts with
	Choices []pageChoice
	Step    string
	Action  string
	Problem string // why the last edit was refused; the form is open then
}

type pageChoice struct {
	Value    string
	Selected bool
}

// newPageField shows a stored value of f. names holds the names of the records that references point at, by id.
func newPageField(f *Field, stored any, names map[string]string) pageField {
	p := pageField{Name: f.Name, Label: f.label(), Help: f.Help, Entered: enteredText(f, stored)}
	p.Text = p.Entered
	switch f.Type {
	case TypeBoolean:
		p.Text = map[string]string{"true": "Yes", "false": "No"}[p.Entered]
	case TypeDateTime:
		if t, err := time.Parse(storedTime, p.Entered); err == nil {
			p.Text = t.Format(pageTime)
		}
	case TypeReference:
		p.Label, p.Text = strings.TrimSuffix(p.Label, " ID"), names[p.Entered]
	case TypePicklist:
		p.Tone = tones[p.Text]
	}
	if !f.ReadOnly && !f.CreateOnly {
		p.setInput(f)
	}
	return p
}

// pageTime is how pages write moments, all of them in UTC.
const pageTime = "2006-01-02 15:04"

// enteredText returns a stored value as a form's control holds it.
func enteredText(f *Field, stored any) string {
	switch v := stored.(type) {
	case nil:
		return ""
	case []byte:
		return string(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		if f.Type == TypeBoolean {
			return strconv.FormatBool(v != 0)
		}
	}
	return fmt.Sprint(stored)
}

func (p *pageField) setInput(f *Field) {
	switch f.Type {
	case TypePicklist:
		p.setChoices(f.Values)
	case TypeBoolean:
		p.Input = "checkbox"
	case TypeTextArea:
		p.Input = "textarea"
	case TypeDate:
		p.Input = "date"
	case TypeDateTime:
		p.Input, p.Step = "datetime-local", "1"
	case TypeInt, TypeDouble, TypePercent, TypeCurrency:
		p.Input, p.Step = "number", "any"
	case TypeString, TypeCombobox, TypeEmail, TypePhone, TypeURL:
		p.Input = "text"
	}
}

// setChoices lets p be one of the values, or stay what it is.
func (p *pageField) setChoices(values []string) {
	p.Input = "select"
	known := p.Entered == ""
	for _, v := range values {
		p.Choices = append(p.Choices, pageChoice{v, v == p.Entered})
		known = known || v == p.Entered
	}
	if !known {
		p.Choices = append(p.Choices, pageChoice{p.Entered, true})
	}
}

// submitted returns what a form's control sent as a value to save.
func submitted(f *Field, sent string) any {
	sent = strings.ReplaceAll(sent, "\r\n", "\n")
	switch {
	case f.Type == TypeBoolean:
		return sent == "true"
	case sent == "":
		return nil
	case f.Type == TypeDateTime && len(sent) == len("2006-01-02T15:04"):
		return sent + ":00Z"
	case f.Type == TypeDateTime:
		return sent + "Z"
	}
	return sent
}
