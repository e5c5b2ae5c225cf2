package hubspot

import (
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"

	"github.com/go-json-experiment/json"
)

// groupRoutes adds the routes of groups of properties.
func (p *Portal) groupRoutes(mux *http.ServeMux, v version) {
	path := v.path("properties") + "/{object}/groups"
	p.handle(mux, v, "GET "+path, p.listGroups)
	p.handle(mux, v, "POST "+path, p.createGroup)
	p.handle(mux, v, "GET "+path+"/{name}", p.getGroup)
	p.handle(mux, v, "DELETE "+path+"/{name}", p.archiveGroup)
}

func (p *Portal) listGroups(r *request) (int, any, error) {
	o, err := p.definitionsOf(r)
	if err != nil {
		return 0, nil, err
	}
	answer := struct {
		Results []group `json:"results"`
	}{Results: []group{}}
	err = p.read(func() error {
		for _, g := range o.Groups {
			answer.Results = append(answer.Results, *g)
		}
		return nil
	})
	return http.StatusOK, answer, err
}

func noSuchGroup(name string) *apiError { return notFound("Property group %q does not exist", name) }

func (p *Portal) getGroup(r *request) (int, any, error) {
	o, err := p.definitionsOf(r)
	if err != nil {
		return 0, nil, err
	}
	var found group
	err = p.read(func() error {
		g := o.group(r.PathValue("name"))
		if g == nil {
			return noSuchGroup(r.PathValue("name"))
		}
		found = *g
		return nil
	})
	return http.StatusOK, found, err
}

// groupName is the form of a group's name.
var groupName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func (p *Portal) createGroup(r *request) (int, any, error) {
	o, err := p.schemaOf(r)
	if err != nil {
		return 0, nil, err
	}
	made := group{DisplayOrder: -1}
	if err := r.readJSON(&made); err != nil {
		return 0, nil, err
	}
	made.Archived = false
	err = p.write(r.Context(), func(_ context.Context, t *tx) error {
		switch {
		case !groupName.MatchString(made.Name) || made.Label == "":
			return invalid("A property group wants a name of lower-case letters, digits and underscores, and a label")
		case o.group(made.Name) != nil:
			return alreadyExists("property group", made.Name)
		}
		t.addGroup(o, made)
		return nil
	})
	return http.StatusCreated, made, err
}

// archiveGroup removes a group, and leaves its name free. A group with properties that are not archived stays; then HubSpot
// puts the whole error into the message of another.
func (p *Portal) archiveGroup(r *request) (int, any, error) {
	o, err := p.schemaOf(r)
	if err != nil {
		return 0, nil, err
	}
	name := r.PathValue("name")
	return http.StatusNoContent, nil, p.write(r.Context(), func(context.Context, *tx) error {
		if o.group(name) == nil {
			return noSuchGroup(name)
		}
		if slices.ContainsFunc(o.Properties, func(pr *property) bool { return pr.GroupName == name && !pr.Archived }) {
			why := invalid("Can't delete or purge a group with active properties")
			why.SubCategory = "PropertyGroupError.GROUP_WITH_ACTIVE_PROPERTIES"
			text, err := json.Marshal(why)
			if err != nil {
				return fmt.Errorf("refuse to archive a group: %w", err)
			}
			return refuse(http.StatusBadRequest, "", string(text))
		}
		o.Groups = slices.DeleteFunc(o.Groups, func(g *group) bool { return g.Name == name })
		return nil
	})
}
