package main

import (
	"cmp"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"handoff/connectors/hubspot"
	"handoff/connectors/salesforce"
	"handoff/crm"
)

// TestManifest compares docs/MANIFEST.md with what reaches both CRMs: nothing may occur that is not in it, and what is in it
// occurs, except where its row says only when. All of it with no other scopes than those that it names, and, on Salesforce, by
// a user who sees records and fields by the permission set of setup alone.
func TestManifest(t *testing.T) {
	t.Parallel()
	m := readManifest(t)
	l := newLab(t, "salesforce")
	w := &watch{lab: l, base: map[string]string{"salesforce": l.url}, traffic: map[string]*traffic{}, seen: map[string]int{}}
	l.look("hubspot")
	w.base["hubspot"] = l.url
	for connection := range w.base {
		w.traffic[connection] = newTraffic()
	}

	w.revokeAllBut(m)

	w.handoff("setup", "--apply", "--layout", "Opportunity Layout", "--layout", "Account Layout")
	w.handoff("setup")
	check := w.handoff("check")
	w.handoff("run", "--once", "--dry-run")
	first := w.handoff("run", "--once")
	idle := w.handoff("run", "--once")
	for tries := 0; idle["hubspot"] > first["hubspot"]/2 && tries < 30; tries++ {
		idle = w.handoff("run", "--once") // a run reads once more what was written in the second before the one before it
	}
	w.edit(map[string]any{"description": "Kickoff with the new project lead on Monday."})
	one := w.handoff("run", "--once")
	reconciled := w.handoff("run", "--once", "--job", "reconcile")
	w.edit(map[string]any{"finalised": true})
	w.handoff("run", "--once")
	w.handoff("setup", "--remove")

	t.Run("salesforce", func(t *testing.T) { m.compareSalesforce(t, w.traffic["salesforce"]) })
	t.Run("hubspot", func(t *testing.T) { m.compareHubSpot(t, w.traffic["hubspot"]) })
	t.Run("facts", m.compareFacts)
	t.Run("costs", func(t *testing.T) {
		m.compareCosts(t, map[string]map[string]int{
			"the first, over 57 won deals": first, "nothing new": idle, "one deal changed": one, "the reconciliation": reconciled, "`handoff check`": check,
		})
	})
}

// watch carries out commands and takes note of what they send to both CRMs.
type watch struct {
	*lab
	base    map[string]string // address of a CRM, by connection
	traffic map[string]*traffic
	seen    map[string]int // how many of the calls are noted, by connection
}

// revokeAllBut takes away what setup grants itself on Salesforce, and on HubSpot the scopes that the manifest does not name.
func (w *watch) revokeAllBut(m manifest) {
	w.t.Helper()
	revoke := func(connection, permission string) {
		w.url = w.base[connection]
		w.call("POST", "/_sandbox/revoked", "", "application/json", `{"permission":"`+permission+`"}`, nil)
	}
	w.look("salesforce")
	w.revokeProfile()
	var named []string
	for _, row := range m["HubSpot"] {
		named = append(named, row.codes("Scope")...)
	}
	for _, scope := range w.scopes() {
		if !slices.Contains(named, scope) {
			revoke("hubspot", scope)
		}
	}
}

// revokeProfile takes from the integration user of Salesforce all that a profile could lack: objects, and fields that may be
// hidden. Left is the field by which the tests know their deals.
func (l *lab) revokeProfile() {
	l.t.Helper()
	var found struct {
		Records []struct {
			Name   string `json:"QualifiedApiName"`
			Entity struct {
				Name string `json:"QualifiedApiName"`
			} `json:"EntityDefinition"`
		}
	}
	const soql = "SELECT EntityDefinition.QualifiedApiName, QualifiedApiName FROM EntityParticle WHERE IsPermissionable = true"
	l.call("GET", salesforceAPI+"/tooling/query?q="+url.QueryEscape(soql), l.crm.(*salesforceView).token, "", "", &found)
	permissions := []string{"Task.read", "Event.read", "EventRelation.read"}
	for _, object := range []string{"Account", "Opportunity", "Contact", "Contract"} {
		permissions = append(permissions, object+".read", object+".edit")
	}
	for _, f := range found.Records {
		if f.Name != "Case_Id__c" {
			permissions = append(permissions, f.Entity.Name+"."+f.Name+".read")
		}
	}
	for _, p := range permissions {
		l.call("POST", "/_sandbox/revoked", "", "application/json", `{"permission":"`+p+`"}`, nil)
	}
}

// scopes are those that the portal knows, which it tells whoever names another.
func (w *watch) scopes() []string {
	w.t.Helper()
	res, err := http.Post(w.base["hubspot"]+"/_sandbox/revoked", "application/json", strings.NewReader(`{"permission":"none"}`))
	if err != nil {
		w.t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	_, known, found := strings.Cut(strings.TrimSpace(string(text)), "knows ")
	if err != nil || !found {
		w.t.Fatalf("the portal does not list its scopes: %v: %s", err, text)
	}
	return strings.Split(known, ", ")
}

// logged is a call in the log of a CRM.
type logged struct {
	Method, Path, Query string
	RequestBody         json.RawMessage
}

// fresh returns the calls that reached a CRM since it was last asked.
func (w *watch) fresh(connection string) []logged {
	w.t.Helper()
	var text string
	w.url = w.base[connection]
	w.call("GET", "/_sandbox/log", "", "", "", &text)
	var all []logged
	for line := range strings.Lines(text) {
		var e logged
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			w.t.Fatalf("request log: %v: %.200s", err, line)
		}
		all = append(all, e)
	}
	news := all[w.seen[connection]:]
	w.seen[connection] = len(all)
	return news
}

// handoff runs a command to its end, notes its traffic, and returns how many calls it sent to each CRM, those for tokens left
// out.
func (w *watch) handoff(args ...string) map[string]int {
	w.t.Helper()
	command := args[0]
	if slices.Contains(args, "--remove") {
		command += " --remove"
	}
	for connection := range w.base {
		w.fresh(connection) // what the test itself has called
	}
	w.lab.handoff(0, args...)
	sent := map[string]int{}
	for connection, tr := range w.traffic {
		for _, e := range w.fresh(connection) {
			if !strings.HasPrefix(e.Path, "/services/oauth2/") {
				sent[connection]++
			}
			tr.take(w.lab, connection, command, e)
		}
	}
	return sent
}

// edit changes one scored deal in each CRM as another user would.
func (w *watch) edit(fields map[string]any) {
	w.t.Helper()
	for connection := range w.base {
		w.look(connection)
		all := w.crm.records(crm.DealObject)
		i := slices.IndexFunc(all, func(r record) bool { return r.values["rating"] == "Excellent" })
		if i < 0 {
			w.t.Fatalf("%s: no deal is excellent", connection)
		}
		w.crm.edit(all[i].id, fields)
	}
}

// manifest is docs/MANIFEST.md.
type manifest map[string][]tableRow // tables, by the heading they stand under: "Salesforce/Calls"

// tableRow is a row of a table, its cells by column.
type tableRow map[string]string

const manifestPath = "../../docs/MANIFEST.md"

func readManifest(t *testing.T) manifest {
	t.Helper()
	text, err := os.ReadFile(manifestPath)
	if err != nil {
		t.Fatal(err)
	}
	m := manifest{}
	var crm, heading string
	var columns []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "## "):
			crm, heading, columns = line[3:], line[3:], nil
		case strings.HasPrefix(line, "### "):
			heading, columns = crm+"/"+line[4:], nil
		case !strings.HasPrefix(line, "|"):
			columns = nil
		case strings.HasPrefix(line, "|--"):
		default:
			cells := strings.Split(strings.Trim(line, "|"), "|")
			for i := range cells {
				cells[i] = strings.TrimSpace(cells[i])
			}
			if columns == nil {
				columns = cells
				continue
			}
			if len(cells) != len(columns) {
				t.Fatalf("%s: %d cells below %d columns: %s", manifestPath, len(cells), len(columns), line)
			}
			row := tableRow{}
			for i, c := range columns {
				row[c] = cells[i]
			}
			m[heading] = append(m[heading], row)
		}
	}
	return m
}

var quotedCode = regexp.MustCompile("`([^`]+)`")

// codes returns what stands in code quotes in a cell.
func (r tableRow) codes(column string) []string {
	var all []string
	for _, found := range quotedCode.FindAllStringSubmatch(r[column], -1) {
		all = append(all, found[1])
	}
	return all
}

// pairs returns a pair for each two codes in two cells of each row; true: it need not occur.
func (m manifest) pairs(t *testing.T, of, what string, headings ...string) map[pair]bool {
	t.Helper()
	all := map[pair]bool{}
	for _, heading := range headings {
		if len(m[heading]) == 0 {
			t.Fatalf("%s has no table under %q", manifestPath, heading)
		}
		for _, row := range m[heading] {
			for _, a := range row.codes(of) {
				for _, b := range row.codes(what) {
					all[pair{a, b}] = row["Only when"] != ""
				}
			}
		}
	}
	return all
}

// compareWithManifest reports what occurs without being in the manifest, and the other way round.
func compareWithManifest(t *testing.T, what string, manifest, traffic map[pair]bool) {
	t.Helper()
	order := func(a, b pair) int { return cmp.Or(cmp.Compare(a.of, b.of), cmp.Compare(a.what, b.what)) }
	for _, p := range slices.SortedFunc(maps.Keys(traffic), order) {
		if _, there := manifest[p]; !there {
			t.Errorf("%s: `%s` `%s` occurs and is not in %s", what, p.of, p.what, manifestPath)
		}
	}
	for _, p := range slices.SortedFunc(maps.Keys(manifest), order) {
		if !manifest[p] && !traffic[p] {
			t.Errorf("%s: `%s` `%s` is in %s and does not occur; where it needs a condition, its row names it under \"Only when\"", what, p.of, p.what, manifestPath)
		}
	}
}

// compareSalesforce compares the tables on Salesforce with its traffic.
func (m manifest) compareSalesforce(t *testing.T, tr *traffic) {
	compareWithManifest(t, "calls", m.pairs(t, "Call", "Command", "Salesforce/Calls"), tr.calls)
	reads := m.pairs(t, "Object", "Fields", "Salesforce/Read by a run", "Salesforce/Read and written by setup and check")
	for object, field := range m.mapped("Salesforce", "Opportunity", "Account", "Contract") {
		reads[pair{object, field}] = true
	}
	writes := m.pairs(t, "Object", "Writes", "Salesforce/Read and written by setup and check")
	m.ownFields(t, "Salesforce", map[string]string{"deal": "Opportunity", "account": "Account"}, reads, writes)
	compareWithManifest(t, "fields read", folded(reads), folded(tr.reads))
	compareWithManifest(t, "fields written", writes, tr.writes)
	objects := map[string]bool{}
	for p := range reads {
		objects[p.of] = true
	}
	for p := range tr.links {
		if !objects[p.what] {
			t.Errorf("%s is described, and no table of %s has it", p.what, manifestPath)
		}
	}
}

// folded is pairs with names as Salesforce compares them: whatever their case.
func folded(pairs map[pair]bool) map[pair]bool {
	all := map[pair]bool{}
	for p, value := range pairs {
		all[pair{p.of, strings.ToLower(p.what)}] = value
	}
	return all
}

// compareHubSpot compares the tables on HubSpot with its traffic.
func (m manifest) compareHubSpot(t *testing.T, tr *traffic) {
	compareWithManifest(t, "calls", m.pairs(t, "Call", "Command", "HubSpot/Calls"), tr.calls)
	compareWithManifest(t, "associations", m.pairs(t, "From", "To", "HubSpot/Associations"), tr.links)
	reads := m.pairs(t, "Type", "Properties", "HubSpot/Read")
	for object, property := range m.mapped("HubSpot", "deals", "companies", "") {
		reads[pair{object, property}] = true
	}
	writes := map[pair]bool{}
	m.ownFields(t, "HubSpot", map[string]string{"deal": "deals", "account": "companies"}, reads, writes)
	compareWithManifest(t, "properties read", reads, tr.reads)
	compareWithManifest(t, "properties written", writes, tr.writes)
}

// ownFields adds our own fields, of which all are read and some are written.
func (m manifest) ownFields(t *testing.T, column string, objects map[string]string, reads, writes map[pair]bool) {
	t.Helper()
	for _, row := range m["Our own fields"] {
		for _, field := range row.codes(column) {
			p := pair{objects[row["On the"]], field}
			reads[p] = false
			if !strings.HasPrefix(row["Written"], "never") {
				writes[p] = false
			}
		}
	}
}

// mapped yields the object and the name of each field of yours that facts may be read from.
func (m manifest) mapped(column, deal, account, contract string) func(func(object, field string) bool) {
	return func(yield func(object, field string) bool) {
		for _, row := range m["Your fields that facts are read from"] {
			for _, name := range row.codes(column) {
				object := deal
				for prefix, parent := range map[string]string{"Account.": account, "company.": account, "Contract.": contract} {
					if own, found := strings.CutPrefix(name, prefix); found {
						object, name = parent, own
					}
				}
				if !yield(object, name) {
					return
				}
			}
		}
	}
}

// compareFacts compares the table of your fields with those that the connectors look for.
func (m manifest) compareFacts(t *testing.T) {
	for column, defaults := range map[string]map[string][]string{"Salesforce": salesforce.DefaultFields, "HubSpot": hubspot.DefaultFields} {
		manifest, code := map[pair]bool{}, map[pair]bool{}
		for _, row := range m["Your fields that facts are read from"] {
			for _, name := range row.codes(column) {
				manifest[pair{row.codes("Fact")[0], name}] = false
			}
		}
		for fact, names := range defaults {
			for _, name := range names {
				code[pair{fact, name}] = true
			}
		}
		compareWithManifest(t, column, manifest, code)
	}
}

// compareCosts compares the rough numbers of calls with those that were sent.
func (m manifest) compareCosts(t *testing.T, got map[string]map[string]int) {
	rows := m["What it costs"]
	if len(rows) != len(got) {
		t.Errorf("%d rows, want %d", len(rows), len(got))
	}
	for _, row := range rows {
		for column, connection := range map[string]string{"Salesforce": "salesforce", "HubSpot": "hubspot"} {
			rough, err := strconv.Atoi(row[column])
			sent := got[row["Run"]][connection]
			t.Logf("%s, %s: %d calls", column, row["Run"], sent)
			if off := max(sent, rough) - min(sent, rough); err != nil || off > 2+rough/3 { // searches at a limit are sent again
				t.Errorf("%s, %s: %s calls are documented, %d were sent", column, row["Run"], row[column], sent)
			}
		}
	}
}
