package salesforce

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/salesforce/soql"
)

// savedJSON is a saved row in JSON.
type savedJSON struct {
	ID      string      `json:"id,omitempty"`
	Success bool        `json:"success"`
	Errors  []*rowError `json:"errors"`
}

func (s saved) json() savedJSON { return savedJSON{s.ID, s.Errors == nil, s.Errors} }

func (o *Org) recordRoutes(mux *http.ServeMux) {
	const object = "/services/data/{version}/sobjects/{object}"
	mux.Handle("POST "+object, o.authenticated(o.handleCreate))
	mux.Handle("GET "+object+"/updated", o.authenticated(o.handleUpdated))
	mux.Handle("GET "+object+"/{id}", o.authenticated(o.handleGet))
	mux.Handle("PATCH "+object+"/{id}", o.authenticated(o.handleUpdate))
	mux.Handle("DELETE "+object+"/{id}", o.authenticated(o.handleDelete))
	mux.Handle("GET "+object+"/{id}/{field}", o.authenticated(o.handleBlob))
}

func (o *Org) handleCreate(w http.ResponseWriter, r *http.Request, u user, _ string) {
	var values map[string]any
	if err := readJSON(r, &values); err != nil {
		writeError(w, err)
		return
	}
	results, err := o.createRecords(r.Context(), u, []row{{Object: r.PathValue("object"), Values: values}}, false)
	if err := single(results, err); err != nil {
		if err.Code == "INVALID_TYPE" {
			err = errNoResource
		}
		writeError(w, err)
		return
	}
	writeJSON(w, http.StatusCreated, results[0].json())
}

func (o *Org) handleUpdate(w http.ResponseWriter, r *http.Request, u user, _ string) {
	var values map[string]any
	if err := readJSON(r, &values); err != nil {
		writeError(w, err)
		return
	}
	results, err := o.updateRecords(r.Context(), u, []row{{Object: r.PathValue("object"), ID: r.PathValue("id"), Values: values}}, false)
	writeNoContent(w, single(results, err))
}

func (o *Org) handleDelete(w http.ResponseWriter, r *http.Request, u user, _ string) {
	results, err := o.deleteRecords(r.Context(), u, []row{{Object: r.PathValue("object"), ID: r.PathValue("id")}}, false)
	writeNoContent(w, single(results, err))
}

// single returns the error of a request that saved one row; nil: saved.
func single(results []saved, err error) *apiError {
	switch {
	case err != nil:
		return asAPIError(err)
	case results[0].Errors != nil:
		return results[0].Errors[0].request()
	}
	return nil
}

func writeNoContent(w http.ResponseWriter, err *apiError) {
	if err != nil {
		writeError(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// handleGet answers one record: the fields asked for, or all that the user sees.
func (o *Org) handleGet(w http.ResponseWriter, r *http.Request, u user, version string) {
	var fields []string
	if list := r.URL.Query().Get("fields"); list != "" {
		fields = strings.Split(list, ",")
	}
	found, err := o.retrieve(r, u, version, r.PathValue("object"), []string{r.PathValue("id")}, fields)
	switch {
	case err != nil:
		writeError(w, err)
	case len(found.Rows) == 0:
		writeError(w, errNoResource)
	default:
		writeJSON(w, http.StatusOK, oneRecord{found, 0})
	}
}

// retrieve reads the records of the given ids that are there, in order. No fields means all that the user sees.
func (o *Org) retrieve(r *http.Request, u user, version, object string, ids, fields []string) (*queryResult, *apiError) {
	var result *queryResult
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		if err != nil {
			return err
		}
		obj := view.object(object)
		if obj == nil {
			return errNoResource
		}
		q := &soql.Query{From: obj.Name, Limit: -1}
		for _, name := range fields {
			q.Select = append(q.Select, soql.Item{Operand: soql.Operand{Path: strings.Split(strings.TrimSpace(name), ".")}})
		}
		if fields == nil {
			for _, f := range obj.Fields {
				if view.sees(obj, f) {
					q.Select = append(q.Select, soql.Item{Operand: soql.Operand{Path: []string{f.Name}}})
				}
			}
		}
		compare := &soql.Compare{Left: soql.Operand{Path: []string{"Id"}}, Op: "IN"}
		for _, id := range ids {
			if full, ok := fullID(id); ok {
				compare.Values = append(compare.Values, soql.Value{Kind: soql.String, Text: full})
			}
		}
		q.Where = compare
		tr := &translator{org: o, view: view, now: o.now(), text: strings.Join(fields, ","), archived: true}
		result, err = (&reader{org: o, db: db, user: u, opt: queryOptions{Version: version, Bulk: true}}).records(r.Context(), tr, q, obj)
		return err
	})
	if err != nil {
		return nil, asAPIError(err)
	}
	return result, nil
}

// handleBlob answers the bytes of a base64 field.
func (o *Org) handleBlob(w http.ResponseWriter, r *http.Request, u user, _ string) {
	if r.Context().Value(partKey{}) != nil {
		writeError(w, badRequest("INVALID_BATCH_REQUEST", "Blob data can't be retrieved with a composite request"))
		return
	}
	var data [][]byte
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		if err != nil {
			return err
		}
		obj := view.object(r.PathValue("object"))
		if obj == nil {
			return errNoResource
		}
		f := view.field(obj, r.PathValue("field"))
		id, ok := fullID(r.PathValue("id"))
		if f == nil || f.Type != TypeBase64 || !ok {
			return errNoResource
		}
		return sqlx.SelectContext(r.Context(), db, &data, fmt.Sprintf("SELECT %s FROM %s WHERE Id = ? AND NOT IsDeleted", f.Name, obj.Name), id)
	})
	if err == nil && len(data) == 0 {
		err = errNoResource
	}
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	w.Header().Set("Content-Type", "application/octetstream")
	_, _ = w.Write(data[0]) // fails only when the client hangs up
}

const updatedReach = 30 * 24 * time.Hour

// handleUpdated answers which records changed in a time, and up to when that is certain: not beyond the beginning of the
// running second, nor of the oldest write that is stamped and not yet committed.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm
func (o *Org) handleUpdated(w http.ResponseWriter, r *http.Request, u user, _ string) {
	now := o.now().UTC().Truncate(time.Second)
	start, err1 := parseMoment(r.URL.Query(), "start")
	end, err2 := parseMoment(r.URL.Query(), "end")
	switch {
	case err1 != nil || err2 != nil:
		writeError(w, badRequest("INVALID_REPLICATION_DATE", errors.Join(err1, err2).Error()))
		return
	case end.Sub(start) < time.Minute:
		writeError(w, badRequest("INVALID_REPLICATION_DATE", "startDate has to be at least one minute before endDate"))
		return
	case start.Before(now.Add(-updatedReach)):
		writeError(w, badRequest("INVALID_REPLICATION_DATE", "startDate cannot be more than 30 days ago"))
		return
	}
	if end.After(now) {
		end = now
	}
	ids := []string{}
	covered := end
	err := o.read(r.Context(), func(db sqlx.QueryerContext) error {
		view, err := o.view(r.Context(), db, u)
		if err != nil {
			return err
		}
		obj := view.object(r.PathValue("object"))
		switch {
		case obj == nil:
			return errNoResource
		case obj.Field("SystemModstamp") == nil:
			return badRequest("INVALID_TYPE_FOR_OPERATION", "object type "+obj.Name+" is not replicable")
		}
		covered = o.late.before(end).UTC().Truncate(time.Second)
		return sqlx.SelectContext(r.Context(), db, &ids,
			fmt.Sprintf("SELECT Id FROM %s WHERE SystemModstamp >= ? AND SystemModstamp < ? AND NOT IsDeleted ORDER BY SystemModstamp, Id", obj.Name),
			start.Format(storedTime), covered.Format(storedTime))
	})
	if err != nil {
		writeError(w, asAPIError(err))
		return
	}
	writeJSON(w, http.StatusOK, map[string]any{"ids": ids, "latestDateCovered": covered.Format(storedTime) + ".000+0000"})
}

// parseMoment reads a moment of /updated, which knows no seconds.
func parseMoment(query url.Values, name string) (time.Time, error) {
	text := strings.ReplaceAll(query.Get(name), " ", "+") // a "+" that the client did not encode
	t, err := soql.Value{Text: text}.Time()
	if err != nil {
		return t, fmt.Errorf("%s: %w", name, err)
	}
	return t.Truncate(time.Minute), nil
}

// sortByID returns the rows of result in the order of ids; nil stands for an id that is not among them.
func sortByID(result *queryResult, ids []string) []*oneRecord {
	records := make([]*oneRecord, len(ids))
	for i, id := range ids {
		full, _ := fullID(id)
		j := slices.IndexFunc(result.Rows, func(row resultRow) bool { return row.Values[result.shape.id] == full })
		if j >= 0 {
			records[i] = &oneRecord{result, j}
		}
	}
	return records
}
