package hubspot

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (a *api) revoke(scopes ...string) {
	a.t.Helper()
	for _, scope := range scopes {
		if w := a.call("POST", "/_sandbox/revoked", `{"permission":"`+scope+`"}`); w.Code != http.StatusNoContent {
			a.t.Fatalf("revoke %s: %d %s", scope, w.Code, w.Body)
		}
	}
}

// needed returns the scopes that the refusal of a call names; "": it is not refused.
func (a *api) needed(method, path, body string) string {
	a.t.Helper()
	if w := a.call(method, path, body); w.Code < http.StatusBadRequest {
		return ""
	}
	e := get[apiError](a, http.StatusForbidden, method, path, body)
	if e.Category != "MISSING_SCOPES" || len(e.Errors) != 1 {
		a.t.Fatalf("%s %s: %+v", method, path, e)
	}
	return strings.Join(e.Errors[0].Context["requiredGranularScopes"], " ")
}

func TestRevokedScopes(t *testing.T) {
	t.Parallel()
	const (
		search, update = "/crm/objects/2026-09/%s/search", "/crm/objects/2026-09/%s/batch/update"
		none           = `{"inputs":[]}`
		property       = `{"name":"x","label":"X","groupName":"dealinformation","type":"string","fieldType":"text"}`
	)
	at := func(path, object string) string { return strings.Replace(path, "%s", object, 1) }
	for name, c := range map[string]struct{ revoked, method, path, body, want string }{
		"deals":                      {"crm.objects.deals.read", "POST", at(search, "deals"), "{}", "crm.objects.deals.read"},
		"deals, by type":             {"crm.objects.deals.read", "GET", "/crm/v3/objects/0-3", "", "crm.objects.deals.read"},
		"one deal":                   {"crm.objects.deals.read", "GET", dealRecords + "/" + wonID, "", "crm.objects.deals.read"},
		"deals' writes stay":         {"crm.objects.deals.read", "POST", at(update, "deals"), none, ""},
		"writing deals":              {"crm.objects.deals.write", "POST", at(update, "deals"), none, "crm.objects.deals.write"},
		"writing deals by no inputs": {"crm.objects.deals.write", "POST", at(update, "deals"), "{}", "crm.objects.deals.write"},
		"companies":                  {"crm.objects.companies.read", "POST", "/crm/v3/objects/companies/batch/read", none, "crm.objects.companies.read"},
		"writing companies":          {"crm.objects.companies.write", "POST", at(update, "companies"), none, "crm.objects.companies.write"},
		"contacts":                   {"crm.objects.contacts.read", "POST", at(search, "contacts"), "{}", "crm.objects.contacts.read"},
		"notes go with contacts":     {"crm.objects.contacts.read", "POST", at(search, "notes"), "{}", "crm.objects.contacts.read"},
		"tasks go with contacts":     {"crm.objects.contacts.read", "POST", at(search, "tasks"), "{}", "crm.objects.contacts.read"},
		"emails":                     {"sales-email-read", "POST", at(search, "emails"), "{}", "sales-email-read"},
		"emails, as contacts":        {"crm.objects.contacts.read", "POST", at(search, "emails"), "{}", "crm.objects.contacts.read"},
		"emails, both":               {"crm.objects.contacts.read sales-email-read", "POST", at(search, "emails"), "{}", "crm.objects.contacts.read sales-email-read"},
		"calls without emails":       {"sales-email-read", "POST", at(search, "calls"), "{}", ""},
		"associations, from":         {"crm.objects.deals.read", "POST", dealsToContacts + "/batch/read", none, "crm.objects.deals.read"},
		"associations, to":           {"crm.objects.contacts.read", "POST", dealsToContacts + "/batch/read", none, "crm.objects.contacts.read"},
		"labels":                     {"crm.objects.contacts.read", "GET", dealsToContacts + "/labels", "", "crm.objects.contacts.read"},
		"owners":                     {"crm.objects.owners.read", "GET", "/crm/v3/owners", "", "crm.objects.owners.read"},
		"pipelines, by records":      {"crm.schemas.deals.read", "GET", "/crm/v3/pipelines/deals", "", ""},
		"definitions, by records":    {"crm.schemas.deals.read", "GET", dealProperties, "", ""},
		"definitions, by definition": {"crm.objects.deals.read crm.objects.deals.write", "GET", dealProperties, "", ""},
		"definitions":                {"crm.schemas.deals.read crm.objects.deals.read crm.objects.deals.write", "GET", dealProperties, "", "crm.schemas.deals.read"},
		"groups":                     {"crm.schemas.deals.read crm.objects.deals.read crm.objects.deals.write", "GET", dealProperties + "/groups", "", "crm.schemas.deals.read"},
		"defining":                   {"crm.schemas.deals.write", "POST", dealProperties, property, "crm.schemas.deals.write"},
		"archiving":                  {"crm.schemas.deals.write", "DELETE", dealProperties + "/x", "", "crm.schemas.deals.write"},
		"defining a group":           {"crm.schemas.companies.write", "POST", "/crm/v3/properties/companies/groups", "{}", "crm.schemas.companies.write"},
		"the account":                {"crm.objects.deals.read", "GET", "/account-info/2026-09/details", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := newAPI(t)
			a.revoke(strings.Fields(c.revoked)...)
			if got := a.needed(c.method, c.path, c.body); got != c.want {
				t.Errorf("%s %s needs %q, want %q", c.method, c.path, got, c.want)
			}
		})
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.revoke("crm.objects.deals.read", "crm.objects.deals.read")
	a.token = TokenNoScope
	if got, want := a.needed("GET", "/crm/v3/objects/contacts", ""), ""; got != want {
		t.Errorf("the other token needs %q", got)
	}
	a.token = Token
	if w := a.call("DELETE", "/_sandbox/revoked", ""); w.Code != http.StatusNoContent {
		t.Fatalf("restore: %d %s", w.Code, w.Body)
	}
	if got := a.needed("GET", dealRecords, ""); got != "" {
		t.Errorf("restored, and needs %q", got)
	}
	w := a.call("POST", "/_sandbox/revoked", `{"permission":"crm.objects.deal.read"}`)
	want := `there is no scope "crm.objects.deal.read"; this portal knows crm.objects.companies.read, crm.objects.companies.write, crm.objects.contacts.read, ` +
		`crm.objects.contacts.write, crm.objects.deals.read, crm.objects.deals.write, crm.objects.owners.read, crm.schemas.companies.read, crm.schemas.companies.write, ` +
		"crm.schemas.contacts.read, crm.schemas.contacts.write, crm.schemas.deals.read, crm.schemas.deals.write, sales-email-read\n"
	if diff := cmp.Diff(want, w.Body.String()); w.Code != http.StatusBadRequest || diff != "" {
		t.Errorf("an unknown scope: %d (-want +got):\n%s", w.Code, diff)
	}
}

func TestTokenWithoutScopes(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	a.token = TokenNoScope
	for path, want := range map[string]string{
		dealRecords: "crm.objects.deals.read", dealProperties: "crm.schemas.deals.read",
		"/crm/v3/objects/notes": "", "/crm/v3/objects/emails": "", "/crm/v3/owners": "", "/crm/v3/objects/contacts": "",
	} {
		if got := a.needed("GET", path, ""); got != want {
			t.Errorf("%s needs %q, want %q", path, got, want)
		}
	}
}
