package salesforce

import (
	"context"
	"strings"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

// pages warns of our fields that stand on none of the page layouts that the integration user is given: those of other
// profiles, only who may customise the org sees.
func (k *checkup) pages(ctx context.Context, s *schema) {
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		if len(s.own[object]) == 0 { // there is nothing to show
			continue
		}
		shown, err := k.shown(ctx, sobjects[object])
		if err != nil {
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
	if whole.err != nil {
		return nil, whole.err
	}
	return whole.shown, nil
}
