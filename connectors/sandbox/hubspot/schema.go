package hubspot

import "strings"

const (
	idProperty    = "hs_object_id"
	ownerProperty = "hubspot_owner_id"
	createdBy     = "hs_created_by_user_id"
	updatedBy     = "hs_updated_by_user_id"
)

// standardObjects returns the kinds of records of a new portal with the properties that HubSpot defines for them.
// https://developers.hubspot.com/docs/api-reference/crm-objects-v3/guide
func standardObjects() []*object {
	all := []*object{
		{Name: "contacts", Singular: "contact", TypeID: "0-1", Created: "createdate", Modified: "lastmodifieddate",
			Default: []string{"email", "firstname", "lastname"}, Queried: []string{"firstname", "lastname", "email", "phone", "company"},
			Properties: []*property{
				text("email", "Email"), text("firstname", "First Name"), text("lastname", "Last Name"), text("jobtitle", "Job Title"),
				text("phone", "Phone Number"), text("mobilephone", "Mobile Phone Number"), text("company", "Company Name"),
				enum("hs_buying_role", "Buying Role", "checkbox", "BLOCKER", "BUDGET_HOLDER", "CHAMPION", "DECISION_MAKER", "END_USER",
					"EXECUTIVE_SPONSOR", "INFLUENCER", "LEGAL_AND_COMPLIANCE", "OTHER"),
				enum("lifecyclestage", "Lifecycle Stage", "radio", "subscriber", "lead", "marketingqualifiedlead", "salesqualifiedlead",
					"opportunity", "customer", "evangelist", "other"),
				enum("hs_lead_status", "Lead Status", "radio", "NEW", "OPEN", "IN_PROGRESS", "OPEN_DEAL", "UNQUALIFIED",
					"ATTEMPTED_TO_CONTACT", "CONNECTED", "BAD_TIMING"),
				readOnly(text("hs_email_hard_bounce_reason_enum", "Email hard bounce reason")),
				readOnly(number("hs_email_bounce", "Marketing emails bounced")),
				calculated(number("num_associated_deals", "Number of Associated Deals")),
				merged("Merged Contact IDs"),
			}},
		{Name: "companies", Singular: "company", TypeID: "0-2", Created: "createdate", Modified: "hs_lastmodifieddate",
			Default: []string{"name", "domain"}, Queried: []string{"name", "domain", "phone"},
			Properties: []*property{
				text("name", "Company name"), text("domain", "Company Domain Name"), text("website", "Website URL"),
				text("phone", "Phone Number"), text("industry", "Industry"), text("city", "City"), text("country", "Country/Region"),
				number("numberofemployees", "Number of Employees"), number("annualrevenue", "Annual Revenue"), area("description", "Description"),
				calculated(number("num_associated_deals", "Number of Associated Deals")),
				merged("Merged Company IDs"),
			}},
		{Name: "deals", Singular: "deal", TypeID: "0-3", Created: "createdate", Modified: "hs_lastmodifieddate",
			Default: []string{"amount", "closedate", "dealname", "dealstage", "pipeline"}, Queried: []string{"dealname"},
			Properties: []*property{
				text("dealname", "Deal Name"), number("amount", "Amount"), datetime("closedate", "Close Date"),
				ofPipeline("dealstage", "Deal Stage", "radio"), ofPipeline("pipeline", "Pipeline", "select"),
				enum("dealtype", "Deal Type", "radio", "newbusiness", "existingbusiness"),
				area("description", "Deal Description"), text("hs_next_step", "Next step"), text("deal_currency_code", "Currency"),
				number("hs_arr", "Annual recurring revenue"), number("hs_acv", "Annual contract value"),
				text("hs_salesforceopportunityid", "Salesforce Opportunity ID"), // set by HubSpot's Salesforce sync, empty without it
				number("hs_mrr", "Monthly recurring revenue"), number("hs_tcv", "Total contract value"),
				calculated(flag("hs_is_closed", "Is Deal Closed?")), calculated(flag("hs_is_closed_won", "Is Closed Won")),
				calculated(number("hs_deal_stage_probability", "Deal probability")),
				calculated(datetime("hs_closed_won_date", "Closed Won Date")),
				calculated(number("num_associated_contacts", "Number of Associated Contacts")),
				merged("Merged Deal IDs"),
			}},
		{Name: "tasks", Singular: "task", TypeID: "0-27", Queried: []string{"hs_task_subject", "hs_task_body"},
			Properties: []*property{
				text("hs_task_subject", "Task Title"), area("hs_task_body", "Notes"),
				enum("hs_task_status", "Task Status", "select", "NOT_STARTED", "IN_PROGRESS", "COMPLETED", "WAITING", "DEFERRED"),
				enum("hs_task_priority", "Priority", "select", "NONE", "LOW", "MEDIUM", "HIGH"),
				enum("hs_task_type", "Task Type", "select", "TODO", "CALL", "EMAIL"),
				readOnly(datetime("hs_task_completion_date", "Completed at")),
			}},
		{Name: "notes", Singular: "note", TypeID: "0-46", Queried: []string{"hs_note_body"},
			Properties: []*property{area("hs_note_body", "Note body"), text("hs_attachment_ids", "Attached file IDs")}},
		{Name: "meetings", Singular: "meeting", TypeID: "0-47", Queried: []string{"hs_meeting_title", "hs_meeting_body"},
			Properties: []*property{
				text("hs_meeting_title", "Meeting name"), text("hs_activity_type", "Call and meeting type"), area("hs_meeting_body", "Meeting description"),
				area("hs_internal_meeting_notes", "Internal meeting notes"), text("hs_meeting_location", "Meeting location"),
				datetime("hs_meeting_start_time", "Meeting start time"), datetime("hs_meeting_end_time", "Meeting end time"),
				enum("hs_meeting_outcome", "Meeting outcome", "select", "SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"),
			}},
		{Name: "calls", Singular: "call", TypeID: "0-48", Queried: []string{"hs_call_title", "hs_call_body"},
			Properties: []*property{
				text("hs_call_title", "Call Title"), area("hs_call_body", "Call notes"),
				enum("hs_call_direction", "Call direction", "select", "INBOUND", "OUTBOUND"), number("hs_call_duration", "Call duration"),
				text("hs_call_disposition", "Call outcome"), text("hs_call_from_number", "From number"), text("hs_call_to_number", "To number"),
				enum("hs_call_status", "Call status", "select", "BUSY", "CALLING_CRM_USER", "CANCELED", "COMPLETED", "CONNECTING", "FAILED",
					"IN_PROGRESS", "MISSED", "NO_ANSWER", "QUEUED", "RINGING"),
			}},
		{Name: "emails", Singular: "email", TypeID: "0-49", Queried: []string{"hs_email_subject", "hs_email_text"},
			Properties: []*property{
				text("hs_email_subject", "Email subject"), area("hs_email_text", "Email body"), area("hs_email_html", "Email HTML"),
				area("hs_email_headers", "Email headers"),
				enum("hs_email_direction", "Email direction", "select", "EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"),
				enum("hs_email_status", "Email send status", "select", "BOUNCED", "FAILED", "SCHEDULED", "SENDING", "SENT"),
				calculated(text("hs_email_from_email", "Email from address")), calculated(text("hs_email_to_email", "Email to addresses")),
			}},
	}
	for i, o := range all {
		o.lastID = int64(i+1) * 10_000_000_000 // ids of different kinds never meet
		if o.Created == "" {                   // an engagement
			o.Created, o.Modified, o.Required = "hs_createdate", "hs_lastmodifieddate", []string{"hs_timestamp"}
			o.Properties = append(o.Properties, datetime("hs_timestamp", "Activity date"))
		}
		o.Properties = append(o.Properties,
			external(ownerProperty, strings.ToUpper(o.Singular[:1])+o.Singular[1:]+" owner"),
			readOnly(number(idProperty, "Record ID")), readOnly(datetime(o.Created, "Create Date")), readOnly(datetime(o.Modified, "Last Modified Date")),
			readOnly(number(createdBy, "Created by user ID")), readOnly(number(updatedBy, "Updated by user ID")))
		o.Groups = []*group{{Name: o.Singular + "information", Label: strings.ToUpper(o.Singular[:1]) + o.Singular[1:] + " information", DisplayOrder: -1}}
		for _, pr := range o.Properties {
			pr.GroupName, pr.HubSpotDefined, pr.Modification.ReadOnlyDefinition = o.Groups[0].Name, true, true
		}
	}
	return all
}

func define(name, label, kind, field string) *property {
	return &property{Name: name, Label: label, Type: kind, FieldType: field, Options: []option{}, DisplayOrder: -1}
}

func text(name, label string) *property     { return define(name, label, typeString, "text") }
func area(name, label string) *property     { return define(name, label, typeString, "textarea") }
func number(name, label string) *property   { return define(name, label, typeNumber, "number") }
func datetime(name, label string) *property { return define(name, label, typeDateTime, "date") }

func flag(name, label string) *property {
	pr := enum(name, label, "booleancheckbox", "true", "false")
	pr.Type = typeBool
	return pr
}

func enum(name, label, field string, values ...string) *property {
	pr := define(name, label, typeEnum, field)
	for i, v := range values {
		pr.Options = append(pr.Options, option{Label: v, Value: v, DisplayOrder: i})
	}
	return pr
}

// ofPipeline is a property whose values are stages or pipelines.
func ofPipeline(name, label, field string) *property {
	pr := define(name, label, typeEnum, field)
	pr.ExternalOptions = true
	return pr
}

// external is a property whose values are owners.
func external(name, label string) *property {
	pr := define(name, label, typeEnum, "select")
	pr.ExternalOptions, pr.Referenced = true, ownerType
	return pr
}

func readOnly(pr *property) *property {
	pr.Modification.ReadOnlyValue = true
	return pr
}

// merged lists the records that one was merged of. HubSpot calls it an enumeration, though its options are none.
func merged(label string) *property { return readOnly(enum(mergedIDs, label, "checkbox")) }

func calculated(pr *property) *property {
	pr.Calculated = true
	return readOnly(pr)
}
