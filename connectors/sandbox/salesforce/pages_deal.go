package salesforce

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/microcosm-cc/bluemonday"

	"handoff/crm"
)

// dealPage is an opportunity with everything around it.
type dealPage struct {
	frame
	Stage        badge
	Saved        string // the label of the field that was just saved
	Refused      string // why an edit of RefusedField was not saved
	RefusedField string
	Card         *pageCard
	Details      []pageField
	Sales        []pageField
	Blank        []pageField // of the same kind as Sales, but empty
	Contacts     []pageContact
	Notes        []pageNote
	Activities   []pageActivity
	History      []pageChange
}

// pageCard is the handoff scorecard of a deal: the fields whose name begins with Handoff_.
type pageCard struct {
	Scored   bool
	Score    string
	Max      string
	Badges   []badge
	Action   string
	Overview []pageField
	Groups   []pageGroup
	Texts    []pageField
	Rest     []pageField // what Score, Max, Badges, Action and the groups' points show already, and fields that are not ours
	RestOpen bool
}

// pageGroup is a category of the scorecard.
type pageGroup struct {
	Title  string
	Points string
	Fields []pageField
}

type pageContact struct {
	ID      string
	Name    string
	Title   string
	Email   string
	Phone   string
	Role    string
	Bounced bool
	Roles   []string `db:"-"`
}

type pageNote struct {
	Title string
	Body  string
	Rich  bool
	At    string
	By    string
}

// safeHTML lets through how a note is laid out, and nothing that leads elsewhere.
var safeHTML = bluemonday.NewPolicy().AllowElements("p", "div", "span", "br", "b", "strong", "i", "em", "u", "ul", "ol", "li",
	"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td", "blockquote", "pre", "code")

// HTML returns the body of a rich note, safe to show.
func (n pageNote) HTML() template.HTML { return template.HTML(safeHTML.Sanitize(n.Body)) }

type pageActivity struct {
	Kind  string
	Title string
	Text  string
	At    string
	By    string
	To    string
}

type pageChange struct {
	Field string
	From  string
	To    string
	At    string
	By    string
}

// when returns a stored moment as pages write it.
func when(stored string) string {
	t, err := time.Parse(storedTime, stored)
	if err != nil {
		return stored
	}
	return t.Format(pageTime)
}

func (n pageNote) When() string     { return when(n.At) }
func (a pageActivity) When() string { return when(a.At) }
func (c pageChange) When() string   { return when(c.At) }

// errNoDeal says that there is no opportunity with an id.
var errNoDeal = errors.New("no such opportunity")

func (o *Org) showDeal(w http.ResponseWriter, r *http.Request) {
	page, err := o.dealPage(r.Context(), r.PathValue("id"), func(page *dealPage, fields map[string]*pageField) {
		if f, ok := fields[r.FormValue("saved")]; ok {
			page.Saved = f.Label
		}
	})
	if errors.Is(err, errNoDeal) {
		o.showProblem(w, r, http.StatusNotFound, "No such opportunity", "It was never there, or it has been deleted.")
		return
	}
	render(w, http.StatusOK, dealTemplate, page, err)
}

// editDeal saves one field of a deal, as another user than the integration's.
func (o *Org) editDeal(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	r.Body = http.MaxBytesReader(w, r.Body, 1<<20)
	if err := r.ParseForm(); err != nil {
		o.showProblem(w, r, http.StatusBadRequest, "Not saved", "The form could not be read: "+err.Error())
		return
	}
	var field *Field
	err := o.read(ctx, func(sqlx.QueryerContext) error {
		field = o.object("Opportunity").Field(r.PostForm.Get("field"))
		return nil
	})
	if err == nil && field == nil {
		o.showProblem(w, r, http.StatusUnprocessableEntity, "Not saved", "There is no such field any more.")
		return
	}
	var outcome []saved
	sent := r.PostForm.Get("value")
	if err == nil {
		outcome, err = o.updateRecords(ctx, pageUser, []row{{Object: "Opportunity", ID: id, Values: map[string]any{field.Name: submitted(field, sent)}}}, false)
	}
	if err != nil {
		render(w, http.StatusInternalServerError, dealTemplate, nil, err)
		return
	}
	if len(outcome[0].Errors) == 0 {
		http.Redirect(w, r, dealPath(id)+"?saved="+url.QueryEscape(field.Name)+"#"+url.QueryEscape(field.Name), http.StatusSeeOther)
		return
	}
	refusal := outcome[0].Errors[0]
	page, err := o.dealPage(ctx, id, func(page *dealPage, fields map[string]*pageField) {
		page.Refused, page.RefusedField = fmt.Sprintf("%s (%s).", refusal.Message, refusal.StatusCode), field.Name
		if f, ok := fields[field.Name]; ok {
			f.Problem = refusal.Message
			f.Entered = sent
			if f.Input == "select" {
				f.Choices = nil
				f.setChoices(field.Values)
			}
		}
	})
	if errors.Is(err, errNoDeal) {
		o.showProblem(w, r, http.StatusNotFound, "Not saved", refusal.Message)
		return
	}
	render(w, http.StatusUnprocessableEntity, dealTemplate, page, err)
}

// dealPage reads a deal's page. change may change the fields before they are put in their places. The error is errNoDeal
// where there is no such deal.
func (o *Org) dealPage(ctx context.Context, id string, change func(*dealPage, map[string]*pageField)) (*dealPage, error) {
	page := new(dealPage)
	return page, o.read(ctx, func(db sqlx.QueryerContext) (err error) {
		record := map[string]any{}
		err = db.QueryRowxContext(ctx, "SELECT * FROM Opportunity WHERE Id = ? AND NOT IsDeleted", id).MapScan(record)
		if errors.Is(err, sql.ErrNoRows) {
			return errNoDeal
		}
		if err != nil {
			return err
		}
		if page.frame, err = o.frame(ctx, db, enteredText(o.object("Opportunity").Field("Name"), record["Name"])); err != nil {
			return err
		}
		fields, err := o.dealFields(ctx, db, id, record)
		if err != nil {
			return err
		}
		change(page, fields)
		page.place(fields, o.object("Opportunity").Fields)
		return page.readChildren(ctx, db, id, o.object("Opportunity"))
	})
}

// dealFields returns every field of an opportunity, ready to be shown, by its name.
func (o *Org) dealFields(ctx context.Context, db sqlx.QueryerContext, id string, record map[string]any) (map[string]*pageField, error) {
	names, err := o.referenceNames(ctx, db, o.object("Opportunity"), record)
	if err != nil {
		return nil, err
	}
	var stages []string
	if err := sqlx.SelectContext(ctx, db, &stages, "SELECT MasterLabel FROM OpportunityStage WHERE NOT IsDeleted ORDER BY SortOrder"); err != nil {
		return nil, err
	}
	fields := map[string]*pageField{}
	for _, f := range o.object("Opportunity").Fields {
		p := newPageField(f, record[f.Name], names)
		p.Action = dealPath(id)
		if strings.HasPrefix(f.Name, "Handoff_") {
			p.Label = strings.TrimPrefix(p.Label, "Handoff ") // its section says so
		}
		switch {
		case f.Name == "StageName":
			p.Choices = nil
			p.setChoices(stages)
		case f.Type == TypeCurrency && record[f.Name] != nil:
			amount, _ := record[f.Name].(float64)
			p.Text = money(amount, enteredText(f, record["CurrencyIsoCode"]))
		case itemName.MatchString(f.Name):
			p.Tone = map[string]string{"2": "good", "1": "fair", "0": "bad"}[p.Text]
		case f.Name == "Handoff_Ghost__c" && p.Entered == "true":
			p.Tone = "bad"
		}
		fields[f.Name] = &p
	}
	return fields, nil
}

// referenceNames returns the names of the records that a record's references point at, by id.
func (o *Org) referenceNames(ctx context.Context, db sqlx.QueryerContext, object *Object, record map[string]any) (map[string]string, error) {
	names := map[string]string{}
	for _, f := range object.Fields {
		if f.Type != TypeReference || record[f.Name] == nil {
			continue
		}
		to := o.object(f.ReferenceTo[0]) // of an opportunity's references each has one kind of target
		id := enteredText(f, record[f.Name])
		var name sql.NullString
		err := sqlx.GetContext(ctx, db, &name, fmt.Sprintf("SELECT %s FROM %s WHERE Id = ?", to.NameField, to.Name), id)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("name of %s %s: %w", to.Name, id, err)
		}
		names[id] = cmp.Or(name.String, id)
	}
	return names, nil
}

var (
	itemName = regexp.MustCompile(`^Handoff_Item_(\d+)_\d+__c$`)

	// detailNames are the fields that say what the deal is.
	detailNames = []string{"AccountId", "OwnerId", "StageName", "CloseDate", "Amount", "ARR__c", "Term_Months__c", "CurrencyIsoCode", "CSM__c",
		"CSM_Assigned_At__c", "Type", "Probability", "ForecastCategoryName", "CreatedDate", "LastModifiedDate", "LastModifiedById"}

	// overviewNames are the scorecard's fields about the deal as a whole.
	overviewNames = []string{"Handoff_Acceptance__c", "Handoff_Finalised__c", "Handoff_Final_Score__c", "Handoff_Ghost_Reason__c",
		"Handoff_Ready__c", "Handoff_Complete__c", "Handoff_Scored_At__c"}
	cardTextNames = []string{"Handoff_Gaps__c", "Handoff_Item_Notes__c"}

	// categoryNames are the scorecard's totals, in the order of the categories' items.
	categoryNames = []string{"Handoff_Deal_Context__c", "Handoff_Stakeholder_Map__c", "Handoff_Technical_Fit__c", "Handoff_Expectation_Record__c", "Handoff_Crm_Hygiene__c"}
)

// place puts the fields where a reader looks for them. Custom fields of which this page knows nothing come last, so that
// every one of them shows up once.
func (page *dealPage) place(fields map[string]*pageField, all []*Field) {
	page.Stage = badge{Text: fields["StageName"].Text}
	if fields["IsWon"].Entered == "true" {
		page.Stage.Tone = "good"
	}
	taken := map[string]bool{"Case_Id__c": true, "Case_As_Of__c": true}
	take := func(names ...string) (some []pageField) {
		for _, name := range names {
			if f, ok := fields[name]; ok && !taken[name] {
				taken[name] = true
				some = append(some, *f)
			}
		}
		return some
	}
	page.Details = take(detailNames...)
	for _, neutral := range crm.FieldNames {
		for _, f := range take(textField(neutral)) {
			page.addSales(f)
		}
	}
	page.Card = newPageCard(fields, all, take)
	for _, f := range all {
		if f.Custom() {
			for _, f := range take(f.Name) {
				page.addSales(f)
			}
		}
	}
}

// addSales puts a text of the sales team behind those that are filled in, or behind the empty ones.
func (page *dealPage) addSales(f pageField) {
	if f.Text == "" && f.Problem == "" {
		page.Blank = append(page.Blank, f)
	} else {
		page.Sales = append(page.Sales, f)
	}
}

// newPageCard returns the scorecard, nil where the org has no field of it.
func newPageCard(fields map[string]*pageField, all []*Field, take func(...string) []pageField) *pageCard {
	text := func(name string) string {
		if f, ok := fields[name]; ok {
			return f.Text
		}
		return ""
	}
	card := &pageCard{Score: text("Handoff_Score__c"), Max: text("Handoff_Max__c"), Action: text("Handoff_Next_Action__c")}
	card.Scored = card.Score != ""
	card.Badges = []badge{toneBadge(text("Handoff_Rating__c")), toneBadge(text("Handoff_Health__c")), ghostBadge(text("Handoff_Ghost__c") == "Yes")}
	card.Overview = take(overviewNames...)
	for i, name := range categoryNames {
		group := pageGroup{Title: fmt.Sprintf("Category %d", i+1)}
		for _, f := range all {
			if m := itemName.FindStringSubmatch(f.Name); m != nil && m[1] == fmt.Sprint(i+1) {
				group.Fields = append(group.Fields, take(f.Name)...)
			}
		}
		if total, ok := fields[name]; ok {
			group.Title, group.Points = total.Label, total.Text
			if group.Points != "" {
				group.Points += fmt.Sprintf(" / %d", 2*len(group.Fields))
			}
		}
		if len(group.Fields) > 0 {
			card.Groups = append(card.Groups, group)
		}
	}
	card.Texts = take(cardTextNames...)
	for _, f := range all {
		if strings.HasPrefix(f.Name, "Handoff_") {
			card.Rest = append(card.Rest, take(f.Name)...)
		}
	}
	card.RestOpen = slices.ContainsFunc(card.Rest, func(f pageField) bool { return f.Problem != "" })
	if len(card.Overview)+len(card.Groups)+len(card.Texts)+len(card.Rest) == 0 {
		return nil
	}
	return card
}

// readChildren reads what hangs on the deal, newest first.
func (page *dealPage) readChildren(ctx context.Context, db sqlx.QueryerContext, id string, opportunity *Object) error {
	var roles []pageContact
	var stages, changes []pageChange
	for _, part := range []struct {
		into  any
		query string
	}{
		{&roles, `
			SELECT c.Id AS id, c.Name AS name, coalesce(c.Title, '') AS title, coalesce(c.Email, '') AS email, coalesce(c.Phone, '') AS phone,
				coalesce(r.Role, '') AS role, c.IsEmailBounced AS bounced
			FROM OpportunityContactRole r JOIN Contact c ON c.Id = r.ContactId
			WHERE r.OpportunityId = ? AND NOT r.IsDeleted AND NOT c.IsDeleted ORDER BY r.CreatedDate, r.Id`},
		{&page.Notes, `
			SELECT coalesce(n.Title, '') AS title, coalesce(n.Content, '') AS body, 1 AS rich, n.CreatedDate AS at, u.Name AS by
			FROM ContentDocumentLink l JOIN ContentNote n ON n.Id = l.ContentDocumentId JOIN User u ON u.Id = n.CreatedById
			WHERE l.LinkedEntityId = ?1 AND NOT l.IsDeleted AND NOT n.IsDeleted
			UNION ALL
			SELECT coalesce(n.Title, ''), coalesce(n.Body, ''), 0, n.CreatedDate, u.Name
			FROM Note n JOIN User u ON u.Id = n.CreatedById WHERE n.ParentId = ?1 AND NOT n.IsDeleted
			ORDER BY at DESC`},
		{&page.Activities, `
			SELECT coalesce(t.TaskSubtype, 'Task') AS kind, coalesce(t.Subject, '') AS title, coalesce(t.Description, '') AS text, t.CreatedDate AS at,
				u.Name AS by, coalesce(c.Name, '') AS "to"
			FROM Task t JOIN User u ON u.Id = t.OwnerId LEFT JOIN Contact c ON c.Id = t.WhoId WHERE t.WhatId = ?1 AND NOT t.IsDeleted
			UNION ALL
			SELECT coalesce(e.Type, 'Meeting'), coalesce(e.Subject, ''), coalesce(e.Description, ''), e.StartDateTime, u.Name, coalesce(c.Name, '')
			FROM Event e JOIN User u ON u.Id = e.OwnerId LEFT JOIN Contact c ON c.Id = e.WhoId WHERE e.WhatId = ?1 AND NOT e.IsDeleted
			UNION ALL
			SELECT 'Email', coalesce(m.Subject, ''), coalesce(m.TextBody, m.HtmlBody, ''), m.MessageDate, coalesce(m.FromAddress, ''), coalesce(m.ToAddress, '')
			FROM EmailMessage m WHERE m.RelatedToId = ?1 AND NOT m.IsDeleted
			ORDER BY at DESC`},
		{&stages, `
			SELECT 'Stage' AS field, coalesce(lag(h.StageName) OVER (ORDER BY h.CreatedDate, h.Id), '') AS "from", coalesce(h.StageName, '') AS "to",
				h.CreatedDate AS at, u.Name AS by
			FROM OpportunityHistory h JOIN User u ON u.Id = h.CreatedById WHERE h.OpportunityId = ? AND NOT h.IsDeleted`},
		{&changes, `
			SELECT h.Field AS field, coalesce(h.OldValue, '') AS "from", coalesce(h.NewValue, '') AS "to", h.CreatedDate AS at, u.Name AS by
			FROM OpportunityFieldHistory h JOIN User u ON u.Id = h.CreatedById
			WHERE h.OpportunityId = ? AND h.DataType <> 'EntityId' AND h.Field NOT IN ('created', 'StageName') AND NOT h.IsDeleted`},
	} {
		if err := sqlx.SelectContext(ctx, db, part.into, part.query, id); err != nil {
			return err
		}
	}
	for _, r := range roles {
		i := slices.IndexFunc(page.Contacts, func(c pageContact) bool { return c.ID == r.ID })
		if i < 0 {
			i = len(page.Contacts)
			page.Contacts = append(page.Contacts, r)
		}
		if r.Role != "" {
			page.Contacts[i].Roles = append(page.Contacts[i].Roles, r.Role)
		}
	}
	for _, c := range stages {
		if c.From != c.To {
			changes = append(changes, c)
		}
	}
	for i := range changes {
		if f := opportunity.Field(changes[i].Field); f != nil {
			changes[i].Field = f.label()
		}
	}
	slices.SortStableFunc(changes, func(a, b pageChange) int { return cmp.Compare(b.At, a.At) })
	page.History = changes
	return nil
}
