package hubspot

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"handoff/connectors/sandbox/pages"
	"handoff/crm"
)

// dealPage is a deal with everything around it.
type dealPage struct {
	pages.Frame
	Company      string
	Stage        pages.Badge
	Saved        string // the label of the property that was just saved
	Refused      string // why an edit of RefusedField was not saved
	RefusedField string
	Card         *pages.Card
	About        []*pages.Field
	Sales        []*pages.Field
	Blank        []*pages.Field // of the same kind as Sales, but empty
	More         []*pages.Field
	MoreOpen     bool
	Contacts     []pages.Contact
	Timeline     []moved
	History      []pages.Change
}

// errNoDeal says that there is no deal with an id.
var errNoDeal = errors.New("no such deal")

func (p *Portal) showDeal(w http.ResponseWriter, r *http.Request) {
	page, err := p.dealPage(r.Context(), r.PathValue("id"), func(page *dealPage, fields *pages.Fields) {
		if f := fields.Get(r.FormValue("saved")); f != nil {
			page.Saved = f.Label
		}
	})
	if errors.Is(err, errNoDeal) {
		site.RenderProblem(w, http.StatusNotFound, "No such deal", "It was never there, or it has been deleted.")
		return
	}
	pages.Render(w, http.StatusOK, dealTemplate, page, err)
}

// editDeal saves one property of a deal, as another user than the integration's.
func (p *Portal) editDeal(w http.ResponseWriter, r *http.Request) {
	ctx, id := r.Context(), r.PathValue("id")
	name, sent, err := pages.Submitted(w, r)
	if err != nil {
		site.RenderProblem(w, http.StatusBadRequest, "Not saved", "The form could not be read: "+err.Error())
		return
	}
	deals := p.object("deals")
	value := sent
	err = p.read(func() error {
		pr := deals.property(name)
		if pr == nil {
			return noSuchProperty(name)
		}
		value = submitted(pr, sent)
		return nil
	})
	if err != nil {
		site.RenderProblem(w, http.StatusUnprocessableEntity, "Not saved", "There is no such property any more.")
		return
	}
	err = p.updateOne(ctx, deals, id, properties{name: value}, pageUser)
	var refusal *apiError
	switch {
	case err == nil:
		pages.RedirectSaved(w, r, dealPath(id), name)
		return
	case !errors.As(err, &refusal):
		pages.Render(w, http.StatusInternalServerError, dealTemplate, nil, err)
		return
	}
	why := refusal.Message
	if len(refusal.Errors) > 0 {
		why = refusal.Errors[0].Message
	}
	page, err := p.dealPage(ctx, id, func(page *dealPage, fields *pages.Fields) {
		page.Refused, page.RefusedField = why, name
		if f := fields.Get(name); f != nil {
			f.Problem, f.Entered = why, sent
			if f.Input == "select" {
				f.Choose(f.Choices...)
			}
		}
	})
	if errors.Is(err, errNoDeal) {
		site.RenderProblem(w, http.StatusNotFound, "Not saved", why)
		return
	}
	pages.Render(w, http.StatusUnprocessableEntity, dealTemplate, page, err)
}

// dealPage reads a deal's page. change may change the fields before they are put in their places. The error is errNoDeal
// where there is no such deal.
func (p *Portal) dealPage(ctx context.Context, id string, change func(*dealPage, *pages.Fields)) (*dealPage, error) {
	page := new(dealPage)
	return page, p.read(func() error {
		deals := p.object("deals")
		s, err := byIDs([]string{id}, false)
		if err != nil {
			return err
		}
		for _, pr := range deals.Properties {
			s.Columns = append(s.Columns, pr.Name)
		}
		found, err := deals.fetch(ctx, p.db, s)
		if err != nil {
			return err
		}
		if len(found) == 0 {
			return errNoDeal
		}
		values := found[0].Values
		page.Frame = site.Frame(values["dealname"])
		page.Stage = pages.Badge{Text: p.shown(deals.anyProperty("dealstage"), values["dealstage"])}
		if values["hs_is_closed_won"] == "true" {
			page.Stage.Tone = "good"
		}
		var all []*pages.Field
		for _, pr := range deals.Properties {
			if !pr.Archived && !pr.Hidden {
				f := p.pageField(pr, values)
				f.Action = dealPath(id)
				all = append(all, f)
			}
		}
		fields := pages.NewFields(all)
		change(page, fields)
		page.place(fields, deals)
		return p.readAround(ctx, page, found[0].ID)
	})
}

// aboutNames are the properties that say what the deal is.
var aboutNames = []string{"dealname", "amount", "deal_currency_code", "closedate", "dealstage", "pipeline", ownerProperty, "hs_arr", "term_months", "csm",
	"csm_assigned_at", "dealtype", "createdate", "hs_lastmodifieddate"}

// place puts the fields where a reader looks for them. Those that people made for themselves and of which this page knows
// nothing come last among the sales team's, so that every one of them shows up once; HubSpot's own only where they hold something.
func (page *dealPage) place(fields *pages.Fields, deals *object) {
	fields.Take("case_id", "case_as_of")
	page.About = fields.Take(aboutNames...)
	page.Card = pages.NewCard(fields)
	var homes []string
	for _, neutral := range crm.FieldNames {
		homes = append(homes, textHome(neutral))
	}
	sales := fields.Take(homes...)
	sales = append(sales, fields.TakeIf(func(f *pages.Field) bool { return !deals.property(f.Name).HubSpotDefined })...)
	page.Sales, page.Blank = pages.Split(sales)
	page.More, _ = pages.Split(fields.TakeIf(func(*pages.Field) bool { return true }))
	page.MoreOpen = slices.ContainsFunc(page.More, func(f *pages.Field) bool { return f.Problem != "" })
}

// readAround reads what hangs on a deal. The caller holds p's lock.
func (p *Portal) readAround(ctx context.Context, page *dealPage, id int64) (err error) {
	var companies []string
	if err := p.db.SelectContext(ctx, &companies, `SELECT coalesce(c.name, '') FROM association a JOIN companies c ON c.hs_object_id = a.to_id
		WHERE a.from_object = 'deals' AND a.from_id = ? AND a.to_object = 'companies' ORDER BY a.type_id LIMIT 1`, id); err != nil {
		return err
	}
	page.Company = strings.Join(companies, "")
	if page.Contacts, err = p.pageContacts(ctx, id); err != nil {
		return err
	}
	if page.Timeline, err = p.timeline(ctx, id); err != nil {
		return err
	}
	page.History, err = p.pageHistory(ctx, id)
	return err
}

// pageContacts returns a deal's contacts with their labels and buying roles.
func (p *Portal) pageContacts(ctx context.Context, id int64) ([]pages.Contact, error) {
	var rows []struct {
		ID                                         int64
		First, Last, Title, Email, Phone, Category string
		Roles                                      string // buying roles
		Bounced                                    bool
		Type                                       int
	}
	if err := p.db.SelectContext(ctx, &rows, `SELECT c.hs_object_id AS id, coalesce(c.firstname, '') AS first, coalesce(c.lastname, '') AS last,
			coalesce(c.jobtitle, '') AS title, coalesce(c.email, '') AS email, coalesce(c.phone, c.mobilephone, '') AS phone,
			coalesce(c.hs_buying_role, '') AS roles, coalesce(c.hs_email_bounce, '0') <> '0' AS bounced, a.category AS category, a.type_id AS type
		FROM association a JOIN contacts c ON c.hs_object_id = a.to_id
		WHERE a.from_object = 'deals' AND a.from_id = ? AND a.to_object = 'contacts' ORDER BY a.to_id, a.category DESC, a.type_id`, id); err != nil {
		return nil, err
	}
	var contacts []pages.Contact
	var last int64
	for _, row := range rows {
		if row.ID != last {
			name := strings.TrimSpace(row.First + " " + row.Last)
			if name == "" {
				name = "No name"
			}
			contacts = append(contacts, pages.Contact{Name: name, Title: row.Title, Email: row.Email, Phone: row.Phone, Bounced: row.Bounced})
			last = row.ID
			if row.Roles != "" {
				contacts[len(contacts)-1].Roles = []string{p.object("contacts").anyProperty("hs_buying_role").words(row.Roles)}
			}
		}
		l, ok := p.label("deals", "contacts", func(l label) bool { return l.Category == row.Category && l.TypeID == row.Type })
		if ok && l.Text != "" {
			c := &contacts[len(contacts)-1]
			c.Roles = append(c.Roles, l.Text)
		}
	}
	return contacts, nil
}

// pageHistory returns what properties of a deal were changed to, when and by whom, the newest first.
func (p *Portal) pageHistory(ctx context.Context, id int64) ([]pages.Change, error) {
	var rows []struct {
		Property, Value, Before, At string
		User                        int64
	}
	if err := p.db.SelectContext(ctx, &rows, `SELECT property, value, coalesce(lag(value) OVER (PARTITION BY property ORDER BY at, rowid), '') AS before, at,
			user_id AS user
		FROM history WHERE object = 'deals' AND id = ? ORDER BY at DESC, rowid DESC`, id); err != nil {
		return nil, err
	}
	var changes []pages.Change
	for _, row := range rows {
		pr := p.object("deals").property(row.Property)
		if pr == nil || row.Value == row.Before {
			continue
		}
		changes = append(changes, pages.Change{Field: pr.Label, From: clipped(p.shown(pr, row.Before)), To: clipped(p.shown(pr, row.Value)),
			At: row.At, By: p.userName(row.User)})
	}
	return changes, nil
}

// clipped keeps long texts from filling the history.
func clipped(text string) string {
	const most = 120
	if r := []rune(text); len(r) > most {
		return string(r[:most]) + "… (" + strconv.Itoa(len(r)) + " characters)"
	}
	return text
}
