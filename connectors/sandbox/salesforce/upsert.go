package salesforce

import (
	"context"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
)

// upsertRecords updates the rows that exist by the value of a key field, and creates the others. One bad row never fails
// the others. The error is an internal one.
func (o *Org) upsertRecords(ctx context.Context, u user, key string, rows []row) ([]saved, error) {
	outcomes := make([]saved, len(rows))
	existing, err := o.idsByKey(ctx, rows, key)
	if err != nil {
		return nil, err
	}
	var create, update pick
	seen := map[string]bool{}
	for i, r := range rows {
		value := keyOf(r, key)
		ids := existing[value]
		switch {
		case value == "" && key != "Id":
			outcomes[i].Errors = []*rowError{refuse("MISSING_ARGUMENT", key+" not specified")}
		case value != "" && seen[value]:
			outcomes[i].Errors = []*rowError{refuse("DUPLICATE_VALUE", "Duplicate external id specified: "+value, key)}
		case key != "Id" && r.ID != "":
			outcomes[i].Errors = []*rowError{refuse("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an upsert by "+key, "Id")}
		case len(ids) > 1:
			outcomes[i].Errors = []*rowError{refuse("DUPLICATE_EXTERNAL_ID", "More than one record found for external id field: ["+strings.Join(ids, ", ")+"]", key)}
		case key == "Id" && r.ID != "":
			update.add(i, r)
		case len(ids) == 1:
			r.ID = ids[0]
			update.add(i, r)
		default:
			create.add(i, r)
		}
		seen[value] = true
	}
	if err := create.save(ctx, u, o.createRecords, outcomes); err != nil {
		return nil, err
	}
	if err := update.save(ctx, u, o.updateRecords, outcomes); err != nil {
		return nil, err
	}
	return outcomes, nil
}

// pick is some of the rows of a request, each with its place in it.
type pick struct {
	places []int
	rows   []row
}

func (p *pick) add(place int, r row) {
	p.places = append(p.places, place)
	p.rows = append(p.rows, r)
}

func (p *pick) save(ctx context.Context, u user, save func(context.Context, user, []row, bool) ([]saved, error), outcomes []saved) error {
	if len(p.rows) == 0 {
		return nil
	}
	out, err := save(ctx, u, p.rows, false)
	if err != nil {
		return err
	}
	for i, place := range p.places {
		outcomes[place] = out[i]
	}
	return nil
}

// keyOf returns the value of a row's key field, in lower case: external ids match in any case of letters.
func keyOf(r row, key string) string {
	if key == "Id" {
		return r.ID
	}
	for name, v := range r.Values {
		if s, ok := v.(string); ok && strings.EqualFold(name, key) {
			return strings.ToLower(s)
		}
	}
	return ""
}

// idsByKey returns the ids of the records with the rows' values of a key field, by value in lower case.
func (o *Org) idsByKey(ctx context.Context, rows []row, key string) (map[string][]string, error) {
	ids := map[string][]string{}
	if key == "Id" {
		return ids, nil
	}
	values := make([]string, len(rows))
	for i, r := range rows {
		values[i] = keyOf(r, key)
	}
	err := o.read(ctx, func(db sqlx.QueryerContext) error {
		statement, args, err := sqlx.In(fmt.Sprintf("SELECT Id AS id, %s AS key FROM %s WHERE NOT IsDeleted AND %[1]s IN (?)", key, rows[0].Object), values)
		if err != nil {
			return err
		}
		var found []struct{ ID, Key string }
		if err := sqlx.SelectContext(ctx, db, &found, statement, args...); err != nil {
			return fmt.Errorf("upsert %s by %s: %w", rows[0].Object, key, err)
		}
		for _, f := range found {
			ids[strings.ToLower(f.Key)] = append(ids[strings.ToLower(f.Key)], f.ID)
		}
		return nil
	})
	return ids, err
}
