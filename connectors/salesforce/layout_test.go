package salesforce

import (
	"testing"

	"github.com/go-json-experiment/json"

	"handoff/connectors/connectortest"
	"handoff/crm"
)

func TestHide(t *testing.T) {
	c := &Client{specs: ownFields(Config{Specs: connectortest.Specs})}
	for name, test := range map[string]struct{ items, left string }{
		"ours alone":          {`{"field":"Handoff_Score__c","behavior":"Readonly"}`, ``},
		"and a blank space":   {`{"field":"Handoff_Score__c"},{"emptySpace":true,"field":null,"page":null}`, ``},
		"and a field":         {`{"field":"Handoff_Score__c"},{"field":"Team_Note__c"}`, `{"field":"Team_Note__c"}`},
		"and a page":          {`{"field":"Handoff_Score__c"},{"page":"Onboarding","height":200}`, `{"page":"Onboarding","height":200}`},
		"and a link":          {`{"customLink":"Playbook"},{"field":"Handoff_Score__c"}`, `{"customLink":"Playbook"}`},
		"a component alone":   {`{"component":"runtime:chart","emptySpace":null}`, `{"component":"runtime:chart","emptySpace":null}`},
		"nothing but a blank": {`{"emptySpace":true}`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			p, left := &page{}, `[]`
			const head, tail = `[{"customLabel":true,"label":"Handoff Scorecard","layoutColumns":[{"layoutItems":[`, `]}],"style":"OneColumn"}]`
			if err := json.Unmarshal([]byte(head+test.items+tail), &p.sections, lenient); err != nil {
				t.Fatal(err)
			}
			hide(p, c.ownNames(crm.DealObject, nil))
			if test.left != "" {
				left = head + test.left + tail
			}
			if got, err := json.Marshal(p.sections); err != nil || string(got) != left {
				t.Errorf("left is %s, want %s; %v", got, left, err)
			}
		})
	}
}

// FuzzPage: whatever a layout holds, our fields come onto it and go off it again, and the rest stays as it is.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`[{"label":"Info","layoutColumns":[{"layoutItems":null,"reserved":null}],"style":"OneColumn"}]`))
	f.Add([]byte(`[{"customLabel":true,"label":"Handoff Scorecard","layoutColumns":null},{"label":"Links","style":"CustomLinks"}]`))
	f.Add([]byte(`[{"customLabel":true,"label":"Handoff Scorecard","layoutColumns":[{"layoutItems":[{"field":"Handoff_Score__c"},{"emptySpace":true}]}]}]`))
	c := &Client{specs: ownFields(Config{Specs: connectortest.Specs})}
	f.Fuzz(func(t *testing.T, sections []byte) {
		p := &page{}
		if json.Unmarshal(sections, &p.sections, lenient) != nil {
			return
		}
		hide(p, c.ownNames(crm.DealObject, nil))
		before, err := json.Marshal(p.sections)
		if err != nil {
			return // broken Unicode
		}
		ours := 0
		for _, s := range p.sections {
			if s.ours() {
				ours++
			}
		}
		p.add(c.notOn(p, crm.DealObject))
		if left := c.notOn(p, crm.DealObject); len(left) > 0 && ours == 0 {
			t.Errorf("%d fields are not on it", len(left))
		}
		hide(p, c.ownNames(crm.DealObject, nil))
		if after, err := json.Marshal(p.sections); err != nil || ours == 0 && string(after) != string(before) {
			t.Errorf("was %s\nis  %s, %v", before, after, err)
		}
	})
}
