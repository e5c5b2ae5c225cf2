package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// How many records a batch may have.
const (
	maxBatch        = 100
	maxBatchHistory = 50
)

func (p *Portal) batchRoutes(mux *http.ServeMux, v version) {
	batch := "POST " + v.path("objects") + "/{object}/batch/"
	p.handle(mux, v, batch+"read", p.readBatch)
	p.handle(mux, v, batch+"create", p.createBatch)
	p.handle(mux, v, batch+"update", p.updateBatch)
	p.handle(mux, v, batch+"archive", p.archiveBatch)
}

// batchAnswer is what came of a batch.
type batchAnswer[T any] struct {
	Status      string      `json:"status"`
	Results     []T         `json:"results"`
	NumErrors   int         `json:"numErrors,omitzero"`
	Errors      []partError `json:"errors,omitempty"`
	StartedAt   string      `json:"startedAt"`
	CompletedAt string      `json:"completedAt"`
}

// finished returns the answer to a batch that began at start, with the status that it comes in: 207 where a part failed.
func finished[T any](p *Portal, start time.Time, results []T, errs ...partError) (int, any, error) {
	status := http.StatusOK
	if len(errs) > 0 {
		status = http.StatusMultiStatus
	}
	if results == nil {
		results = []T{}
	}
	return status, batchAnswer[T]{"COMPLETE", results, len(errs), errs, moment(start), moment(p.now())}, nil
}

func tooBig(size, most int) error {
	if size > most {
		return invalid("The maximum number of inputs supported in a batch request for this endpoint is %d, %d were sent", most, size)
	}
	return nil
}

type recordID struct {
	ID string `json:"id"`
}

func idsOf(inputs []recordID) []string {
	ids := make([]string, len(inputs))
	for i, in := range inputs {
		ids[i] = in.ID
	}
	return ids
}

// unknown returns an error that lists the ids which are not in found; none when all are.
func unknown(o *object, ids []string, found func(id string) bool) []partError {
	missing := slices.DeleteFunc(slices.Clone(ids), found)
	if len(missing) == 0 {
		return nil
	}
	return []partError{{Status: "error", Category: "OBJECT_NOT_FOUND", Context: map[string][]string{"ids": missing},
		Message: fmt.Sprintf("Could not get some %s objects, they may be deleted or not exist. Check that ids are valid.", upper(o.Singular))}}
}

func upper(singular string) string { return strings.ToUpper(singular) }

func (p *Portal) readBatch(r *request) (int, any, error) {
	start := p.now()
	o, err := p.objectOf(r, "object", "read")
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs     []recordID `json:"inputs"`
		Properties []string   `json:"properties"`
		History    []string   `json:"propertiesWithHistory"`
		IDProperty string     `json:"idProperty"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	most := maxBatch
	if len(body.History) > 0 {
		most = maxBatchHistory
	}
	if err := tooBig(len(body.Inputs), most); err != nil {
		return 0, nil, err
	}
	if body.IDProperty != "" {
		return 0, nil, invalid("idProperty %s is not a unique property of %s", body.IDProperty, o.Name)
	}
	ids := idsOf(body.Inputs)
	found, err := p.records(r.Context(), o, ids, r.archived(), wanted{body.Properties, body.History})
	if err != nil {
		return 0, nil, err
	}
	heirs, err := p.heirs(r.Context(), o, ids)
	if err != nil {
		return 0, nil, err
	}
	return finished(p, start, found, unknown(o, ids, func(id string) bool { // of one that was merged, not a word
		return heirs[id] != "" || slices.ContainsFunc(found, func(a answer) bool { return a.ID == id })
	})...)
}

func (p *Portal) createBatch(r *request) (int, any, error) {
	start := p.now()
	o, err := p.objectOf(r, "object", "write")
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs []creation `json:"inputs"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	if err := tooBig(len(body.Inputs), maxBatch); err != nil {
		return 0, nil, err
	}
	made, err := p.createAll(r.Context(), o, body.Inputs)
	if err != nil {
		return 0, nil, err
	}
	_, answer, err := finished(p, start, made)
	return http.StatusCreated, answer, err
}

func (p *Portal) updateBatch(r *request) (int, any, error) {
	start := p.now()
	o, err := p.objectOf(r, "object", "write")
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs []struct {
			ID         string     `json:"id"`
			Properties properties `json:"properties"`
		} `json:"inputs"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	if err := tooBig(len(body.Inputs), maxBatch); err != nil {
		return 0, nil, err
	}
	var ids, twice, names []string
	var values []properties
	for _, in := range body.Inputs {
		if slices.Contains(ids, in.ID) {
			twice = append(twice, in.ID)
		}
		ids, values, names = append(ids, in.ID), append(values, in.Properties), append(names, sortedKeys(in.Properties)...)
	}
	if len(twice) > 0 {
		return 0, nil, invalid("Duplicate IDs found in batch input: [%s]. IDs must be unique", strings.Join(twice, ", "))
	}
	var found map[string]int64
	err = p.write(r.Context(), func(ctx context.Context, t *tx) error {
		checked, err := p.check(o, values...)
		if err != nil {
			return err
		}
		if err := ruledOut(ctx, ids...); err != nil {
			return err
		}
		if found, err = t.live(ctx, o, ids); err != nil {
			return err
		}
		for i, id := range ids {
			if n, ok := found[id]; ok {
				if err := t.update(ctx, o, n, checked[i], integration); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	exists := func(id string) bool { _, ok := found[id]; return ok }
	slices.Sort(names)
	updated, err := p.records(r.Context(), o, slices.DeleteFunc(slices.Clone(ids), func(id string) bool { return !exists(id) }), false,
		wanted{Properties: slices.Compact(names)})
	if err != nil {
		return 0, nil, err
	}
	return finished(p, start, updated, unknown(o, ids, exists)...)
}

func (p *Portal) archiveBatch(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "write")
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs []recordID `json:"inputs"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	if err := tooBig(len(body.Inputs), maxBatch); err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, p.archiveAll(r.Context(), o, idsOf(body.Inputs))
}
