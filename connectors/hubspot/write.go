package hubspot

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"handoff/connectors"
	"handoff/crm"
)

// ReadValues implements connectors.Writer.
func (c *Client) ReadValues(ctx context.Context, object crm.Object, ids []string) (map[string]crm.Values, error) {
	s, err := c.described(ctx)
	if err != nil {
		return nil, err
	}
	columns := []string{recordID}
	for _, f := range s.own[object] {
		columns = append(columns, f.property)
	}
	if object == crm.DealObject {
		columns = append(columns, filtered...)
	}
	found, err := c.batch(ctx, "read our properties", objectTypes[object], ids, columns, nil)
	if err == nil && s.outdated(objectTypes[object], columns, found) {
		s, err = c.describeAnew(ctx)
	}
	if err != nil {
		return nil, err
	}
	all := make(map[string]crm.Values, len(found))
	for id, o := range found {
		if object != crm.DealObject || s.passes(o) {
			all[id] = values(s.own[object], o)
		}
	}
	return all, nil
}

const opWrite = "write our properties"

// unfit is what to do about a value that the property cannot hold.
const unfit = "Run `handoff setup`, which says what is wrong with the property"

// change is an update as a batch holds it.
type change struct {
	ID         string            `json:"id"`
	Properties map[string]string `json:"properties"`

	at int // in the updates
}

// Write implements connectors.Writer. HubSpot refuses a batch whole for one bad value: what can be checked is checked
// before, and a batch that is refused all the same is cut in halves until the bad row is alone.
func (c *Client) Write(ctx context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	s, err := c.described(ctx)
	if err != nil {
		return nil, err
	}
	w := &writing{Client: c, updates: updates, outcomes: make([]connectors.Outcome, len(updates)), certain: make([]bool, len(updates))}
	for i, u := range updates {
		w.outcomes[i].Ref = u.Ref
	}
	err = w.all(ctx, s)
	if errors.Is(err, errOutdated) {
		if s, err = c.describeAnew(ctx); err == nil {
			err = w.all(ctx, s)
		}
	}
	if err != nil {
		return connectors.Certain(w.outcomes, w.certain), err
	}
	return w.outcomes, nil
}

// all sends the updates that have no outcome yet, as the schema says.
func (w *writing) all(ctx context.Context, s *schema) error {
	w.fresh = s.fresh
	open := map[crm.Object][]change{}
	for i, u := range w.updates {
		if w.certain[i] {
			continue
		}
		properties, refused := w.wireProperties(s, u)
		if refused != nil {
			w.settle(i, refused)
			continue
		}
		open[u.Object] = append(open[u.Object], change{u.ID, properties, i})
	}
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, batch := range batches(open[object]) {
			if err := w.write(ctx, objectTypes[object], batch); err != nil {
				return err
			}
		}
	}
	return nil
}

// batches cuts changes, in order, into batches in which no id comes twice: HubSpot refuses such a batch.
func batches(changes []change) [][]change {
	var all [][]change
	seen := map[string]bool{}
	for _, ch := range changes {
		if len(all) == 0 || len(all[len(all)-1]) == maxRecords || seen[ch.ID] {
			all = append(all, nil)
			clear(seen)
		}
		seen[ch.ID] = true
		all[len(all)-1] = append(all[len(all)-1], ch)
	}
	return all
}

// wireProperties are the new values of an update as HubSpot takes them.
func (c *Client) wireProperties(s *schema, u crm.Update) (map[string]string, *connectors.Error) {
	if u.Object == crm.AccountObject && s.hidden != nil {
		return nil, s.hidden
	}
	properties := map[string]string{}
	for _, name := range sortedKeys(u.Values) {
		i := slices.IndexFunc(c.specs[u.Object], func(f ownField) bool { return f.Name == name })
		if i < 0 {
			return nil, &connectors.Error{Op: opWrite, CRM: crmName, Class: connectors.ErrConfig, Message: fmt.Sprintf("%q is no field of ours on this object", name)}
		}
		f := c.specs[u.Object][i]
		if found, bad := s.flaws[u.Object][name]; bad {
			return nil, &connectors.Error{Op: opWrite, CRM: crmName, Class: connectors.ErrConfig, Fields: []string{f.property}, Setting: "handoff_fields." + name,
				Message: f.property + ": " + found.text, Remedy: found.remedy}
		}
		value, err := toCRM(f.FieldSpec, s.properties[objectTypes[u.Object]][f.property], u.Values[name])
		if err != nil {
			return nil, &connectors.Error{Op: opWrite, CRM: crmName, Class: connectors.ErrPark, Fields: []string{f.property}, Err: err, Remedy: unfit}
		}
		properties[f.property] = value
	}
	return properties, nil
}

// setting is the key of the configuration that names a property of ours; "": it is none.
func (c *Client) setting(object, property string) string {
	for _, fields := range c.specs {
		for _, f := range fields {
			if objectTypes[f.Object] == object && f.property == property {
				return "handoff_fields." + f.Name
			}
		}
	}
	return ""
}

// writing is one Write under way.
type writing struct {
	*Client
	updates  []crm.Update
	outcomes []connectors.Outcome
	certain  []bool
	fresh    bool // the schema is
}

// errOutdated: HubSpot refuses a value that fits the schema, so that the schema does not hold any more.
var errOutdated = errors.New("the schema is outdated")

func (w *writing) settle(i int, err *connectors.Error) {
	w.outcomes[i].Err, w.certain[i] = err, true
}

// write sends one batch and settles its rows.
// https://developers.hubspot.com/docs/api-reference/error-handling#multi-status-errors
func (w *writing) write(ctx context.Context, object string, batch []change) error {
	p, err := fetch[struct {
		ID text `json:"id"`
	}](ctx, w.Client, call{op: opWrite, method: http.MethodPost, path: w.api("objects", object+"/batch/update"), body: map[string]any{"inputs": batch}})
	refused := (*connectors.Error)(nil)
	switch {
	case errors.As(err, &refused) && len(refused.Fields) > 0 && !w.fresh:
		return errOutdated
	case errors.As(err, &refused) && ofOneRow(refused) && len(batch) == 1:
		if errors.Is(refused, connectors.ErrConfig) && len(refused.Fields) > 0 {
			refused.Setting = w.setting(object, refused.Fields[0])
		}
		w.settle(batch[0].at, refused)
		return nil
	case errors.As(err, &refused) && ofOneRow(refused):
		half := len(batch) / 2
		if err := w.write(ctx, object, batch[:half]); err != nil {
			return err
		}
		return w.write(ctx, object, batch[half:])
	case err != nil:
		return err
	}
	became := map[string]*connectors.Error{}
	for _, e := range p.Errors {
		for _, id := range e.about("ids") {
			became[id] = e.at(opWrite, 0)
		}
	}
	for _, o := range p.Results {
		became[string(o.ID)] = nil
	}
	for _, ch := range batch {
		refused, told := became[ch.ID]
		if !told { // such as a deal that was merged into another
			refused = &connectors.Error{Op: opWrite, CRM: crmName, Class: connectors.ErrPark, Message: "HubSpot does not say what became of the row",
				Remedy: "Look whether the record was merged into another one, or deleted"}
		}
		w.settle(ch.at, refused)
	}
	return nil
}

// ofOneRow reports whether a batch may have been refused whole for one row of it: a value (400), or another change of the same
// record at the same time (409).
func ofOneRow(refused *connectors.Error) bool {
	return refused.Status == http.StatusBadRequest || errors.Is(refused, connectors.ErrPark)
}
