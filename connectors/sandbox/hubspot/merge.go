package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// mergedIDs is the property that lists the records that a record was merged of.
const mergedIDs = "hs_merged_object_ids"

func (p *Portal) mergeRoutes(mux *http.ServeMux, v version) {
	p.handle(mux, v, "POST "+v.path("objects")+"/{object}/merge", p.merge)
}

// merge makes a new record of two, with the associations and the history of both. The two are gone: no list, batch or search
// has them, not even among the archived ones, and whoever asks for one of them alone gets the new one.
// https://developers.hubspot.com/changelog/announcement-deals-now-support-merging
func (p *Portal) merge(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "write")
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Primary string `json:"primaryObjectId"`
		Other   string `json:"objectIdToMerge"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	if o.property(mergedIDs) == nil {
		return 0, nil, invalid("%s cannot be merged", o.Name)
	}
	if body.Primary == body.Other {
		return 0, nil, invalid("Cannot merge %s %s with itself", o.Singular, body.Primary)
	}
	var id string
	err = p.write(r.Context(), func(ctx context.Context, t *tx) error {
		found, err := t.live(ctx, o, []string{body.Primary, body.Other})
		if err != nil {
			return err
		}
		for _, wanted := range []string{body.Primary, body.Other} {
			if _, exists := found[wanted]; !exists {
				return noRecord(wanted)
			}
		}
		id, err = t.merge(ctx, o, found[body.Primary], found[body.Other])
		return err
	})
	if err != nil {
		return 0, nil, err
	}
	made, err := p.records(r.Context(), o, []string{id}, false, wanted{})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, made[0], nil
}

// merge makes a record of two that exist, and returns its id. It has the values of the first, and where that has none, those of
// the other.
func (t *tx) merge(ctx context.Context, o *object, first, other int64) (string, error) {
	var columns []string
	for _, pr := range o.Properties {
		if pr.Name != idProperty {
			columns = append(columns, pr.Name)
		}
	}
	records, err := o.fetch(ctx, t, selection{Columns: columns, Where: idProperty + " IN (?, ?)", Args: []any{first, other}})
	if err != nil {
		return "", err
	}
	if records[0].ID != first {
		slices.Reverse(records)
	}
	row := records[0].Values
	var merged []string
	for _, rec := range records {
		for name, value := range rec.Values {
			if row[name] == "" {
				row[name] = value
			}
		}
		merged = append(merged, strings.FieldsFunc(rec.Values[mergedIDs], func(c rune) bool { return c == ';' })...)
		merged = append(merged, strconv.FormatInt(rec.ID, 10))
	}
	row[mergedIDs], row[o.Modified], row[updatedBy] = strings.Join(merged, ";"), moment(t.now), ""
	o.lastID++
	if err := t.insertRow(ctx, o, row); err != nil {
		return "", err
	}
	for _, statement := range []string{
		"INSERT INTO history SELECT object, ?1, property, value, at, user_id FROM history WHERE object = ?2 AND id IN (?3, ?4)",
		`INSERT OR IGNORE INTO association SELECT from_object, ?1, to_object, to_id, category, type_id FROM association
			WHERE from_object = ?2 AND from_id IN (?3, ?4)`,
		`INSERT OR IGNORE INTO association SELECT from_object, from_id, to_object, ?1, category, type_id FROM association
			WHERE to_object = ?2 AND to_id IN (?3, ?4)`,
		"INSERT INTO merged SELECT ?2, value, ?1 FROM json_each(json_array(?3, ?4))",
	} {
		if err := t.exec(ctx, statement, o.lastID, o.Name, first, other); err != nil {
			return "", fmt.Errorf("merge %s: %w", o.Name, err)
		}
	}
	if err := t.settleHistory(ctx, o, o.lastID, row); err != nil {
		return "", err
	}
	for _, id := range []int64{first, other} {
		if err := t.archive(ctx, o, id); err != nil { // searches forget it as they forget an archived one
			return "", err
		}
		if err := t.exec(ctx, fmt.Sprintf("DELETE FROM %s WHERE %s = ?", o.Name, idProperty), id); err != nil {
			return "", fmt.Errorf("merge %s: %w", o.Name, err)
		}
	}
	return strconv.FormatInt(o.lastID, 10), nil
}

// settleHistory makes the values of a merged record the last ones of its history.
func (t *tx) settleHistory(ctx context.Context, o *object, id int64, row map[string]string) error {
	rows, err := t.QueryContext(ctx, "SELECT DISTINCT property FROM history WHERE object = ? AND id = ?", o.Name, id)
	if err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return fmt.Errorf("read history: %w", err)
		}
		names = append(names, name)
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read history: %w", err)
	}
	for _, name := range names {
		if err := t.record(ctx, o, id, name, row[name], moment(t.now), integration); err != nil {
			return fmt.Errorf("record change: %w", err)
		}
	}
	return nil
}

// heirs returns what became of those of the records that were merged, by the ids of these. Of one that was merged again, it is
// the last.
func (p *Portal) heirs(ctx context.Context, o *object, ids []string) (map[string]string, error) {
	heirs := map[string]string{}
	err := p.read(func() error {
		rows, err := p.db.QueryContext(ctx, "SELECT id, heir FROM merged WHERE object = ?", o.Name)
		if err != nil {
			return fmt.Errorf("read merges: %w", err)
		}
		defer rows.Close()
		became := map[string]string{}
		for rows.Next() {
			var id, heir int64
			if err := rows.Scan(&id, &heir); err != nil {
				return fmt.Errorf("read merges: %w", err)
			}
			became[strconv.FormatInt(id, 10)] = strconv.FormatInt(heir, 10)
		}
		for _, id := range ids {
			for next, merged := became[id]; merged; next, merged = became[next] {
				heirs[id] = next
			}
		}
		return rows.Err()
	})
	return heirs, err
}
