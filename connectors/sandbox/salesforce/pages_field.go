package salesforce

import (
	"fmt"
	"strconv"
	"strings"

	"handoff/connectors/sandbox/pages"
)

// newPageField shows a stored value of f. names holds the names of the records that references point at, by id.
func newPageField(f *Field, stored any, names map[string]string) *pages.Field {
	p := &pages.Field{Name: f.Name, Label: f.label(), Help: f.Help, Entered: enteredText(f, stored)}
	p.Text = p.Entered
	switch f.Type {
	case TypeBoolean:
		p.Text = map[string]string{"true": "Yes", "false": "No"}[p.Entered]
	case TypeDateTime:
		p.Text = pages.When(p.Entered)
	case TypeReference:
		p.Label, p.Text = strings.TrimSuffix(p.Label, " ID"), names[p.Entered]
	}
	if own, ok := strings.CutPrefix(f.Name, "Handoff_"); ok {
		p.Own = strings.ToLower(strings.TrimSuffix(own, "__c"))
		p.Label = strings.TrimPrefix(p.Label, "Handoff ") // its section says so
	}
	if !f.ReadOnly && !f.CreateOnly {
		setInput(p, f)
	}
	return p
}

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

// setInput lets a person edit the field.
func setInput(p *pages.Field, f *Field) {
	switch f.Type {
	case TypePicklist:
		p.Choose(pages.Words(f.Values...)...)
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

// submitted returns what a form's control sent as a value to save.
func submitted(f *Field, sent string) any {
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
