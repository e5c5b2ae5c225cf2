package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// recordRoutes adds the routes of single records.
// https://developers.hubspot.com/docs/api-reference/crm-deals-v3/guide
func (p *Portal) recordRoutes(mux *http.ServeMux, v version) {
	records := v.path("objects") + "/{object}"
	p.handle(mux, v, "GET "+records, p.listRecords)
	p.handle(mux, v, "POST "+records, p.createRecord)
	p.handle(mux, v, "GET "+records+"/{id}", p.getRecord)
	p.handle(mux, v, "PATCH "+records+"/{id}", p.updateRecord)
	p.handle(mux, v, "DELETE "+records+"/{id}", p.archiveRecord)
}

func noRecord(id string) *apiError {
	return notFound("Object not found.  objectId are usually numeric. (%s)", id)
}

// limit returns the page size that the client asks for.
func (r *request) limit(byDefault, most int) (int, error) {
	s := r.URL.Query().Get("limit")
	if s == "" {
		return byDefault, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > most {
		return 0, invalid("Invalid limit %q: it must be a number from 1 to %d", s, most)
	}
	return n, nil
}

// link returns the address of the next page.
func (r *request) link(after string) string {
	q := r.URL.Query()
	q.Set("after", after)
	u := url.URL{Scheme: "http", Host: r.Host, Path: r.URL.Path, RawQuery: q.Encode()}
	return u.String()
}

// wanted returns what the query asks for of each record.
func (r *request) wanted() wanted {
	return wanted{Properties: r.names("properties"), History: r.names("propertiesWithHistory")}
}

// withoutAssociations refuses to answer a list with associations, as the sandbox has them for single records and in batches only.
func (r *request) withoutAssociations() error {
	if len(r.names("associations")) > 0 {
		return invalid("The sandbox does not answer with associations here. Read them in batches")
	}
	return nil
}

func (r *request) archived() bool { return r.URL.Query().Get("archived") == "true" }

type listing struct {
	Results []answer `json:"results"`
	Paging  *page    `json:"paging,omitzero"`
}

func (p *Portal) listRecords(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "read")
	if err != nil {
		return 0, nil, err
	}
	if err := r.withoutAssociations(); err != nil {
		return 0, nil, err
	}
	most := maxBatch
	if len(r.names("propertiesWithHistory")) > 0 {
		most = maxBatchHistory
	}
	limit, err := r.limit(10, most)
	if err != nil {
		return 0, nil, err
	}
	var after int64
	if s := r.URL.Query().Get("after"); s != "" {
		if after, err = strconv.ParseInt(s, 10, 64); err != nil {
			return 0, nil, invalid("Invalid paging cursor %q", s)
		}
	}
	var list listing
	err = p.read(func() (err error) {
		list.Results, err = o.answers(r.Context(), p.db, selection{
			Where: idProperty + " > ? AND (_archived_at IS NOT NULL) = ?", Args: []any{after, r.archived()}, Order: idProperty, Limit: limit + 1,
		}, r.wanted())
		return err
	})
	if len(list.Results) > limit {
		list.Results = list.Results[:limit]
		last := list.Results[limit-1].ID
		list.Paging = nextPage(last, r.link(last))
	}
	return http.StatusOK, list, err
}

func (p *Portal) getRecord(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "read")
	if err != nil {
		return 0, nil, err
	}
	id := r.PathValue("id")
	heirs, err := p.heirs(r.Context(), o, []string{id})
	if err != nil {
		return 0, nil, err
	}
	if heir, merged := heirs[id]; merged {
		id = heir
	}
	found, err := p.records(r.Context(), o, []string{id}, r.archived(), r.wanted())
	if err == nil && len(found) == 0 {
		err = noRecord(id)
	}
	if err == nil {
		found[0].Associations, err = p.associatedWith(r, o, id)
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, found[0], nil
}

// records returns those of the records that exist, in the order of their ids.
func (p *Portal) records(ctx context.Context, o *object, ids []string, archived bool, w wanted) ([]answer, error) {
	s, err := byIDs(ids, archived)
	if err != nil {
		return nil, err
	}
	var found []answer
	err = p.read(func() (err error) {
		found, err = o.answers(ctx, p.db, s, w)
		return err
	})
	return found, err
}

func (p *Portal) updateRecord(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "write")
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Properties properties `json:"properties"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	id := r.PathValue("id")
	if err := p.updateOne(r.Context(), o, id, body.Properties, integration); err != nil {
		return 0, nil, err
	}
	found, err := p.records(r.Context(), o, []string{id}, false, wanted{Properties: sortedKeys(body.Properties)})
	if err == nil && len(found) == 0 {
		err = noRecord(id) // archived meanwhile
	}
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, found[0], nil
}

func (p *Portal) archiveRecord(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "write")
	if err != nil {
		return 0, nil, err
	}
	return http.StatusNoContent, nil, p.archiveAll(r.Context(), o, []string{r.PathValue("id")})
}

// archiveAll archives those of the records that exist; for the others it is done already.
func (p *Portal) archiveAll(ctx context.Context, o *object, ids []string) error {
	return p.write(ctx, func(ctx context.Context, t *tx) error {
		found, err := t.live(ctx, o, ids)
		if err != nil {
			return err
		}
		for _, id := range found {
			if err := t.archive(ctx, o, id); err != nil {
				return err
			}
		}
		return nil
	})
}

// creation is a record that a client wants made.
type creation struct {
	Properties   properties `json:"properties"`
	Associations []struct {
		To struct {
			ID string `json:"id"`
		} `json:"to"`
		Types []struct {
			Category string `json:"associationCategory"`
			TypeID   int    `json:"associationTypeId"`
		} `json:"types"`
	} `json:"associations"`
}

func (p *Portal) createRecord(r *request) (int, any, error) {
	o, err := p.objectOf(r, "object", "write")
	if err != nil {
		return 0, nil, err
	}
	var body creation
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	made, err := p.createAll(r.Context(), o, []creation{body})
	if err != nil {
		return 0, nil, err
	}
	return http.StatusCreated, made[0], nil
}

// createAll makes all of the records, or none.
func (p *Portal) createAll(ctx context.Context, o *object, all []creation) ([]answer, error) {
	var ids []string
	var names []string
	err := p.write(ctx, func(ctx context.Context, t *tx) error {
		for _, c := range all {
			checked, err := p.check(o, c.Properties)
			if err != nil {
				return err
			}
			for _, name := range o.Required {
				if checked[0][name] == "" {
					return invalid("Error creating %s. Some required properties were not set: [%s]", upper(o.Singular), name)
				}
			}
			id, err := t.insert(ctx, newRecord{Object: o.Name, Properties: checked[0]})
			if err != nil {
				return err
			}
			for _, a := range c.Associations {
				for _, kind := range a.Types {
					if err := t.associateNow(ctx, o, id, a.To.ID, kind.Category, kind.TypeID); err != nil {
						return err
					}
				}
			}
			ids, names = append(ids, id), append(names, sortedKeys(c.Properties)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return p.records(ctx, o, ids, false, wanted{Properties: slices.Compact(names)})
}
