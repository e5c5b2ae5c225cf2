package salesforce

import (
	"maps"

	"github.com/go-json-experiment/json/jsontext"
)

// contactRoles is what the layouts of opportunities hold beside their sections: a related list.
const contactRoles = `[{"customButtons":[],"excludeButtons":[],"fields":["CONTACT.NAME","CONTACT.ROLE","CONTACT.PRIMARY"],` +
	`"quickActions":[],"relatedList":"RelatedContactRoleList","sortField":null,"sortOrder":null}]`

// standardLayouts returns the page layouts of a new org with these sObjects. The first of an object is the one that the
// profile of the integration's user has; people with other profiles see the others.
func standardLayouts(account, opportunity *Object) []*layout {
	var handoff []string
	for _, f := range handoffText() {
		handoff = append(handoff, f.Name)
	}
	link := "DeliveryStatus"
	links := layoutSection{Label: "Custom Links", DetailHeading: true, Style: "CustomLinks", LayoutColumns: []layoutColumn{
		{LayoutItems: []layoutItem{{CustomLink: &link}}}, {}, {},
	}}
	layouts := []*layout{
		{object: "Opportunity", name: "Opportunity Layout", sections: []layoutSection{
			opportunity.section("Opportunity Information",
				[]string{"OwnerId", "IsPrivate", "Name", "AccountId", "Type", "LeadSource", "CurrencyIsoCode"},
				[]string{"Amount", "ExpectedRevenue", "CloseDate", "NextStep", "StageName", "Probability", "ForecastCategoryName"}),
			opportunity.section("Additional Information", []string{"ARR__c", ""}, []string{"Term_Months__c", "ContractId"}),
			opportunity.section("Customer Success", []string{"CSM__c", "CSM_Assigned_At__c"}, []string{"Kickoff_At__c"}).named(),
			opportunity.section("Deal Details", handoff).named(),
			opportunity.section("System Information", []string{"CreatedById"}, []string{"LastModifiedById"}),
			opportunity.section("Description Information", []string{"Description"}),
			links,
		}},
		{object: "Opportunity", name: "Renewal Layout", sections: []layoutSection{
			opportunity.section("Opportunity Information",
				[]string{"OwnerId", "Name", "AccountId", "ContractId"},
				[]string{"CloseDate", "StageName", "Amount", "ARR__c", "Term_Months__c"}),
			opportunity.section("Customer Success", []string{"CSM__c"}, nil).named(),
			opportunity.section("System Information", []string{"CreatedById"}, []string{"LastModifiedById"}),
			opportunity.section("Description Information", []string{"Description"}),
		}},
		{object: "Account", name: "Account Layout", sections: []layoutSection{
			account.section("Account Information",
				[]string{"OwnerId", "Name", "ParentId", "AccountNumber", "Type", "Industry", "AnnualRevenue"},
				[]string{"Phone", "Website", "NumberOfEmployees", "CSM__c"}),
			account.section("Address Information", []string{"BillingCity"}, []string{"BillingCountry"}),
			account.section("System Information", []string{"CreatedById"}, []string{"LastModifiedById"}),
			account.section("Description Information", []string{"Description"}),
		}},
	}
	for i, l := range layouts {
		l.id, l.rest = newID("00h", int64(i+1)), maps.Clone(layoutRest)
		if l.object == "Opportunity" {
			l.rest["relatedLists"] = jsontext.Value(contactRoles)
		}
	}
	return layouts
}

// section returns a section of one or two columns with some fields of o, "" for an empty space.
func (o *Object) section(label string, columns ...[]string) layoutSection {
	s := layoutSection{Label: label, EditHeading: true, Style: "TwoColumnsTopToBottom"}
	if len(columns) == 1 {
		s.Style = "OneColumn"
	}
	for _, names := range columns {
		var c layoutColumn
		for _, name := range names {
			if name == "" {
				empty := true
				c.LayoutItems = append(c.LayoutItems, layoutItem{EmptySpace: &empty})
				continue
			}
			behaviour := "Edit"
			switch f := o.Field(name); {
			case f.Required:
				behaviour = "Required"
			case f.ReadOnly:
				behaviour = "Readonly"
			}
			c.LayoutItems = append(c.LayoutItems, layoutItem{Field: &name, Behavior: &behaviour})
		}
		s.LayoutColumns = append(s.LayoutColumns, c)
	}
	return s
}

// named returns the section with a heading of its own, as those that an admin adds have it.
func (s layoutSection) named() layoutSection {
	s.CustomLabel, s.DetailHeading = true, true
	return s
}
