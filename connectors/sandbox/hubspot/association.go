package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// The categories of association types.
const (
	byHubSpot = "HUBSPOT_DEFINED"
	byUser    = "USER_DEFINED"
)

// label is a type of association from one kind of record to another.
type label struct {
	From, To string // objects
	Category string
	TypeID   int
	Inverse  int    // the type of the same association seen from the other side
	Text     string // "": every association of the pair has this one
}

// standardLabels returns the types that HubSpot defines.
// https://developers.hubspot.com/docs/api-reference/crm-associations-v4/guide#association-type-id-values
func standardLabels() []label {
	var all []label
	for _, l := range []label{
		{"deals", "contacts", byHubSpot, 3, 4, ""},
		{"deals", "companies", byHubSpot, 341, 342, ""}, {"deals", "companies", byHubSpot, 5, 6, "Primary"},
		{"deals", "calls", byHubSpot, 205, 206, ""}, {"deals", "emails", byHubSpot, 209, 210, ""}, {"deals", "meetings", byHubSpot, 211, 212, ""},
		{"deals", "notes", byHubSpot, 213, 214, ""}, {"deals", "tasks", byHubSpot, 215, 216, ""},
		{"contacts", "companies", byHubSpot, 279, 280, ""}, {"contacts", "companies", byHubSpot, 1, 2, "Primary"},
		{"contacts", "calls", byHubSpot, 193, 194, ""}, {"contacts", "emails", byHubSpot, 197, 198, ""}, {"contacts", "meetings", byHubSpot, 199, 200, ""},
		{"contacts", "notes", byHubSpot, 201, 202, ""}, {"contacts", "tasks", byHubSpot, 203, 204, ""},
		{"companies", "calls", byHubSpot, 181, 182, ""}, {"companies", "emails", byHubSpot, 185, 186, ""}, {"companies", "meetings", byHubSpot, 187, 188, ""},
		{"companies", "notes", byHubSpot, 189, 190, ""}, {"companies", "tasks", byHubSpot, 191, 192, ""},
	} {
		all = append(all, l, l.reversed())
	}
	return all
}

// reversed returns the type seen from the other side.
func (l label) reversed() label {
	l.From, l.To, l.TypeID, l.Inverse = l.To, l.From, l.Inverse, l.TypeID
	return l
}

func (p *Portal) label(from, to string, is func(label) bool) (label, bool) {
	i := slices.IndexFunc(p.labels, func(l label) bool { return l.From == from && l.To == to && is(l) })
	if i < 0 {
		return label{}, false
	}
	return p.labels[i], true
}

// ref names a record.
type ref struct{ Object, ID string }

// associate ties two records in both directions, with the type that the pair always has and with a type for each text.
// Texts that nobody has defined yet become types of the user's.
func (t *tx) associate(ctx context.Context, from, to ref, texts ...string) error {
	for _, text := range append([]string{""}, texts...) {
		l, ok := t.portal.label(from.Object, to.Object, func(l label) bool { return l.Text == text })
		switch {
		case !ok && text == "":
			return fmt.Errorf("associate: %s cannot be associated with %s", from.Object, to.Object)
		case !ok:
			next := len(t.portal.labels)*2 + 1 // no other type of the user's has it
			l = label{from.Object, to.Object, byUser, next, next + 1, text}
			t.portal.labels = append(t.portal.labels, l, l.reversed())
		}
		if err := t.tie(ctx, l, from.ID, to.ID); err != nil {
			return err
		}
		if err := t.tie(ctx, l.reversed(), to.ID, from.ID); err != nil {
			return err
		}
	}
	return nil
}

func (t *tx) tie(ctx context.Context, l label, from, to string) error {
	err := t.exec(ctx, "INSERT OR IGNORE INTO association (from_object, from_id, to_object, to_id, category, type_id) VALUES (?, ?, ?, ?, ?, ?)",
		l.From, from, l.To, to, l.Category, l.TypeID)
	if err != nil {
		return fmt.Errorf("associate %s with %s: %w", l.From, l.To, err)
	}
	return nil
}

// associateNow ties a new record to one that exists, by a type, at a client's wish. That moves the other one's modified date.
func (t *tx) associateNow(ctx context.Context, o *object, id, other, category string, typeID int) error {
	i := slices.IndexFunc(t.portal.labels, func(l label) bool { return l.From == o.Name && l.Category == category && l.TypeID == typeID })
	if i < 0 {
		return invalid("%d (%s) is not a valid association type of %s", typeID, category, o.Name)
	}
	l := t.portal.labels[i]
	to := t.portal.object(l.To)
	found, err := t.live(ctx, to, []string{other})
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return invalid("Could not associate: there is no %s with id %s", to.Singular, other)
	}
	if err := t.associate(ctx, ref{o.Name, id}, ref{l.To, other}, l.Text); err != nil {
		return err
	}
	return t.set(ctx, to, found[other], map[string]string{to.Modified: moment(t.now)})
}

func (p *Portal) associationRoutes(mux *http.ServeMux, v version) {
	pair := v.path("associations") + "/{from}/{to}"
	p.handle(mux, v, "POST "+pair+"/batch/read", p.readAssociations)
	p.handle(mux, v, "GET "+pair+"/labels", p.listLabels)
}

// How many records a request may ask for the associations of, and how many of one record a page has.
const (
	maxAssociationInputs = 1000
	associationsPerPage  = 100
)

type associations struct {
	From   recordID     `json:"from"`
	To     []associated `json:"to"`
	Paging *page        `json:"paging,omitzero"`
}

type associated struct {
	ID    int64             `json:"toObjectId"` // a number, other than documented
	Types []associationType `json:"associationTypes"`
}

type associationType struct {
	Category string  `json:"category"`
	TypeID   int     `json:"typeId"`
	Label    *string `json:"label"`
}

func (l label) shown() associationType {
	shown := associationType{Category: l.Category, TypeID: l.TypeID}
	if l.Text != "" {
		shown.Label = &l.Text
	}
	return shown
}

// pair returns the two kinds of records that the path names.
func (p *Portal) pair(r *request) (from, to *object, err error) {
	if from, err = p.objectOf(r, "from", "read"); err == nil {
		to, err = p.objectOf(r, "to", "read")
	}
	return from, to, err
}

func (p *Portal) listLabels(r *request) (int, any, error) {
	from, to, err := p.pair(r)
	if err != nil {
		return 0, nil, err
	}
	answer := struct {
		Results []associationType `json:"results"`
	}{Results: []associationType{}}
	err = p.read(func() error {
		for _, l := range p.labels {
			if l.From == from.Name && l.To == to.Name {
				answer.Results = append(answer.Results, l.shown())
			}
		}
		return nil
	})
	return http.StatusOK, answer, err
}

func (p *Portal) readAssociations(r *request) (int, any, error) {
	start := p.now()
	from, to, err := p.pair(r)
	if err != nil {
		return 0, nil, err
	}
	var body struct {
		Inputs []struct {
			ID    string `json:"id"`
			After string `json:"after"`
		} `json:"inputs"`
	}
	if err := r.readJSON(&body); err != nil {
		return 0, nil, err
	}
	if err := tooBig(len(body.Inputs), maxAssociationInputs); err != nil {
		return 0, nil, err
	}
	var results []associations
	var errs []partError
	err = p.read(func() error {
		for _, in := range body.Inputs {
			after, err := strconv.ParseInt("0"+in.After, 10, 64)
			if err != nil {
				return invalid("Invalid paging cursor %q", in.After)
			}
			found, err := p.associated(r.Context(), from, to, in.ID, after)
			if err != nil {
				return err
			}
			if len(found) == 0 {
				errs = append(errs, partError{Status: "error", Category: "OBJECT_NOT_FOUND", SubCategory: "crm.associations.NO_ASSOCIATIONS_FOUND",
					Message: fmt.Sprintf("No %s is associated with %s %s.", to.Singular, from.Singular, in.ID),
					Context: map[string][]string{"fromObjectId": {in.ID}, "fromObjectType": {from.Singular}, "toObjectType": {to.Singular}}})
				continue
			}
			result := associations{From: recordID{in.ID}, To: found}
			if len(found) > associationsPerPage {
				result.To = found[:associationsPerPage]
				result.Paging = nextPage(strconv.FormatInt(result.To[associationsPerPage-1].ID, 10), "")
			}
			results = append(results, result)
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	return finished(p, start, results, errs...)
}

// associatedIDs is what a single record is associated with, in the form in which it comes with the record: an entry for each type.
// https://github.com/HubSpot/hubspot-api-ruby/issues/262
type associatedIDs struct {
	Results []associatedID `json:"results"`
	Paging  *page          `json:"paging,omitzero"`
}

type associatedID struct {
	ID   string `json:"id"`
	Type string `json:"type"`
}

// associatedWith returns what a record is associated with of the kinds that the query names.
func (p *Portal) associatedWith(r *request, from *object, id string) (map[string]*associatedIDs, error) {
	all := map[string]*associatedIDs{}
	for _, name := range r.names("associations") {
		to := p.object(name)
		if to == nil {
			return nil, invalid("Unable to infer object type from: %s", name)
		}
		if err := r.scopes.need(to.scopes("read")...); err != nil {
			return nil, err
		}
		err := p.read(func() error {
			found, err := p.associated(r.Context(), from, to, id, 0)
			if err != nil || len(found) == 0 {
				return err
			}
			ids := &associatedIDs{}
			if len(found) > associationsPerPage {
				found = found[:associationsPerPage]
				after := strconv.FormatInt(found[associationsPerPage-1].ID, 10)
				ids.Paging = nextPage(after, r.link(after))
			}
			for _, a := range found {
				for _, t := range a.Types {
					ids.Results = append(ids.Results, associatedID{strconv.FormatInt(a.ID, 10), t.name(from, to)})
				}
			}
			all[to.Name] = ids
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// name is what the API calls a type beside a single record.
func (t associationType) name(from, to *object) string {
	plain := from.Singular + "_to_" + to.Singular
	switch {
	case t.Label == nil && to.Name == "companies":
		return plain + "_unlabeled"
	case t.Label == nil, t.Category == byHubSpot: // such as the primary company
		return plain
	}
	return strings.ReplaceAll(strings.ToLower(*t.Label), " ", "_")
}

// associated returns what a record is associated with, beyond an id and in the order of ids: a page and one more.
func (p *Portal) associated(ctx context.Context, from, to *object, id string, after int64) ([]associated, error) {
	rows, err := p.db.QueryContext(ctx, `SELECT to_id, category, type_id FROM association
		WHERE from_object = ?1 AND from_id = ?2 AND to_object = ?3 AND to_id IN (SELECT DISTINCT to_id FROM association
			WHERE from_object = ?1 AND from_id = ?2 AND to_object = ?3 AND to_id > ?4 ORDER BY to_id LIMIT ?5)
		ORDER BY to_id, category, type_id`, from.Name, id, to.Name, after, associationsPerPage+1)
	if err != nil {
		return nil, fmt.Errorf("read associations: %w", err)
	}
	defer rows.Close()
	var all []associated
	for rows.Next() {
		var toID int64
		var category string
		var typeID int
		if err := rows.Scan(&toID, &category, &typeID); err != nil {
			return nil, fmt.Errorf("read associations: %w", err)
		}
		if len(all) == 0 || all[len(all)-1].ID != toID {
			all = append(all, associated{ID: toID})
		}
		l, _ := p.label(from.Name, to.Name, func(l label) bool { return l.Category == category && l.TypeID == typeID })
		last := &all[len(all)-1]
		last.Types = append(last.Types, l.shown())
	}
	return all, rows.Err()
}
