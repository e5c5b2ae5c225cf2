package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"handoff/connectors/sandbox/control"
)

// properties are the values that a client sends. Numbers and booleans are taken as the text that they are written in,
// and null as "".
type properties map[string]string

// UnmarshalJSON implements json.Unmarshaler.
func (p *properties) UnmarshalJSON(b []byte) error {
	var raw map[string]jsontext.Value
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	*p = make(properties, len(raw))
	for name, v := range raw {
		switch v.Kind() {
		case '"':
			var text string
			if err := json.Unmarshal(v, &text); err != nil {
				return err
			}
			(*p)[name] = text
		case 'n':
			(*p)[name] = ""
		case '0', 't', 'f':
			(*p)[name] = string(v)
		default:
			return fmt.Errorf("cannot deserialize property %s from an array or object", name)
		}
	}
	return nil
}

// check returns the stored form of the values that clients send for records, or a 400 that lists every bad one: then
// nothing of a batch is written. The caller holds p's lock.
func (p *Portal) check(o *object, batch ...properties) ([]properties, error) {
	var bad []*valueError
	checked := make([]properties, len(batch))
	for i, values := range batch {
		checked[i] = make(properties, len(values))
		for _, name := range sortedKeys(values) {
			stored, err := p.checkValue(o, name, values[name])
			if err != nil {
				bad = append(bad, err)
			}
			checked[i][name] = stored
		}
	}
	if len(bad) == 0 {
		return checked, nil
	}
	return nil, badValues(bad)
}

func badValues(bad []*valueError) error {
	list, err := json.Marshal(bad)
	if err != nil {
		return fmt.Errorf("list bad values: %w", err)
	}
	refusal := invalid("Property values were not valid: %s", list)
	for _, b := range bad {
		refusal.Errors = append(refusal.Errors, errorDetail{Message: b.Message, Code: b.Code, Context: map[string][]string{"propertyName": {b.Name}}})
	}
	return refusal
}

// ruledOut returns the 400 with which a rule of the portal meets a request that changes one of these records; nil: none does.
// https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement
func ruledOut(ctx context.Context, ids ...string) error {
	for _, id := range ids {
		r, ok := control.Refused(ctx, id)
		switch {
		case !ok:
			continue
		case len(r.Fields) == 0:
			return refuse(http.StatusBadRequest, r.Code, r.Message)
		}
		var bad []*valueError
		for _, name := range r.Fields {
			bad = append(bad, &valueError{Code: r.Code, Name: name, Message: r.Message})
		}
		return badValues(bad)
	}
	return nil
}

func (p *Portal) checkValue(o *object, name, value string) (string, *valueError) {
	pr := o.property(name)
	switch {
	case pr == nil:
		return "", &valueError{Code: "PROPERTY_DOESNT_EXIST", Name: name, Message: fmt.Sprintf("Property %q does not exist", name)}
	case pr.Modification.ReadOnlyValue:
		return "", &valueError{Code: "READ_ONLY_VALUE", Name: name, Message: fmt.Sprintf("%q is a read only property; its value cannot be set.", name)}
	}
	return p.parse(pr, value)
}

func sortedKeys(m properties) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// update sets checked values of a record that exists. Equal values move the record's modified date and leave no history.
func (t *tx) update(ctx context.Context, o *object, id int64, values properties, by int64) error {
	names := sortedKeys(values)
	columns := append([]string{o.Created, createdBy}, names...)
	slices.Sort(columns)
	found, err := o.fetch(ctx, t, selection{Columns: slices.Compact(columns), Where: idProperty + " = ?", Args: []any{id}})
	if err != nil {
		return err
	}
	if len(found) != 1 {
		return fmt.Errorf("update %s %d: found %d records", o.Name, id, len(found))
	}
	old := found[0].Values
	creator, _ := strconv.ParseInt(old[createdBy], 10, 64) // absent: the integration

	row := map[string]string{o.Modified: moment(t.now), updatedBy: ""}
	if by != integration {
		row[updatedBy] = strconv.FormatInt(by, 10)
	}
	for _, name := range names {
		row[name] = values[name]
		if values[name] == old[name] {
			continue
		}
		if err := t.recordFirst(ctx, o, id, name, old[name], old[o.Created], creator); err != nil {
			return err
		}
		if err := t.record(ctx, o, id, name, values[name], moment(t.now), by); err != nil {
			return fmt.Errorf("record change: %w", err)
		}
	}
	if stage := values["dealstage"]; stage != "" && stage != old["dealstage"] {
		t.derive(o, row, []change{{stage, t.now, by}})
	}
	return t.set(ctx, o, id, row)
}

// recordFirst records the value that a property had before its first change. Until then it has no history of its own.
func (t *tx) recordFirst(ctx context.Context, o *object, id int64, name, value, at string, by int64) error {
	if value == "" {
		return nil
	}
	err := t.exec(ctx, `INSERT INTO history (object, id, property, value, at, user_id) SELECT ?1, ?2, ?3, ?4, ?5, ?6
		WHERE NOT EXISTS (SELECT 1 FROM history WHERE object = ?1 AND id = ?2 AND property = ?3)`, o.Name, id, name, value, at, by)
	if err != nil {
		return fmt.Errorf("record first value: %w", err)
	}
	return nil
}

// set changes columns of a record.
func (t *tx) set(ctx context.Context, o *object, id int64, row map[string]string) error {
	if err := t.keepIndexed(ctx, o, id); err != nil {
		return err
	}
	var assignments []string
	var args []any
	for _, name := range sortedKeys(row) {
		assignments = append(assignments, quoted(name)+" = NULLIF(?, '')")
		args = append(args, row[name])
	}
	statement := fmt.Sprintf("UPDATE %s SET %s WHERE %s = ?", o.Name, strings.Join(assignments, ", "), idProperty)
	if err := t.exec(ctx, statement, append(args, id)...); err != nil {
		return fmt.Errorf("update %s: %w", o.Name, err)
	}
	return nil
}

// keepIndexed lets searches see a record as it is now until the transaction's lag is over.
func (t *tx) keepIndexed(ctx context.Context, o *object, id int64) error {
	if t.lag == 0 {
		return nil
	}
	now, until := t.now.UnixMilli(), t.indexedAt()
	for _, s := range []struct {
		statement string
		args      []any
	}{
		{"DELETE FROM %[2]s WHERE _indexed_at <= ?", []any{now}},
		// A record that searches do not see yet has nothing to show.
		{"INSERT OR IGNORE INTO %[2]s SELECT * FROM %[1]s WHERE hs_object_id = ? AND _indexed_at <= ?", []any{id, now}},
		{"UPDATE %[2]s SET _indexed_at = ? WHERE hs_object_id = ?", []any{until, id}},
		{"UPDATE %[1]s SET _indexed_at = ? WHERE hs_object_id = ?", []any{until, id}},
	} {
		if err := t.exec(ctx, fmt.Sprintf(s.statement, o.Name, o.indexed()), s.args...); err != nil {
			return fmt.Errorf("keep index of %s: %w", o.Name, err)
		}
	}
	return nil
}

// archive removes a record that exists, and its associations. Its modified date stays.
func (t *tx) archive(ctx context.Context, o *object, id int64) error {
	if err := t.keepIndexed(ctx, o, id); err != nil {
		return err
	}
	if err := t.exec(ctx, fmt.Sprintf("UPDATE %s SET _archived_at = ? WHERE hs_object_id = ?", o.Name), moment(t.now), id); err != nil {
		return fmt.Errorf("archive %s: %w", o.Name, err)
	}
	for _, side := range []string{"from", "to"} {
		if err := t.exec(ctx, fmt.Sprintf("DELETE FROM association WHERE %[1]s_object = ? AND %[1]s_id = ?", side), o.Name, id); err != nil {
			return fmt.Errorf("archive %s: %w", o.Name, err)
		}
	}
	return nil
}

// live returns the ids of those of the records that exist and are not archived.
func (t *tx) live(ctx context.Context, o *object, ids []string) (map[string]int64, error) {
	s, err := byIDs(ids, false)
	if err != nil {
		return nil, err
	}
	records, err := o.fetch(ctx, t, s)
	found := make(map[string]int64, len(records))
	for _, rec := range records {
		found[strconv.FormatInt(rec.ID, 10)] = rec.ID
	}
	return found, err
}

// updateOne checks and sets values of one record. A record that does not exist is a 404.
func (p *Portal) updateOne(ctx context.Context, o *object, id string, values properties, by int64) error {
	return p.write(ctx, func(ctx context.Context, t *tx) error {
		found, err := t.live(ctx, o, []string{id})
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return noRecord(id)
		}
		checked, err := p.check(o, values)
		if err != nil {
			return err
		}
		if err := ruledOut(ctx, id); err != nil {
			return err
		}
		return t.update(ctx, o, found[id], checked[0], by)
	})
}
