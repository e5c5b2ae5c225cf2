package pages

// Field is a field of a record as its page shows it.
type Field struct {
	Name  string // the CRM's own
	Own   string // the neutral name of a field of ours, such as "item_1_1"; "": it is another's
	Label string
	Help  string
	Text  string // the value as people read it; "": none
	Tone  string // "good", "fair", "bad" or ""

	// The form that edits it.
	Action  string // where it is sent
	Input   string // "": it cannot be edited; "select", "checkbox", "textarea", else the type of an input
	Entered string // what the form starts with
	Choices []Choice
	Step    string
	Problem string // why the last edit was refused; the form is open then
}

// Choice is one of the values that a field may have.
type Choice struct {
	Value    string
	Label    string
	Selected bool
}

// Choose lets the field have one of the values, or stay what it is.
func (f *Field) Choose(choices ...Choice) {
	f.Input = "select"
	f.Choices = nil
	known := f.Entered == ""
	for _, c := range choices {
		c.Selected = c.Value == f.Entered
		known = known || c.Selected
		f.Choices = append(f.Choices, c)
	}
	if !known {
		f.Choices = append(f.Choices, Choice{f.Entered, f.Entered, true})
	}
}

// Words are choices whose values are what people read.
func Words(values ...string) []Choice {
	choices := make([]Choice, len(values))
	for i, v := range values {
		choices[i] = Choice{Value: v, Label: v}
	}
	return choices
}

// Fields are the fields of a record, each of which a page shows in one place: where it is taken first.
type Fields struct {
	left []*Field
	all  map[string]*Field
}

// NewFields returns the fields in their order.
func NewFields(fields []*Field) *Fields {
	f := &Fields{left: fields, all: make(map[string]*Field, len(fields))}
	for _, field := range fields {
		f.all[field.Name] = field
	}
	return f
}

// Get returns the field of a name, taken or not; nil: there is none.
func (f *Fields) Get(name string) *Field { return f.all[name] }

// Take takes those of the named fields that are left, in the order of the names.
func (f *Fields) Take(names ...string) []*Field {
	var taken []*Field
	for _, name := range names {
		taken = append(taken, f.TakeIf(func(field *Field) bool { return field.Name == name })...)
	}
	return taken
}

// TakeIf takes the fields that are left and wanted.
func (f *Fields) TakeIf(wanted func(*Field) bool) []*Field {
	var taken, left []*Field
	for _, field := range f.left {
		if wanted(field) {
			taken = append(taken, field)
		} else {
			left = append(left, field)
		}
	}
	f.left = left
	return taken
}

// own takes the fields of ours with these neutral names, in the order of the names.
func (f *Fields) own(names ...string) []*Field {
	var taken []*Field
	for _, name := range names {
		taken = append(taken, f.TakeIf(func(field *Field) bool { return field.Own == name })...)
	}
	return taken
}

// Split tells fields that hold something, or failed to, from empty ones.
func Split(fields []*Field) (filled, blank []*Field) {
	for _, f := range fields {
		if f.Text == "" && f.Problem == "" {
			blank = append(blank, f)
		} else {
			filled = append(filled, f)
		}
	}
	return filled, blank
}
