package salesforce

import (
	"testing"

	"github.com/go-json-experiment/json"

	"handoff/connectors/connectortest"
	"handoff/crm"
)

// FuzzPage: whatever a layout holds, our fields come onto it and go off it again, and the rest stays as it is.
func FuzzPage(f *testing.F) {
	f.Add([]byte(`[{"label":"Info","layoutColumns":[{"layoutItems":null,"reserved":null}],"style":"OneColumn"}]`))
	f.Add([]byte(`[{"customLabel":true,"label":"Handoff Scorecard","layoutColumns":null},{"label":"Links","style":"CustomLinks"}]`))
	f.Add([]byte(`[{"customLabel":true,"label":"Handoff Scorecard","layoutColumns":[{"layoutItems":[{"field":"Handoff_Score__c"},{"emptySpace":true}]}]}]`))
	c := &Client{specs: ownFields(Config{Specs: connectortest.Specs})}
	f.Fuzz(func(t *testing.T, sections []byte) {
		p := &page{}
		if json.Unmarshal(sections, &p.sections, lenient) != nil {
			t.Skip()
		}
		c.hide(p, crm.DealObject)
		before, err := json.Marshal(p.sections)
		if err != nil {
			t.Skip() // broken Unicode
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
		c.hide(p, crm.DealObject)
		if after, err := json.Marshal(p.sections); err != nil || ours == 0 && string(after) != string(before) {
			t.Errorf("was %s\nis  %s, %v", before, after, err)
		}
	})
}
