package main

import (
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// pair is a call and the command that sends it, or an object and one of its fields.
type pair struct{ of, what string }

// traffic is what reached one CRM. Links are HubSpot's associations, and Salesforce's objects that were described.
type traffic struct{ calls, reads, writes, links map[pair]bool }

func newTraffic() *traffic {
	return &traffic{calls: map[pair]bool{}, reads: map[pair]bool{}, writes: map[pair]bool{}, links: map[pair]bool{}}
}

func (tr *traffic) take(l *lab, connection, command string, e logged) {
	l.t.Helper()
	if connection == "salesforce" {
		tr.takeSalesforce(l, command, e)
		return
	}
	tr.takeHubSpot(l, command, e)
}

var (
	apiRoot      = regexp.MustCompile(`^/services/data/v[0-9]+\.0(/|$)`)
	describePath = regexp.MustCompile(`^…/sobjects/(\w+)/describe(/layouts)?$`)
	salesforceID = regexp.MustCompile(`/[0-9][0-9A-Za-z]{14}(?:[0-9A-Za-z]{3})?(/|$)`)
)

func (tr *traffic) takeSalesforce(l *lab, command string, e logged) {
	l.t.Helper()
	query, err := url.ParseQuery(e.Query)
	if err != nil {
		l.t.Fatal(err)
	}
	path := salesforceID.ReplaceAllString(apiRoot.ReplaceAllString(e.Path, "…$1"), "/{id}$1")
	if found := describePath.FindStringSubmatch(path); found != nil {
		tr.links[pair{"describe", found[1]}] = true
		path = "…/sobjects/{object}/describe" + found[2]
	}
	tr.calls[pair{e.Method + " " + path, command}] = true
	if strings.HasSuffix(path, "/ContentVersion/{id}/VersionData") {
		tr.reads[pair{"ContentVersion", "VersionData"}] = true
	}
	if soql := query.Get("q"); soql != "" && !(command == "setup" && strings.Contains(soql, profiled)) {
		tr.takeSOQL(l, soql)
	}
	if len(e.RequestBody) == 0 || e.Method == "GET" {
		return
	}
	_, created, _ := strings.Cut(path, "/sobjects/")
	switch {
	case path == "…/composite":
		var composite struct {
			CompositeRequest []struct{ Method, URL string }
		}
		l.unwrap(e.RequestBody, &composite)
		for _, part := range composite.CompositeRequest {
			path, query, _ := strings.Cut(part.URL, "?")
			tr.takeSalesforce(l, command, logged{Method: part.Method + " in a composite", Path: path, Query: query})
		}
	case path == "…/composite/sobjects":
		var collection struct {
			Records []map[string]json.RawMessage
		}
		l.unwrap(e.RequestBody, &collection)
		for _, r := range collection.Records {
			var attributes struct{ Type string }
			l.unwrap(r["attributes"], &attributes)
			for field := range r {
				if field != "attributes" && !strings.EqualFold(field, "id") {
					tr.writes[pair{attributes.Type, field}] = true
				}
			}
		}
	case created != "":
		object, _, _ := strings.Cut(created, "/")
		var fields map[string]json.RawMessage
		l.unwrap(e.RequestBody, &fields)
		for field := range fields {
			tr.writes[pair{object, field}] = true
		}
	}
}

// profiled ends the statements of setup that read whatever Sales fills in on the newest deals, to count it: the manifest says
// so in a sentence.
const profiled = " ORDER BY CloseDate DESC"

var (
	soqlForm    = regexp.MustCompile(`^SELECT (.+?) FROM (\w+)( .*)?$`)
	soqlText    = regexp.MustCompile(`'(?:[^'\\]|\\.)*'`)
	soqlCompare = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_.]*) (?:=|!=|<|>|<=|>=|IN|NOT IN|LIKE) ?`)
	soqlJoin    = regexp.MustCompile(`\((SELECT (?:[^()]|\([^()]*\))*)\)`)
	soqlOrder   = regexp.MustCompile(`ORDER BY (.+?)(?: LIMIT .*)?$`)
)

// parents are the objects behind relationships; a lookup of the customer's own leads to a user.
var parents = map[string]string{
	"Account": "Account", "Contact": "Contact", "ContentDocument": "ContentDocument", "Contract": "Contract", "CreatedBy": "User", "Event": "Event",
	"LastModifiedBy": "User", "Opportunity": "Opportunity", "Owner": "User", "RecordType": "RecordType",
}

// takeSOQL notes what a statement selects, compares and sorts by.
func (tr *traffic) takeSOQL(l *lab, soql string) {
	l.t.Helper()
	parts := soqlForm.FindStringSubmatch(soql)
	if parts == nil {
		l.t.Fatalf("not a statement that this test can read: %s", soql)
	}
	object, rest := parts[2], soqlText.ReplaceAllString(parts[3], "''")
	for _, join := range soqlJoin.FindAllStringSubmatch(rest, -1) {
		tr.takeSOQL(l, join[1])
	}
	rest = soqlJoin.ReplaceAllString(rest, "()")
	columns := strings.Split(parts[1], ",")
	for _, found := range soqlCompare.FindAllStringSubmatch(rest, -1) {
		columns = append(columns, found[1])
	}
	if order := soqlOrder.FindStringSubmatch(rest); order != nil {
		columns = append(columns, strings.Split(order[1], ",")...)
	}
	for _, column := range columns {
		way := strings.Split(strings.TrimSuffix(strings.TrimSpace(column), " DESC"), ".")
		of, field := object, way[len(way)-1]
		for _, relationship := range way[:len(way)-1] {
			switch {
			case parents[relationship] != "":
				of = parents[relationship]
			case strings.HasSuffix(relationship, "__r"):
				of = "User"
			default:
				field = relationship + "." + field
			}
		}
		if field != "COUNT()" {
			tr.reads[pair{of, field}] = true
		}
	}
}

var (
	objectPath = regexp.MustCompile(`^/crm/objects/2026-09/(\w+)(/search|/batch/read)$`)
	linkPath   = regexp.MustCompile(`^/crm/associations/2026-09/(\w+)/(\w+)/batch/read$`)
	ownPath    = regexp.MustCompile(`^(/crm/properties/2026-09/\w+(?:/groups)?)/handoff\w*$`)
)

func (tr *traffic) takeHubSpot(l *lab, command string, e logged) {
	l.t.Helper()
	query, err := url.ParseQuery(e.Query)
	if err != nil {
		l.t.Fatal(err)
	}
	path := strings.TrimSuffix(e.Path, "/")
	var body struct {
		Properties, PropertiesWithHistory, Sorts []string
		FilterGroups                             []struct {
			Filters []struct{ PropertyName string }
		}
	}
	read := func(object string, properties ...string) {
		for _, p := range properties {
			tr.reads[pair{object, strings.TrimPrefix(p, "-")}] = true
		}
	}
	switch found, link, own := objectPath.FindStringSubmatch(path), linkPath.FindStringSubmatch(path), ownPath.FindStringSubmatch(path); {
	case found != nil && command == "setup": // counts whatever Sales fills in: the manifest says so in a sentence
		path = "/crm/objects/2026-09/{type}" + found[2]
	case found != nil:
		l.unwrap(e.RequestBody, &body)
		read(found[1], slices.Concat(body.Properties, body.PropertiesWithHistory, body.Sorts)...)
		for _, g := range body.FilterGroups {
			for _, f := range g.Filters {
				read(found[1], f.PropertyName)
			}
		}
		path = "/crm/objects/2026-09/{type}" + found[2]
	case link != nil:
		tr.links[pair{link[1], link[2]}] = true
		path = "/crm/associations/2026-09/{type}/{type}/batch/read"
	case own != nil:
		path = own[1] + "/{name}"
	case e.Method == "GET" && strings.HasPrefix(path, "/crm/objects/"):
		object := strings.Split(path, "/")[4]
		for _, list := range slices.Concat(query["properties"], query["propertiesWithHistory"]) {
			read(object, strings.Split(list, ",")...)
		}
		if single := "/crm/objects/2026-09/" + object; path != single {
			path = single + "/{id}"
			for _, list := range query["associations"] {
				for to := range strings.SplitSeq(list, ",") {
					tr.links[pair{object, to}] = true
				}
			}
		}
	case strings.HasSuffix(path, "/batch/update"):
		var update struct {
			Inputs []struct{ Properties map[string]string }
		}
		l.unwrap(e.RequestBody, &update)
		object := strings.Split(path, "/")[4]
		for _, in := range update.Inputs {
			for property := range in.Properties {
				tr.writes[pair{object, property}] = true
			}
		}
	}
	tr.calls[pair{e.Method + " " + path, command}] = true
}
