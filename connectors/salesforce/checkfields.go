package salesforce

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// own looks at our fields. Where an object keeps us from all of them, that is told already.
func (k *checkup) own(ctx context.Context, s *schema) {
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		d := s.objects[sobjects[object]]
		if text, _ := objectTrouble(d); text != "" {
			continue
		}
		unseen := false
		var found []connectors.Finding
		for _, f := range k.specs[object] {
			if u := unusable(f, d); u != nil {
				found = append(found, *u)
				unseen = unseen || u.Text == missingField
			}
		}
		if len(found) == 0 && len(k.specs[object]) > 0 {
			k.add(connectors.Fine, sobjects[object], fmt.Sprintf("has %s of handoff as it should be", countOf(len(k.specs[object]), "field")), "")
		}
		var exist map[string]existingField
		var err error
		if unseen {
			if exist, err = k.existing(ctx, sobjects[object]); err != nil {
				k.missed("whether "+sobjects[object]+" has the fields that the integration user does not see", viewSetup, err)
			}
		}
		for _, u := range found {
			_, there := exist[strings.ToLower(strings.TrimPrefix(u.Place, d.object+"."))]
			switch {
			case err != nil || u.Text != missingField:
			case there:
				u.Text, u.Remedy = "the field exists, but the integration user cannot see it", strings.Replace(u.Remedy, createsOrShows, "which lets the integration user see it", 1)
			default:
				u.Text, u.Remedy = "the field does not exist", strings.Replace(u.Remedy, createsOrShows, "which creates it", 1)
			}
			k.Findings = append(k.Findings, u)
		}
	}
}

// tracking warns of fields that people edit and whose history is not kept, while an object's history has room for them.
func (k *checkup) tracking(ctx context.Context, s *schema) {
	var edited []string
	for _, f := range k.specs[crm.DealObject] {
		if api, usable := s.own[crm.DealObject][f.Name]; usable && peopleEdit(f) {
			edited = append(edited, api)
		}
	}
	if len(edited) == 0 {
		return
	}
	found, err := k.tooling(ctx, selectFrom("FieldDefinition", []string{"QualifiedApiName", "IsFieldHistoryTracked"}, "EntityDefinition.QualifiedApiName = 'Opportunity'", ""))
	if err != nil {
		k.missed("whether the history of our fields is kept", viewSetup, err)
		return
	}
	var untracked []string
	room := maxTracked
	for _, f := range found {
		switch name := f.text("QualifiedApiName"); {
		case f.flag("IsFieldHistoryTracked"):
			room--
		case slices.Contains(edited, name):
			untracked = append(untracked, name)
		}
	}
	if len(untracked) > 0 && room > 0 {
		k.add(connectors.Warning, "Opportunity", "Salesforce does not keep the history of "+strings.Join(untracked, ", ")+": who edited them is known only roughly",
			fmt.Sprintf("Tick them under Setup > Object Manager > Opportunity > Fields & Relationships > Set History Tracking, which has room for %d more", room))
	}
}

// pages warns of our fields that stand on none of the page layouts that the integration user is given: those of other
// profiles, only who may customise the org sees.
func (k *checkup) pages(ctx context.Context, s *schema) {
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		if len(s.own[object]) == 0 { // there is nothing to show
			continue
		}
		shown, err := k.shown(ctx, sobjects[object])
		if err != nil {
			k.missed("whether "+sobjects[object]+" layouts show our fields", "Read on "+sobjects[object], err)
			continue
		}
		for _, f := range k.specs[object] {
			if api, usable := s.own[object][f.Name]; usable && !shown[strings.ToLower(api)] {
				k.Findings = append(k.Findings, connectors.Finding{Severity: connectors.Warning, Place: sobjects[object] + "." + f.API, Field: f.Name,
					Text: "the field is on no page layout of the integration user's profile: people may not see it",
					Remedy: "Run `handoff setup --apply --layout \"" + sobjects[object] + " Layout\"` with the names of your page layouts. " +
						"Where Lightning pages with Dynamic Forms, or the layouts of other profiles, show it, there is nothing to do"})
			}
		}
	}
}

// layoutPart is the describe of the layouts of an object, or of those of one of its record types.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_sobject_layouts.htm
type layoutPart struct {
	object, recordType string
	shown              map[string]bool
	recordTypes        []string // one for each layout, where the layouts are to be asked for by record type
	err                *connectors.Error
}

func (l *layoutPart) path(base string) string {
	path := base + "/sobjects/" + l.object + "/describe/layouts"
	if l.recordType != "" {
		path += "/" + l.recordType
	}
	return path
}
func (l *layoutPart) query() bool                  { return false }
func (l *layoutPart) reset()                       { l.recordTypes = nil }
func (l *layoutPart) refuse(err *connectors.Error) { l.err = err }

type describedLayout struct {
	Sections []struct {
		Rows []struct {
			Items []struct {
				Components []struct {
					Type  string `json:"type"`
					Value string `json:"value"`
				} `json:"layoutComponents"`
			} `json:"layoutItems"`
		} `json:"layoutRows"`
	} `json:"detailLayoutSections"`
}

func (l *layoutPart) take(body []byte) (string, error) {
	var reply struct {
		describedLayout `json:",embed"`   // of a record type
		Layouts         []describedLayout `json:"layouts"` // of an object; null where it has several record types
		RecordTypes     []struct {
			ID     string `json:"recordTypeId"`
			Layout string `json:"layoutId"`
		} `json:"recordTypeMappings"`
	}
	if err := json.Unmarshal(body, &reply, lenient); err != nil {
		return "", err
	}
	for _, layout := range append(reply.Layouts, reply.describedLayout) {
		for _, s := range layout.Sections {
			for _, r := range s.Rows {
				for _, i := range r.Items {
					for _, c := range i.Components {
						if c.Type == "Field" {
							l.shown[strings.ToLower(c.Value)] = true
						}
					}
				}
			}
		}
	}
	asked := map[string]bool{}
	for _, t := range reply.RecordTypes {
		if len(reply.Layouts) == 0 && !asked[t.Layout] {
			asked[t.Layout] = true
			l.recordTypes = append(l.recordTypes, t.ID)
		}
	}
	return "", nil
}

// shown returns the fields on the layouts of an object, in lower case.
func (k *checkup) shown(ctx context.Context, object string) (map[string]bool, error) {
	whole := &layoutPart{object: object, shown: map[string]bool{}}
	if _, err := k.read(ctx, opCheck, whole); err != nil {
		return nil, err
	}
	var each []*layoutPart
	for _, recordType := range whole.recordTypes {
		each = append(each, &layoutPart{object: object, recordType: recordType, shown: whole.shown})
	}
	if _, err := k.read(ctx, opCheck, parts(each)...); err != nil {
		return nil, err
	}
	for _, l := range append(each, whole) {
		if l.err != nil {
			return nil, l.err
		}
	}
	return whole.shown, nil
}
