package main

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"handoff/crm"
)

// record is a deal or an account as its CRM shows it: the values of our own fields in their textual form, by neutral name.
// A checkbox is "true" or "false".
type record struct {
	id     string
	name   string
	caseID string // of a deal
	values crm.Values
}

// view is a CRM of a lab, seen and edited through its own API.
type view interface {
	// fields returns the types of our fields, by neutral name, in the CRM's own words.
	fields(object crm.Object) map[string]string

	// records reads every deal or account.
	records(object crm.Object) []record

	// edit sets fields of a deal as another user would; a nil value clears one. Names are neutral, also of what Sales
	// records.
	edit(id string, fields map[string]any)

	// wrote lists the values that a call of the request log set; none for a call that sets none.
	wrote(e entry) []writtenValue

	// reads reports whether the calls of a route, by its name in the request counts, change nothing.
	reads(route string) bool
}

// views opens the CRMs, each by the name of its connection.
var views = map[string]func(*lab) view{"salesforce": newSalesforceView, "hubspot": newHubSpotView}

// overBoth runs a test over both CRMs at the same time.
func overBoth(t *testing.T, test func(t *testing.T, connection string)) {
	t.Parallel()
	for _, connection := range []string{"salesforce", "hubspot"} {
		t.Run(connection, func(t *testing.T) {
			t.Parallel()
			test(t, connection)
		})
	}
}

// salesforceView is the view of Salesforce.
type salesforceView struct {
	*lab
	token string
}

func newSalesforceView(l *lab) view {
	v := &salesforceView{lab: l}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	l.call("POST", "/services/oauth2/token", "", "application/x-www-form-urlencoded", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {"sandbox-client"}, "client_secret": {"sandbox-secret"},
	}.Encode(), &token)
	v.token = token.AccessToken
	return v
}

var sobjects = map[crm.Object]string{crm.DealObject: "Opportunity", crm.AccountObject: "Account"}

// apiName returns the name of one of our fields, or of a field of Sales.
func (*salesforceView) apiName(neutral string) string {
	if neutral == "description" {
		return "Description"
	}
	if neutral != "champion" {
		neutral = "handoff_" + neutral
	}
	words := strings.Split(neutral, "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "_") + "__c"
}

func (v *salesforceView) fields(object crm.Object) map[string]string {
	v.t.Helper()
	var describe struct {
		Fields []struct{ Name, Type string }
	}
	v.call("GET", "/services/data/v62.0/sobjects/"+sobjects[object]+"/describe", v.token, "", "", &describe)
	types := map[string]string{}
	for _, f := range describe.Fields {
		if name, ours := strings.CutPrefix(f.Name, "Handoff_"); ours {
			types[strings.ToLower(strings.TrimSuffix(name, "__c"))] = f.Type
		}
	}
	return types
}

func (v *salesforceView) records(object crm.Object) []record {
	v.t.Helper()
	soql := "SELECT Id, Name"
	if object == crm.DealObject {
		soql += ", Case_Id__c"
	}
	fields := v.fields(object)
	for name := range fields {
		soql += ", " + v.apiName(name)
	}
	var all []record
	for path := "/services/data/v62.0/query?q=" + url.QueryEscape(soql+" FROM "+sobjects[object]); path != ""; {
		var page struct {
			Records        []map[string]any `json:"records"`
			NextRecordsURL string           `json:"nextRecordsUrl"`
		}
		v.call("GET", path, v.token, "", "", &page)
		for _, row := range page.Records {
			r := record{id: textOf(row["Id"]), name: textOf(row["Name"]), caseID: textOf(row["Case_Id__c"]), values: crm.Values{}}
			for name := range fields {
				r.values[name] = textOf(row[v.apiName(name)])
			}
			all = append(all, r)
		}
		path = page.NextRecordsURL
	}
	return all
}

// textOf returns the textual form of a JSON value; null is empty.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return fmt.Sprint(v)
}

func (v *salesforceView) edit(id string, fields map[string]any) {
	v.t.Helper()
	named := map[string]any{}
	for name, value := range fields {
		named[v.apiName(name)] = value
	}
	v.editRecord("Opportunity", id, named)
}

func (v *salesforceView) wrote(e entry) []writtenValue {
	v.t.Helper()
	if e.Method != "PATCH" || !strings.HasSuffix(e.Path, "/composite/sobjects") || e.Status != 200 || !e.json() {
		return nil
	}
	var sent struct{ Records []map[string]any }
	var outcomes []struct{ Success bool }
	v.unwrap(e.RequestBody, &sent)
	v.unwrap(e.ResponseBody, &outcomes)
	var all []writtenValue
	for i, fields := range sent.Records {
		if !outcomes[i].Success {
			continue
		}
		id := ""
		for key, value := range fields {
			if strings.EqualFold(key, "Id") {
				id = value.(string)
			}
		}
		for key, value := range fields {
			if key != "attributes" && !strings.EqualFold(key, "Id") {
				all = append(all, writtenValue{change{id, key}, textOf(value)})
			}
		}
	}
	return all
}

func (*salesforceView) reads(route string) bool {
	return strings.HasPrefix(route, "GET ") || route == "POST /services/oauth2/token" || strings.HasPrefix(route, "POST ") && strings.HasSuffix(route, "/composite")
}

// hubspotView is the view of HubSpot.
type hubspotView struct{ *lab }

func newHubSpotView(l *lab) view { return &hubspotView{l} }

const hubspotToken = "sandbox-token"

var portalObjects = map[crm.Object]string{crm.DealObject: "deals", crm.AccountObject: "companies"}

func (v *hubspotView) fields(object crm.Object) map[string]string {
	v.t.Helper()
	var properties struct {
		Results []struct{ Name, Type, FieldType string }
	}
	v.call("GET", "/crm/properties/2026-09/"+portalObjects[object], hubspotToken, "", "", &properties)
	types := map[string]string{}
	for _, p := range properties.Results {
		if name, ours := strings.CutPrefix(p.Name, "handoff_"); ours {
			types[name] = p.Type + " " + p.FieldType
		}
	}
	return types
}

func (v *hubspotView) records(object crm.Object) []record {
	v.t.Helper()
	fields := v.fields(object)
	query := url.Values{"limit": {"100"}, "properties": {"dealname,name,case_id"}}
	for name := range fields {
		query["properties"][0] += ",handoff_" + name
	}
	var all []record
	for after := ""; ; {
		var page struct {
			Results []struct {
				ID         string
				Properties map[string]string
			}
			Paging struct{ Next struct{ After string } }
		}
		v.call("GET", "/crm/objects/2026-09/"+portalObjects[object]+"?"+query.Encode()+after, hubspotToken, "", "", &page)
		for _, o := range page.Results {
			r := record{id: o.ID, name: o.Properties["dealname"] + o.Properties["name"], caseID: o.Properties["case_id"], values: crm.Values{}}
			for name, kind := range fields {
				r.values[name] = o.Properties["handoff_"+name]
				if r.values[name] == "" && strings.HasPrefix(kind, "bool ") {
					r.values[name] = "false" // nobody has touched it
				}
			}
			all = append(all, r)
		}
		if page.Paging.Next.After == "" {
			return all
		}
		after = "&after=" + page.Paging.Next.After
	}
}

func (v *hubspotView) edit(id string, fields map[string]any) {
	v.t.Helper()
	named := map[string]any{}
	for name, value := range fields {
		if name != "champion" && name != "description" {
			name = "handoff_" + name
		}
		named[name] = value
	}
	v.editRecord("deals", id, named)
}

func (v *hubspotView) wrote(e entry) []writtenValue {
	v.t.Helper()
	if !strings.HasSuffix(e.Path, "/batch/update") || e.Status/100 != 2 || !e.json() {
		return nil
	}
	var sent struct {
		Inputs []struct {
			ID         string
			Properties map[string]string
		}
	}
	var answer struct{ Results []struct{ ID string } }
	v.unwrap(e.RequestBody, &sent)
	v.unwrap(e.ResponseBody, &answer)
	written := map[string]bool{}
	for _, r := range answer.Results {
		written[r.ID] = true
	}
	var all []writtenValue
	for _, in := range sent.Inputs {
		for name, value := range in.Properties {
			if written[in.ID] {
				all = append(all, writtenValue{change{in.ID, name}, value})
			}
		}
	}
	return all
}

func (*hubspotView) reads(route string) bool {
	return strings.HasPrefix(route, "GET ") || strings.HasSuffix(route, "/search") || strings.HasSuffix(route, "/batch/read")
}
