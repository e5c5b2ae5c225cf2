package hubspot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// integration stands for the app whose token makes the calls, among user ids. It is nobody's.
const integration = 0

// change is a value that a property had from a moment on.
type change struct {
	Value string
	At    time.Time
	By    int64 // user id, or integration
}

// newRecord is a record to add, with trusted values.
type newRecord struct {
	Object     string            // "deals"
	Properties map[string]string // by name; read-only ones too
	Created    time.Time         // zero: now
	Modified   time.Time         // zero: when it was created
	CreatedBy  int64             // user id, or integration
	ModifiedBy int64

	// History is what properties held, each oldest first; the last one is the value. A property without history has had
	// its value since the record was made.
	History map[string][]change
}

// load calls fn in a transaction that adds trusted records and definitions: insert, associate, addOwner, addStage,
// addPipeline, addGroup and addProperty. After an error the portal cannot be used.
func (p *Portal) load(ctx context.Context, fn func(ctx context.Context, t *tx) error) error {
	return p.write(ctx, fn)
}

// insert adds a record and returns its id. Values are checked as those of clients are; what is calculated is filled in.
func (t *tx) insert(ctx context.Context, r newRecord) (id string, err error) {
	o := t.portal.object(r.Object)
	if o == nil {
		return "", fmt.Errorf("insert: there is no object %q", r.Object)
	}
	if r.Created.IsZero() {
		r.Created = t.now
	}
	if r.Modified.IsZero() {
		r.Modified, r.ModifiedBy = r.Created, r.CreatedBy
	}
	o.lastID++
	row := map[string]string{o.Created: moment(r.Created), o.Modified: moment(r.Modified)}
	if r.CreatedBy != integration {
		row[createdBy] = strconv.FormatInt(r.CreatedBy, 10)
	}
	if r.ModifiedBy != integration {
		row[updatedBy] = strconv.FormatInt(r.ModifiedBy, 10)
	}
	set := func(name, value string) error {
		pr := o.property(name)
		if pr == nil {
			return fmt.Errorf("insert: %s has no property %q", o.Name, name)
		}
		stored, bad := t.portal.parse(pr, value)
		if bad != nil {
			return fmt.Errorf("insert: %s: property %s: %s", o.Name, name, bad.Message)
		}
		row[name] = stored
		return nil
	}
	for name, value := range r.Properties {
		if err := set(name, value); err != nil {
			return "", err
		}
	}
	for name, changes := range r.History {
		for _, c := range changes {
			if err := set(name, c.Value); err != nil {
				return "", err
			}
			if err := t.record(ctx, o, o.lastID, name, row[name], moment(c.At), c.By); err != nil {
				return "", err
			}
		}
	}
	stages := r.History["dealstage"]
	if len(stages) == 0 {
		stages = []change{{row["dealstage"], r.Created, r.CreatedBy}}
	}
	t.derive(o, row, stages)
	return strconv.FormatInt(o.lastID, 10), t.insertRow(ctx, o, row)
}

func (t *tx) insertRow(ctx context.Context, o *object, row map[string]string) error {
	names := []string{idProperty}
	args := []any{o.lastID}
	for _, pr := range o.Properties {
		if v := row[pr.Name]; v != "" {
			names, args = append(names, pr.column()), append(args, v)
		}
	}
	if t.lag > 0 {
		names, args = append(names, "_indexed_at"), append(args, t.indexedAt())
	}
	statement := fmt.Sprintf("INSERT INTO %s (%s) VALUES (?%s)", o.Name, strings.Join(names, ", "), strings.Repeat(", ?", len(names)-1))
	if err := t.exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("insert %s: %w", o.Name, err)
	}
	return nil
}

// record adds an entry to a property's history.
func (t *tx) record(ctx context.Context, o *object, id int64, name, value, at string, by int64) error {
	return t.exec(ctx, "INSERT INTO history (object, id, property, value, at, user_id) VALUES (?, ?, ?, ?, ?, ?)", o.Name, id, name, value, at, by)
}

// indexedAt is when searches see the transaction's changes, in milliseconds.
func (t *tx) indexedAt() int64 {
	until := t.now.Add(t.lag)
	if until.After(t.portal.lagUntil) {
		t.portal.lagUntil = until
	}
	return until.UnixMilli()
}

// addGroup adds a group of properties.
func (t *tx) addGroup(o *object, g group) { o.Groups = append(o.Groups, &g) }

// addProperty adds a property to an object. One that was archived under that name comes back, with its age, its values and
// this definition.
func (t *tx) addProperty(ctx context.Context, o *object, pr property) error {
	pr.CreatedAt, pr.UpdatedAt = moment(t.now), moment(t.now)
	pr.Modification.Archivable = true
	if pr.Options == nil {
		pr.Options = []option{}
	}
	if old := o.anyProperty(pr.Name); old != nil {
		if !old.Archived {
			return fmt.Errorf("add property: %s has a property %q", o.Name, pr.Name)
		}
		pr.CreatedAt = old.CreatedAt
		*old = pr
		return nil
	}
	if err := t.addColumn(ctx, o, &pr); err != nil {
		return err
	}
	o.Properties = append(o.Properties, &pr)
	return nil
}

// addPipeline adds a pipeline of deals.
func (t *tx) addPipeline(id, name string) {
	t.portal.pipelines = append(t.portal.pipelines, &pipeline{ID: id, Label: name, DisplayOrder: len(t.portal.pipelines), CreatedAt: moment(t.now), UpdatedAt: moment(t.now), Stages: []stage{}})
}

// addStage adds a stage at the end of a pipeline. An id stands for one stage in the whole portal.
func (t *tx) addStage(ctx context.Context, pipelineID string, s newStage) error {
	i := slices.IndexFunc(t.portal.pipelines, func(p *pipeline) bool { return p.ID == pipelineID })
	if i < 0 {
		return fmt.Errorf("add stage: there is no pipeline %q", pipelineID)
	}
	if t.portal.stage(s.ID) != nil {
		return fmt.Errorf("add stage: there is a stage %q", s.ID)
	}
	if !propertyName.MatchString(enteredProperty(s.ID)) {
		return fmt.Errorf("add stage: id %q is not of lower-case letters, digits and underscores", s.ID)
	}
	p := t.portal.pipelines[i]
	p.Stages = append(p.Stages, stage{ID: s.ID, Label: s.Label, DisplayOrder: len(p.Stages), CreatedAt: moment(t.now), UpdatedAt: moment(t.now),
		Metadata: stageMetadata{IsClosed: strconv.FormatBool(s.Closed), Probability: probability(s.Probability)}})
	deals := t.portal.object("deals")
	entered := calculated(datetime(enteredProperty(s.ID), fmt.Sprintf("Date entered %q (%s)", s.Label, p.Label)))
	entered.HubSpotDefined, entered.GroupName = true, deals.Groups[0].Name
	if err := t.addColumn(ctx, deals, entered); err != nil {
		return err
	}
	deals.Properties = append(deals.Properties, entered)
	return nil
}
