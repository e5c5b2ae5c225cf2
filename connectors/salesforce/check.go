package salesforce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"handoff/connectors"
	"handoff/crm"
)

const opCheck = "check the org"

// oldReleases is how far behind the newest a version may be without a warning: three years, for which Salesforce keeps one.
const oldReleases = 9

// Unusable implements connectors.Inspector.
func (c *Client) Unusable(ctx context.Context) ([]connectors.Finding, error) {
	s, err := c.described(ctx)
	if err != nil {
		return nil, err
	}
	var found []connectors.Finding
	for _, object := range []crm.Object{crm.DealObject, crm.AccountObject} {
		for _, f := range c.specs[object] {
			if u := unusable(f, s.objects[sobjects[object]]); u != nil {
				found = append(found, *u)
			}
		}
	}
	return found, nil
}

// checkup is a check that is under way.
type checkup struct {
	*Client
	connectors.Checkup
}

// Check implements connectors.Inspector.
func (c *Client) Check(ctx context.Context) (connectors.Checkup, error) {
	k := &checkup{Client: c}
	known, at, err := c.versions(ctx)
	login, refused := c.session(ctx)
	k.Account = login.org
	understood := len(known) == 0 || slices.Contains(known, c.cfg.APIVersion)
	reachable := false
	switch {
	case refused != nil:
		k.failed(refused)
	case understood:
		reachable = k.login(ctx, login)
	}
	if ending := endings[c.cfg.Auth]; ending != "" {
		k.add(connectors.Warning, "auth", ending, insteadOfEnding)
	}
	switch e := (*connectors.Error)(nil); {
	case err == nil:
		k.version(known)
		k.clock(at)
	case refused == nil && errors.As(err, &e): // else the login tells the same
		k.add(connectors.Warning, "api_version", "neither the versions of the API nor the clocks are compared: "+e.Message, cmp.Or(e.Remedy, "Check again"))
	}
	if reachable {
		k.usage()
		k.org(ctx)
	}
	return k.Checkup, ctx.Err()
}

func (k *checkup) add(severity connectors.Severity, place, text, remedy string) {
	k.Findings = append(k.Findings, connectors.Finding{Severity: severity, Place: place, Text: text, Remedy: remedy})
}

// failed makes a problem of an error, once.
func (k *checkup) failed(err error) {
	e := (*connectors.Error)(nil)
	if !errors.As(err, &e) {
		k.add(connectors.Problem, crmName, err.Error(), "")
		return
	}
	bare := *e
	bare.Remedy = ""
	f := connectors.Finding{Severity: connectors.Problem, Place: cmp.Or(e.Setting, crmName), Text: bare.Error(), Remedy: e.Remedy}
	if !slices.Contains(k.Findings, f) {
		k.Findings = append(k.Findings, f)
	}
}

// missed says of a look that rounds a check off why it was in vain. Many an integration user lacks the permission that it
// needs, and runs do without: then it is no more than said.
func (k *checkup) missed(what, needs string, err error) {
	switch e := refused(err); {
	case e == nil: // ctx ended
	case barred(err):
		k.failed(err)
	case errors.Is(err, connectors.ErrConfig):
		k.add(connectors.Fine, crmName, fmt.Sprintf("not looked at: %s (needs %s): %s", what, needs, e.Message), "")
	default:
		k.add(connectors.Warning, crmName, "no answer to "+what+": "+e.Message, cmp.Or(e.Remedy, "Check again"))
	}
}

// viewSetup is the permission without which Salesforce shows nobody's permissions, nor fields that the user may not see.
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_permissionset.htm
const viewSetup = "View Setup and Configuration"

// login says who we are, and where. It reports whether the API answers at all.
func (k *checkup) login(ctx context.Context, login session) bool {
	me, err := k.me(ctx)
	if err != nil {
		k.failed(err)
		return false
	}
	user := &selection[row]{soql: selectFrom("User", []string{"Name", "Username"}, "Id = "+quote(me), "")}
	org := &selection[row]{soql: selectFrom("Organization", []string{"Id", "Name", "IsSandbox"}, "", "")}
	if _, err := k.read(ctx, opCheck, user, org); err != nil {
		k.failed(err)
		return false
	}
	who, where := "user "+me, "org "+login.org
	for _, u := range user.rows {
		who = fmt.Sprintf("%s (%s)", u.text("Name"), u.text("Username"))
	}
	for _, o := range org.rows {
		k.Account = o.text("Id")
		where = fmt.Sprintf("%s (org %s)", o.text("Name"), o.text("Id"))
		if o.flag("IsSandbox") {
			where += ", a sandbox"
		}
	}
	k.add(connectors.Fine, "login", fmt.Sprintf("logged in as %s to %s", who, where), "")
	return true
}

// version judges our version of the API by those that the org has.
func (k *checkup) version(known []string) {
	if len(known) == 0 {
		return
	}
	newest := known[len(known)-1]
	behind := release(newest) - release(k.cfg.APIVersion)
	switch {
	case !slices.Contains(known, k.cfg.APIVersion):
		e := k.unknownVersion(known)
		k.add(connectors.Problem, e.Setting, e.Message, e.Remedy)
	case behind >= oldReleases:
		k.add(connectors.Warning, "api_version", fmt.Sprintf("version %s of the API is %d releases behind the org's newest, %s; Salesforce may retire versions after three years, which is 9 releases",
			k.cfg.APIVersion, behind, newest), fmt.Sprintf("Set api_version to %q and try `handoff run --once --dry-run`", newest))
	default:
		k.add(connectors.Fine, "api_version", fmt.Sprintf("the org knows version %s of the API; its newest is %s", k.cfg.APIVersion, newest), "")
	}
}

// clock compares this machine's clock with Salesforce's, which tells whole seconds.
func (k *checkup) clock(at time.Time) {
	if !at.IsZero() {
		k.Findings = append(k.Findings, connectors.Skew(crmName, k.cfg.Now(), at))
	}
}

// usage judges what is left of the quota, as the last answer told.
func (k *checkup) usage() {
	q := k.quota()
	if q.Limit == 0 { // not told
		return
	}
	k.Quota = q
	k.Findings = append(k.Findings, q.Finding(fmt.Sprintf("%d of %d API calls of the last 24 hours are used, by all integrations of the org", q.Used, q.Limit),
		"See which integrations use them under Setup > System Overview > API Usage; let them call less, or buy more calls"))
}

// org looks at what the integration user may see and do.
func (k *checkup) org(ctx context.Context) {
	var lists []*list
	for _, f := range coreFeeds {
		lists = append(lists, f.after(crm.Watermark{Time: k.orgTime()}, time.Time{}))
	}
	s, _, err := k.look(ctx, parts(lists)...)
	if err != nil {
		k.failed(err)
		return
	}
	k.objects(s)
	k.hidden(s)
	k.sharing(ctx)
	for _, src := range sources {
		k.source(s, src)
	}
	k.news(ctx, s, lists)
	k.own(ctx, s)
	k.pages(ctx, s)
	k.tracking(ctx, s)
	if !s.objects["Opportunity"].off() { // told of already
		for _, fault := range s.faults {
			k.add(connectors.Problem, fault.Setting, fault.Message, fault.Remedy)
		}
	}
}

// objects looks at the permissions on the records that carry our fields.
func (k *checkup) objects(s *schema) {
	deals, accounts := s.objects["Opportunity"], s.objects["Account"]
	switch text, remedy := objectTrouble(deals); {
	case deals.off():
		k.add(connectors.Problem, "Opportunity", text+": no deal can be read", remedy)
	case text != "":
		k.add(connectors.Problem, "Opportunity", text+": no score can be written", remedy)
	default:
		k.add(connectors.Fine, "Opportunity", "the integration user may read and edit opportunities", "")
	}
	if text, remedy := objectTrouble(accounts); text != "" && len(k.specs[crm.AccountObject]) > 0 {
		k.add(connectors.Warning, "Account", text+": the health of accounts is not written", remedy)
	}
}

// sharing warns where the integration user sees only the deals that are shared with it.
func (k *checkup) sharing(ctx context.Context) {
	all, err := k.seesAll(ctx)
	switch {
	case err != nil:
		k.missed("whether the integration user sees all deals", viewSetup, err)
	case !all:
		k.add(connectors.Warning, "Opportunity", "the integration user lacks View All on opportunities: unless the org's sharing settings open them to everyone, it sees only deals that are shared with it, and the others are not scored",
			grantOn("Opportunity", "View All"))
	}
}

// seesAll reports whether a permission lets the integration user see all deals, whoever owns them.
func (k *checkup) seesAll(ctx context.Context) (bool, error) {
	me, err := k.me(ctx)
	if err != nil {
		return false, err
	}
	sets := &selection[row]{soql: selectFrom("PermissionSetAssignment", []string{"PermissionSetId"}, "AssigneeId = "+quote(me), "")}
	if err := k.ask(ctx, sets); err != nil {
		return false, err
	}
	if len(sets.rows) == 0 { // a user has at least that of the profile
		return false, &connectors.Error{Op: opCheck, CRM: crmName, Class: connectors.ErrConfig, Message: "the user's permissions are not shown"}
	}
	var ids []string
	for _, r := range sets.rows {
		ids = append(ids, r.text("PermissionSetId"))
	}
	one := &selection[row]{soql: selectFrom("ObjectPermissions", []string{"Id"}, all("SobjectType = 'Opportunity'", "PermissionsViewAllRecords = true", anyOf("ParentId", ids)), "LIMIT 1")}
	every := &selection[row]{soql: selectFrom("PermissionSet", []string{"Id"}, all("PermissionsViewAllData = true", anyOf("Id", ids)), "LIMIT 1")}
	err = k.ask(ctx, one, every)
	return len(one.rows)+len(every.rows) > 0, err
}

// ask reads selections, all of which have to be answered.
func (k *checkup) ask(ctx context.Context, selections ...*selection[row]) error {
	if _, err := k.read(ctx, opCheck, parts(selections)...); err != nil {
		return err
	}
	for _, sel := range selections {
		if sel.err != nil {
			return sel.err
		}
	}
	return nil
}

// news tries the lists of what is new, of which core are those of coreFeeds. What hides a part of the deals from us is told
// already, and so are the schema's faults.
func (k *checkup) news(ctx context.Context, s *schema, core []*list) {
	if len(s.faults) > 0 {
		return
	}
	var more []*list
	for _, f := range k.feeds(s)[len(coreFeeds):] {
		more = append(more, f.after(crm.Watermark{Time: k.orgTime()}, time.Time{}))
	}
	if _, err := k.read(ctx, opCheck, parts(more)...); err != nil {
		k.missed("whether Salesforce lists what is new", "API Enabled", err)
		return
	}
	for _, l := range slices.Concat(core, more) {
		if l.err != nil && !s.lacks(l.feed.part) {
			k.add(connectors.Problem, l.feed.object, fmt.Sprintf("Salesforce refuses to list what is new of %s (%s): deals that have such news alone are not scored anew", l.feed.part, l.err.Message), l.err.Remedy)
		}
	}
}

// losses say what goes with a standard field of opportunities that holds no fact and that we cannot see.
var losses = map[string]string{
	"AccountId":  "the customer's name and the facts that are kept with the account are not read, and accounts get no health",
	"Amount":     "the amounts of deals are not known",
	"ContractId": "the facts that are kept with the contract are not read",
	"Type":       "deals cannot be filtered by it",
}

func holdsFact(field string) bool { return losses[field] == "" }

const showFields = "Grant the integration user read access in a permission set (Setup > Permission Sets > the user's set > Object Settings > Field Permissions); " +
	"`handoff setup --apply` does so for fields of deals, contacts, tasks and events"

// hidden looks at the standard fields of opportunities that we cannot see.
func (k *checkup) hidden(s *schema) {
	var facts []string
	for _, name := range s.hidden {
		if holdsFact(name) {
			facts = append(facts, name)
			continue
		}
		k.add(connectors.Warning, "Opportunity", "the integration user cannot see "+name+": "+losses[name], showFields)
	}
	if len(facts) > 0 {
		k.add(connectors.Problem, "Opportunity", "the integration user cannot see "+strings.Join(facts, ", ")+": "+openItems, showFields)
	}
}

// effects say what an unread part of a deal means for its score.
var effects = map[crm.Part]string{
	crm.PartContacts: "items 2.1 to 2.4 and 5.1 stay open where the rest of the record does not answer them, and such a deal gets no total, rating or flag",
	crm.PartNotes:    openItems,
	crm.PartTasks:    openItems,
	crm.PartEvents:   openItems,
	crm.PartEmails:   openItems,
	crm.PartHistory:  "changes of owner and who edited our fields are known only roughly",
}

const openItems = "every item but 5.3 stays open where the rest of the record does not answer it, and such a deal gets no total, rating or flag"

// called are the kinds of records around a deal as people call them.
var called = map[string]string{
	"OpportunityContactRole": "contact roles", "Note": "classic notes", "ContentNote": "notes", "Task": "tasks and calls", "Event": "events",
	"EventRelation": "invitees of events", "EmailMessage": "e-mails", "OpportunityFieldHistory": "tracked changes of fields",
}

// source looks at one kind of record around a deal.
func (k *checkup) source(s *schema, src source) {
	d, what := s.objects[src.object], called[src.object]
	severity := connectors.Problem // deals are not scored in full
	if src.part == crm.PartHistory {
		severity = connectors.Warning
	}
	if d.off() {
		switch {
		case !absent(d.err):
			k.add(severity, src.object, fmt.Sprintf("the integration user may not read %s (%s): %s", what, d.err.Message, effects[src.part]), d.err.Remedy)
		case src.feature:
			k.add(connectors.Warning, src.object, fmt.Sprintf("%s are not read: the feature is off in this org, or the integration user may not use it", what),
				"Nothing to do where your teams do not use it. Otherwise switch it on in Setup, and let the integration user use it")
		default:
			k.add(severity, src.object, fmt.Sprintf("the integration user may not read %s: %s", what, effects[src.part]),
				"Grant the integration user Read on it (Setup > Permission Sets > the user's set > Object Settings; for tasks and events: System Permissions > Access Activities)")
		}
		return
	}
	if _, lost := s.choose(src.object, src.columns); len(lost) > 0 {
		k.add(severity, src.object, "the integration user cannot see "+strings.Join(lost, ", ")+": "+effects[src.part],
			showFields)
	}
}
