package salesforce

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"

	"github.com/jmoiron/sqlx"

	"handoff/connectors/sandbox/pages"
	"handoff/crm"
)

// dealPage is an opportunity with everything around it.
type dealPage struct {
	pages.Frame
	Stage        pages.Badge
	Saved        string // the label of the field that was just saved
	Refused      string // why an edit of RefusedField was not saved
	RefusedField string
	Card         *pages.Card
	Details      []*pages.Field
	Sales        []*pages.Field
	Blank        []*pages.Field // of the same kind as Sales, but empty
	Contacts     []pages.Contact
	Notes        []pageNote
	Activities   []pageActivity
	History      []pages.Change
}

type pageNote struct {
	Title string
	Body  string
	Rich  bool
	At    string
	By    string
}

// HTML returns the body of a rich note, safe to show.
func (n pageNote) HTML() template.HTML { return pages.SafeHTML(n.Body) }

type pageActivity struct {
	Kind  string
	Title string
	Text  string
	At    string
	By    string
	To    string
}

func (n pageNote) When() string     { return pages.When(n.At) }
func (a pageActivity) When() string { return pages.When(a.At) }

// errNoDeal says that there is no opportunity with an id.
var errNoDeal = errors.New("no such opportunity")

func (o *Org) showDeal(w http.ResponseWriter, r *http.Request) {
	page, err := o.dealPage(r.Context(), r.PathValue("id"), func(page *dealPage, fields *pages.Fields) {
		if f := fields.Get(r.FormValue("saved")); f != nil {
			page.Saved = f.Label
		}
	})
	if errors.Is(err, errNoDeal) {
		site.RenderProblem(w, http.StatusNotFound, "No such opportunity", "It was never there, or it has been deleted.")
		return
	}
	pages.Render(w, http.StatusOK, dealTemplate, page, err)
}

// editDeal saves one field of a deal, as another user than the integration's.
func (o *Org) editDeal(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	name, sent, err := pages.Submitted(w, r)
	if err != nil {
		site.RenderProblem(w, http.StatusBadRequest, "Not saved", "The form could not be read: "+err.Error())
		return
	}
	var field *Field
	err = o.read(ctx, func(sqlx.QueryerContext) error {
		field = o.object("Opportunity").Field(name)
		return nil
	})
	if err == nil && field == nil {
		site.RenderProblem(w, http.StatusUnprocessableEntity, "Not saved", "There is no such field any more.")
		return
	}
	var outcome []saved
	if err == nil {
		outcome, err = o.updateRecords(ctx, pageUser, []row{{Object: "Opportunity", ID: id, Values: map[string]any{field.Name: submitted(field, sent)}}}, false)
	}
	if err != nil {
		pages.Render(w, http.StatusInternalServerError, dealTemplate, nil, err)
		return
	}
	if len(outcome[0].Errors) == 0 {
		pages.RedirectSaved(w, r, dealPath(id), field.Name)
		return
	}
	refusal := outcome[0].Errors[0]
	page, err := o.dealPage(ctx, id, func(page *dealPage, fields *pages.Fields) {
		page.Refused, page.RefusedField = fmt.Sprintf("%s (%s).", refusal.Message, refusal.StatusCode), field.Name
		if f := fields.Get(field.Name); f != nil {
			f.Problem, f.Entered = refusal.Message, sent
			if f.Input == "select" {
				f.Choose(f.Choices...)
			}
		}
	})
	if errors.Is(err, errNoDeal) {
		site.RenderProblem(w, http.StatusNotFound, "Not saved", refusal.Message)
		return
	}
	pages.Render(w, http.StatusUnprocessableEntity, dealTemplate, page, err)
}

// dealPage reads a deal's page. change may change the fields before they are put in their places. The error is errNoDeal
// where there is no such deal.
func (o *Org) dealPage(ctx context.Context, id string, change func(*dealPage, *pages.Fields)) (*dealPage, error) {
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
		opportunity := o.object("Opportunity")
		page.Frame = site.Frame(enteredText(opportunity.Field("Name"), record["Name"]))
		fields, err := o.dealFields(ctx, db, id, record)
		if err != nil {
			return err
		}
		change(page, fields)
		page.place(fields, opportunity)
		return page.readChildren(ctx, db, id, opportunity)
	})
}

// dealFields returns every field of an opportunity, ready to be shown.
func (o *Org) dealFields(ctx context.Context, db sqlx.QueryerContext, id string, record map[string]any) (*pages.Fields, error) {
	names, err := o.referenceNames(ctx, db, o.object("Opportunity"), record)
	if err != nil {
		return nil, err
	}
	var stages []string
	if err := sqlx.SelectContext(ctx, db, &stages, "SELECT MasterLabel FROM OpportunityStage WHERE NOT IsDeleted ORDER BY SortOrder"); err != nil {
		return nil, err
	}
	var all []*pages.Field
	for _, f := range o.object("Opportunity").Fields {
		p := newPageField(f, record[f.Name], names)
		p.Action = dealPath(id)
		switch {
		case f.Name == "StageName":
			p.Choose(pages.Words(stages...)...)
		case f.Type == TypeCurrency && record[f.Name] != nil:
			amount, _ := record[f.Name].(float64)
			p.Text = pages.Money(amount, enteredText(f, record["CurrencyIsoCode"]))
		}
		all = append(all, p)
	}
	return pages.NewFields(all), nil
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

// detailNames are the fields that say what the deal is.
var detailNames = []string{"AccountId", "OwnerId", "StageName", "CloseDate", "Amount", "ARR__c", "Term_Months__c", "CurrencyIsoCode", "CSM__c",
	"CSM_Assigned_At__c", "Type", "Probability", "ForecastCategoryName", "CreatedDate", "LastModifiedDate", "LastModifiedById"}

// place puts the fields where a reader looks for them. Custom fields of which this page knows nothing come last, so that
// every one of them shows up once.
func (page *dealPage) place(fields *pages.Fields, opportunity *Object) {
	page.Stage = pages.Badge{Text: fields.Get("StageName").Text}
	if fields.Get("IsWon").Entered == "true" {
		page.Stage.Tone = "good"
	}
	fields.Take("Case_Id__c", "Case_As_Of__c")
	page.Details = fields.Take(detailNames...)
	page.Card = pages.NewCard(fields)
	var homes []string
	for _, neutral := range crm.FieldNames {
		homes = append(homes, textField(neutral))
	}
	sales := fields.Take(homes...)
	sales = append(sales, fields.TakeIf(func(f *pages.Field) bool { return opportunity.Field(f.Name).Custom() })...)
	page.Sales, page.Blank = pages.Split(sales)
}

// readChildren reads what hangs on the deal, newest first.
func (page *dealPage) readChildren(ctx context.Context, db sqlx.QueryerContext, id string, opportunity *Object) error {
	var roles []struct {
		ID, Name, Title, Email, Phone, Role string
		Bounced                             bool
	}
	var stages, changes []pages.Change
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
	at := map[string]int{} // of contacts, by id
	for _, r := range roles {
		i, known := at[r.ID]
		if !known {
			i = len(page.Contacts)
			at[r.ID] = i
			page.Contacts = append(page.Contacts, pages.Contact{Name: r.Name, Title: r.Title, Email: r.Email, Phone: r.Phone, Bounced: r.Bounced})
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
	slices.SortStableFunc(changes, func(a, b pages.Change) int { return cmp.Compare(b.At, a.At) })
	page.History = changes
	return nil
}
