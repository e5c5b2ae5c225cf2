package salesforce

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"handoff/connectors"
	"handoff/connectors/connectortest"
	"handoff/crm"
)

// checked is an org whose answers to a check a test decides.
type checked struct {
	versions  string            // of the API
	usage     string            // of calls
	records   map[string]string // that a query finds, by object; absent: none
	refused   []string          // objects that cannot be queried
	describes map[string]string // by path below the API's; absent: an object with all of our fields
	tooling   string            // what the Tooling API finds; "": it is refused
}

// findings returns severity, place and text of what a check finds, those that are Fine left out.
func (o checked) findings(t *testing.T, specs []crm.FieldSpec) []string {
	t.Helper()
	var found []string
	for _, f := range o.check(t, specs) {
		if f.Severity != connectors.Fine {
			found = append(found, fmt.Sprintf("%d %s: %s", f.Severity, f.Place, f.Text))
		}
	}
	return found
}

func (o checked) check(t *testing.T, specs []crm.FieldSpec) []connectors.Finding {
	t.Helper()
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	s := newStub(t)
	answer := composites(t, func(asked string) (int, string) {
		if path, isPath := strings.CutPrefix(asked, "/services/data/v62.0/sobjects/"); isPath {
			if d, ok := o.describes[path]; ok {
				return 200, d
			}
			if strings.Contains(path, "layouts") {
				return 404, `[{"errorCode":"NOT_FOUND","message":"no"}]`
			}
			return 200, describeAll(specs)
		}
		_, object, _ := strings.Cut(asked, " FROM ")
		object, _, _ = strings.Cut(object, " ")
		if slices.Contains(o.refused, object) {
			return 400, `[{"errorCode":"INVALID_TYPE","message":"no"}]`
		}
		return 200, fmt.Sprintf(`{"totalSize":1,"done":true,"records":[%s]}`, o.records[object])
	})
	s.api = func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", now.Format(http.TimeFormat))
		switch {
		case r.URL.Path == "/services/data":
			fmt.Fprint(w, o.versions)
			return
		case strings.Contains(r.URL.Path, "/tooling/"):
			if o.tooling == "" {
				refuse(w, http.StatusForbidden, "INSUFFICIENT_ACCESS")
				return
			}
			fmt.Fprintf(w, `{"totalSize":1,"done":true,"records":[%s]}`, o.tooling)
			return
		}
		w.Header().Set("Sforce-Limit-Info", o.usage)
		answer(w, r)
	}
	c, err := s.client(t, func(c *Config) { c.Specs, c.Now = specs, func() time.Time { return now } }).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return c.Findings
}

// describeAll describes an object with the fields of specs and those that our statements name.
func describeAll(specs []crm.FieldSpec) string {
	fields := []string{`{"name":"AccountId"}`, `{"name":"Amount"}`, `{"name":"NextStep"}`}
	for _, f := range ownFields(Config{Specs: specs})[crm.DealObject] {
		fields = append(fields, fmt.Sprintf(`{"name":%q,"type":"double","precision":3,"updateable":true}`, f.API))
	}
	for _, src := range sources {
		for _, c := range src.columns {
			name := strings.TrimSuffix(c, "?")
			fields = append(fields, fmt.Sprintf(`{"name":%q,"type":"string"}`, name[strings.LastIndex(name, ".")+1:]))
		}
	}
	return fmt.Sprintf(`{"updateable":true,"fields":[%s]}`, strings.Join(fields, ","))
}

func TestCheckup(t *testing.T) {
	specs := connectortest.Specs[:2] // score and item_1_1
	const (
		latest = `[{"version":"61.0"},{"version":"64.0"},{"version":"62.0"},{"version":"odd"}]`
		shows  = `{"detailLayoutSections":[{"layoutRows":[{"layoutItems":[{"layoutComponents":[{"type":"Field","value":%q}]}]}]}]}`
	)
	layouts := func(fields ...string) string {
		var all []string
		for _, f := range fields {
			all = append(all, fmt.Sprintf(shows, f))
		}
		return `{"layouts":[` + strings.Join(all, ",") + `]}`
	}
	both := layouts("Handoff_Score__c", "handoff_item_1_1__c")
	for _, tc := range []struct {
		name string
		org  checked
		want []string
	}{
		{"sound", checked{versions: latest, usage: "api-usage=10/100"}, nil},
		{"old version", checked{versions: `[{"version":"62.0"},{"version":"71.0"}]`}, []string{
			"1 api_version: version 62.0 of the API is 9 releases behind the org's newest, 71.0; Salesforce may retire versions after three years, which is 9 releases"}},
		{"not quite old", checked{versions: `[{"version":"62.0"},{"version":"70.0"}]`}, nil},
		{"versions not told", checked{versions: `<html>`}, []string{"1 api_version: neither the versions of the API nor the clocks are compared: the answer cannot be read"}},
		{"no versions, and the quota spent", checked{versions: `[]`, usage: "api-usage=100/100"}, []string{
			"2 API calls: 100 of 100 API calls of the last 24 hours are used, by all integrations of the org"}},
		{"quota nearly spent", checked{versions: latest, usage: "api-usage=81/100"}, []string{
			"1 API calls: 81 of 100 API calls of the last 24 hours are used, by all integrations of the org"}},
		{"quota spent", checked{versions: latest, usage: "api-usage=100/100"}, []string{
			"2 API calls: 100 of 100 API calls of the last 24 hours are used, by all integrations of the org"}},
		{"no View All", checked{versions: latest, records: map[string]string{"PermissionSetAssignment": `{"PermissionSetId":"0PS"}`}}, []string{
			"1 Opportunity: the integration user lacks View All on opportunities: unless the org's sharing settings open them to everyone, it sees only deals that are shared with it, and the others are not scored"}},
		{"View All by a set", checked{versions: latest, records: map[string]string{"PermissionSetAssignment": `{"PermissionSetId":"0PS"}`, "ObjectPermissions": `{"Id":"110"}`}}, nil},
		{"View All Data", checked{versions: latest, records: map[string]string{"PermissionSetAssignment": `{"PermissionSetId":"0PS"}`, "PermissionSet": `{"Id":"0PS"}`}}, nil},
		{"permissions that it may not look at", checked{versions: latest, refused: []string{"ObjectPermissions"},
			records: map[string]string{"PermissionSetAssignment": `{"PermissionSetId":"0PS"}`}}, nil},
		{"hidden fields", checked{versions: latest, describes: map[string]string{
			"Opportunity/describe": strings.NewReplacer(`{"name":"AccountId"},`, "", `{"name":"Amount"},`, "", `{"name":"NextStep"},`, "").Replace(describeAll(specs)),
			"Task/describe":        strings.Replace(describeAll(specs), `{"name":"Description","type":"string"},`, "", 2),
		}}, []string{
			"1 Opportunity: the integration user cannot see AccountId: the customer's name and the facts that are kept with the account are not read, and accounts get no health",
			"1 Opportunity: the integration user cannot see Amount: the amounts of deals are not known",
			"2 Opportunity: the integration user cannot see NextStep: every item but 5.3 stays open where the rest of the record does not answer it, and such a deal gets no total, rating or flag",
			"2 Task: the integration user cannot see Description: every item but 5.3 stays open where the rest of the record does not answer it, and such a deal gets no total, rating or flag",
		}},
		{"on a layout", checked{versions: latest, describes: map[string]string{"Opportunity/describe/layouts": both}}, nil},
		{"on no layout", checked{versions: latest, describes: map[string]string{"Opportunity/describe/layouts": layouts("Name", "Handoff_Score__c")}}, []string{
			"1 Opportunity.Handoff_Item_1_1__c: the field is on no page layout of the integration user's profile: people may not see it"}},
		{"layouts of record types", checked{versions: latest, describes: map[string]string{
			"Opportunity/describe/layouts":      `{"layouts":null,"recordTypeMappings":[{"recordTypeId":"012A","layoutId":"00hA"},{"recordTypeId":"012B","layoutId":"00hA"},{"recordTypeId":"012C","layoutId":"00hC"}]}`,
			"Opportunity/describe/layouts/012A": fmt.Sprintf(shows, "Name"), "Opportunity/describe/layouts/012C": fmt.Sprintf(shows, "Handoff_Score__c"),
		}}, []string{"1 Opportunity.Handoff_Item_1_1__c: the field is on no page layout of the integration user's profile: people may not see it"}},
		{"history not tracked", checked{versions: latest, tooling: `{"QualifiedApiName":"Handoff_Item_1_1__c","IsFieldHistoryTracked":false}`}, []string{
			"1 Opportunity: Salesforce does not keep the history of Handoff_Item_1_1__c: who edited them is known only roughly"}},
		{"history not tracked, and no room for more", checked{versions: latest,
			tooling: strings.Repeat(`{"QualifiedApiName":"Amount","IsFieldHistoryTracked":true},`, 20) + `{"QualifiedApiName":"Handoff_Item_1_1__c","IsFieldHistoryTracked":false}`}, nil},
		{"history tracked, and of another field not", checked{versions: latest,
			tooling: `{"QualifiedApiName":"Handoff_Item_1_1__c","IsFieldHistoryTracked":true},{"QualifiedApiName":"Amount","IsFieldHistoryTracked":false}`}, nil},
		{"history tracked", checked{versions: latest, tooling: `{"QualifiedApiName":"Handoff_Item_1_1__c","IsFieldHistoryTracked":true}`}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := tc.org.findings(t, specs); !slices.Equal(got, tc.want) {
				t.Errorf("found:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// TestNotLookedAt: what the integration user may not look at is said, and is no trouble.
func TestNotLookedAt(t *testing.T) {
	specs := connectortest.Specs[:2]
	const (
		sharing  = `not looked at: whether the integration user sees all deals (needs View Setup and Configuration): `
		fields   = "not looked at: whether Opportunity has the fields that the integration user does not see (needs View Setup and Configuration): because"
		tracking = "not looked at: whether the history of our fields is kept (needs View Setup and Configuration): because"
		layouts  = "not looked at: whether Opportunity layouts show our fields (needs Read on Opportunity): no"
	)
	sound := checked{tooling: `{"QualifiedApiName":"Handoff_Item_1_1__c","IsFieldHistoryTracked":true}`,
		records:   map[string]string{"PermissionSetAssignment": `{"PermissionSetId":"0PS"}`, "ObjectPermissions": `{"Id":"110"}`},
		describes: map[string]string{"Opportunity/describe/layouts": `{"layouts":[]}`}}
	for _, tc := range []struct {
		name  string
		spoil func(*checked)
		want  []string
	}{
		{"all is looked at", func(*checked) {}, nil},
		{"assignments", func(o *checked) { o.refused = []string{"PermissionSetAssignment"} }, []string{sharing + "no"}},
		{"assignments hidden", func(o *checked) { o.records = nil }, []string{sharing + "the user's permissions are not shown"}},
		{"permissions on objects", func(o *checked) { o.refused = []string{"ObjectPermissions"} }, []string{sharing + "no"}},
		{"permissions of the system", func(o *checked) { o.refused = []string{"PermissionSet"} }, []string{sharing + "no"}},
		{"history", func(o *checked) { o.tooling = "" }, []string{tracking}},
		{"layouts", func(o *checked) { o.describes = nil }, []string{layouts}},
		{"the layout of a record type", func(o *checked) {
			o.describes = map[string]string{"Opportunity/describe/layouts": `{"layouts":null,"recordTypeMappings":[{"recordTypeId":"012A","layoutId":"00hA"}]}`}
		}, []string{layouts}},
		{"fields", func(o *checked) {
			o.tooling = ""
			o.describes = map[string]string{"Opportunity/describe": describeAll(nil)}
		}, []string{fields}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			org := sound
			tc.spoil(&org)
			var got []string
			for _, f := range org.check(t, specs) {
				if strings.HasPrefix(f.Text, "not looked at") {
					got = append(got, f.Text)
					if f.Severity != connectors.Fine {
						t.Errorf("%+v", f)
					}
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("found:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(tc.want, "\n"))
			}
		})
	}
}

// TestUnknownVersion: a run, too, says that it is the version that the org does not know.
func TestUnknownVersion(t *testing.T) {
	for _, refusal := range []struct {
		status int
		code   string
	}{{http.StatusNotFound, "NOT_FOUND"}, {http.StatusGone, unsupportedVersion}} {
		s := newStub(t)
		s.api = func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/services/data" {
				fmt.Fprint(w, `[{"version":"30.0"},{"version":"61.0"}]`)
				return
			}
			refuse(w, refusal.status, refusal.code)
		}
		c := s.client(t)
		err := c.Pull(t.Context(), nil, func(connectors.Batch) error { return nil })
		if e := refused(err); e == nil || e.Setting != "api_version" || e.Message != "the org does not know version 62.0 of the API; it has 30.0 to 61.0" {
			t.Errorf("%s: got %v", refusal.code, err)
		}
	}
}

// FuzzDescribe: whatever a describe holds, it is read or refused, and our fields are judged by it.
func FuzzDescribe(f *testing.F) {
	f.Add([]byte(describeAll(connectortest.Specs)))
	f.Add([]byte(`{"fields":[{"name":"Handoff_Health__c","type":"picklist","restrictedPicklist":true,"picklistValues":[{"value":"Red","active":true}]}],"recordTypeInfos":[{"name":"A","active":true}]}`))
	f.Add([]byte(`{"layouts":null,"recordTypeMappings":[{"recordTypeId":"012","layoutId":"00h"}],"detailLayoutSections":[{"layoutRows":[{"layoutItems":[{"layoutComponents":[{"type":"Field","value":null}]}]}]}]}`))
	specs := ownFields(Config{Specs: connectortest.Specs})
	f.Fuzz(func(t *testing.T, body []byte) {
		d := &description{object: "Opportunity"}
		if _, err := d.take(body); err == nil {
			for _, own := range specs[crm.DealObject] {
				if u := unusable(own, d); u != nil && (u.Text == "" || u.Remedy == "" || u.Field != own.Name) {
					t.Errorf("%+v", u)
				}
			}
		}
		l := &layoutPart{object: "Opportunity", shown: map[string]bool{}}
		if next, _ := l.take(body); next != "" {
			t.Errorf("a describe has no next page: %s", next)
		}
	})
}
