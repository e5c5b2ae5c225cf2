package hubspot

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// news is what a pull found to have changed, with what was read earlier of the deals that it is of. Of a deal and a kind of
// record, what did not change is not read again.
type news struct {
	changed map[string]map[string]bool // ids, by kind
	tied    map[string]map[string]bool // deals that what changed belongs to, by kind
	held    map[string]*crm.Snapshot   // by deal; absent: nothing of it, or not all, was read
}

// keep finds out what of the deals is as it was. A nil n knows nothing.
func (n *news) keep(ids []string, a *around) {
	if n == nil {
		return
	}
	a.held, a.kept = n.held, map[string]map[string]bool{}
	for _, k := range kinds { // contacts first
		kept := map[string]bool{}
		for _, id := range ids {
			withPeople := k.object == calls || k.object == meetings || k.object == tasks
			kept[id] = n.same(k.object, id, a.links[k.object][id]) && (!withPeople || a.kept[contacts][id])
		}
		a.kept[k.object] = kept
	}
}

// same reports whether the records of a kind that belong to a deal are those that were read earlier, with nothing changed.
func (n *news) same(kind, deal string, links []link) bool {
	s := n.held[deal]
	if s == nil || kind == companies {
		return false
	}
	held, unheld := heldIDs(s, kind), 0
	if kind == meetings && s.UndescribedKickoff() {
		unheld = 1
	}
	if len(links) != len(held)+unheld {
		return false
	}
	for _, l := range links {
		switch there := slices.Contains(held, l.id); {
		case n.changed[kind][l.id], !there && unheld == 0:
			return false
		case !there:
			unheld--
		case kind == contacts && !slices.Equal(rolesOf(s, l.id), l.labels): // other labels; or none, and the roles are what the contact says of itself
			return false
		}
	}
	return true
}

func rolesOf(s *crm.Snapshot, contact string) []string {
	return s.Contacts[slices.IndexFunc(s.Contacts, func(c crm.Contact) bool { return c.ID == contact })].Roles
}

// activityKinds are what a snapshot calls the kinds of records that it holds as activities.
var activityKinds = map[string]crm.Kind{calls: crm.Call, emails: crm.Email, meetings: crm.Meeting, tasks: crm.Task}

// heldIDs are the ids of the records of a kind in a snapshot.
func heldIDs(s *crm.Snapshot, kind string) []string {
	switch kind {
	case contacts:
		return s.IDs(crm.PartContacts)
	case notes:
		return s.IDs(crm.PartNotes)
	}
	var ids []string
	for _, a := range heldActivities(s, kind) {
		ids = append(ids, a.ID)
	}
	return ids
}

func heldActivities(s *crm.Snapshot, kind string) []crm.Activity {
	return slices.DeleteFunc(slices.Clone(s.Activities), func(a crm.Activity) bool { return a.Kind != activityKinds[kind] })
}

// remembered returns the snapshots of the deals that were read whole.
func (r *reader) remembered(ctx context.Context, ids []string) (map[string]*crm.Snapshot, error) {
	if r.cfg.Memory == nil {
		return nil, nil
	}
	held, err := r.cfg.Memory.Snapshots(ctx, ids)
	for id, s := range held {
		if len(s.Unread) > 0 {
			delete(held, id)
		}
	}
	return held, err
}

// longestQuery is how many bytes of properties a GET may name; HubSpot refuses longer ones with 414.
const longestQuery = 6000

// singly reads deals one by one, each with what it is associated with, and the links by kind: for a few deals that takes fewer
// calls than a list for each kind. No links: that does not work here.
func (r *reader) singly(ctx context.Context, ids, columns, history []string, n *news) (map[string]object, map[string]map[string][]link, error) {
	links := map[string]map[string][]link{}
	var seen []string
	for _, k := range kinds {
		if links[k.object] = map[string][]link{}; r.sees(k) {
			seen = append(seen, k.object)
		}
	}
	query := url.Values{"properties": {strings.Join(columns, ",")}, "propertiesWithHistory": {strings.Join(history, ",")}, "associations": {strings.Join(seen, ",")}}
	if n == nil || len(ids) >= len(kinds) || len(query.Encode()) > longestQuery {
		return nil, nil, nil
	}
	found, doubtful := map[string]object{}, map[string][]string{} // deals, by kind
	for _, id := range ids {
		d, err := r.single(ctx, id, query)
		if s := status(err); s == http.StatusForbidden || s == http.StatusNotFound { // lists tell which kind or which deal it is
			return nil, nil, nil
		}
		if err != nil {
			return nil, nil, err
		}
		if string(d.ID) != id { // it was merged into the one that is answered
			continue
		}
		found[id] = d.object
		for _, kind := range seen {
			for _, to := range d.Associations[kind].Results { // one for each type
				if !slices.ContainsFunc(links[kind][id], func(l link) bool { return l.id == string(to.ID) }) {
					links[kind][id] = append(links[kind][id], link{id: string(to.ID)})
				}
			}
			if n.doubts(kind, id, links[kind][id]) || d.Associations[kind].Paging.Next.After != "" {
				doubtful[kind] = append(doubtful[kind], id)
			}
		}
	}
	for _, kind := range sortedKeys(doubtful) {
		certain, err := r.associations(ctx, opRead, deals, kind, doubtful[kind])
		if err != nil {
			return nil, nil, err
		}
		for _, id := range doubtful[kind] {
			links[kind][id] = certain[id]
		}
	}
	return found, links, nil
}

// doubts reports whether a list has to tell of the records of a kind that belong to a deal: what comes with the deal lacks the
// labels, and we do not rely on it to name every kind.
func (n *news) doubts(kind, deal string, links []link) bool {
	switch {
	case kind == contacts && len(links) > 0, kind == companies && len(links) > 1:
		return true
	case len(links) > 0:
		return false
	}
	held := n.held[deal]
	return n.tied[kind][deal] || held != nil && (len(heldIDs(held, kind)) > 0 || kind == meetings && held.UndescribedKickoff() || kind == companies && held.Deal.Account != "")
}

// single is a deal with the ids of what it is associated with, by kind.
type single struct {
	object
	Associations map[string]struct {
		Results []struct {
			ID text `json:"id"`
		} `json:"results"`
		Paging paging `json:"paging"`
	} `json:"associations"`
}

// single reads one deal.
// https://developers.hubspot.com/docs/api-reference/crm-deals-v3/guide#retrieve-deals
func (r *reader) single(ctx context.Context, id string, query url.Values) (*single, error) {
	var d *single
	err := r.send(ctx, call{op: opRead, method: http.MethodGet, path: r.api("objects", deals+"/"+url.PathEscape(id)), query: query, repeatable: true},
		func(_ http.Header, body []byte) error {
			d = &single{}
			if err := json.Unmarshal(body, d, lenient); err != nil {
				return connectors.Garbled(crmName, opRead, err)
			}
			return nil
		})
	return d, err
}
