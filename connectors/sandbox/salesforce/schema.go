package salesforce

import (
	"slices"
	"strings"

	"handoff/crm"
)

// The lengths that Salesforce gives to long text.
const (
	longText = 32_768
	bodyText = 32_000
)

// standardSchema returns the sObjects of a new org. Field by field it follows the object reference:
// https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_list.htm
func standardSchema() []*Object {
	return []*Object{
		{Name: "Account", KeyPrefix: "001", NameField: "Name", Fields: audited(
			text("Name", 255, required),
			picklist("Type", "Prospect", "Customer", "Partner", "Other"),
			picklist("Industry", "Banking", "Education", "Healthcare", "Manufacturing", "Retail", "Technology", "Other"),
			text("AccountNumber", 40), phone("Phone"), website("Website"),
			number("AnnualRevenue", TypeCurrency, 18, 0), integer("NumberOfEmployees"),
			long("Description", bodyText),
			text("BillingCity", 40), text("BillingCountry", 80),
			reference("ParentId", "Parent", "Account", children("ChildAccounts")),
			owner(),
			reference("CSM__c", "CSM__r", "User"),
			date("LastActivityDate", readOnly),
			currencyCode(),
		)},
		{Name: "Contact", KeyPrefix: "003", NameField: "Name", Fields: audited(
			reference("AccountId", "Account", "Account", children("Contacts"), cascade),
			text("FirstName", 40), text("LastName", 80, required), text("Name", 121, readOnly), text("Salutation", 40),
			text("Title", 128), text("Department", 80), email("Email"), phone("Phone"), phone("MobilePhone"),
			datetime("EmailBouncedDate"), text("EmailBouncedReason", 255), boolean("IsEmailBounced", readOnly),
			boolean("HasOptedOutOfEmail"), text("MailingCity", 40), text("MailingCountry", 80),
			long("Description", bodyText),
			reference("ReportsToId", "ReportsTo", "Contact"),
			owner(), currencyCode(),
		)},
		{Name: "Opportunity", Plural: "Opportunities", KeyPrefix: "006", NameField: "Name", Fields: audited(
			slices.Concat([]*Field{
				reference("AccountId", "Account", "Account", children("Opportunities"), cascade),
				boolean("IsPrivate"),
				text("Name", 120, required), long("Description", bodyText),
				picklist("StageName").with(required, tracked),
				number("Amount", TypeCurrency, 18, 2), number("Probability", TypePercent, 3, 0),
				number("ExpectedRevenue", TypeCurrency, 18, 2, readOnly),
				date("CloseDate", required),
				picklist("Type", "New Business", "Existing Business", "Renewal", "Expansion"),
				text("NextStep", 255),
				picklist("LeadSource", "Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"),
				boolean("IsClosed", readOnly), boolean("IsWon", readOnly),
				picklist("ForecastCategory", forecastCategories...).with(readOnly),
				picklist("ForecastCategoryName", forecastCategories...),
				integer("FiscalQuarter", readOnly), integer("FiscalYear", readOnly), text("Fiscal", 6, readOnly),
				datetime("LastStageChangeDate", readOnly), date("LastActivityDate", readOnly),
				reference("ContactId", "", "Contact", createOnly),
				reference("ContractId", "Contract", "Contract"),
				owner(tracked), currencyCode(),
				number("ARR__c", TypeCurrency, 18, 2), number("Term_Months__c", TypeDouble, 4, 0),
				reference("CSM__c", "CSM__r", "User"), datetime("CSM_Assigned_At__c"), datetime("Kickoff_At__c"),
				text("Case_Id__c", 255), datetime("Case_As_Of__c"),
			}, handoffText())...,
		)},
		{Name: "OpportunityContactRole", KeyPrefix: "00K", Fields: audited(
			reference("OpportunityId", "Opportunity", "Opportunity", children("OpportunityContactRoles"), cascade, required, createOnly),
			reference("ContactId", "Contact", "Contact", children("OpportunityContactRoles"), cascade, required, createOnly),
			picklist("Role", "Business User", "Decision Maker", "Economic Buyer", "Economic Decision Maker", "Evaluator",
				"Executive Sponsor", "Influencer", "Technical Buyer", "Other"),
			boolean("IsPrimary"), currencyCode(),
		)},
		{Name: "OpportunityStage", KeyPrefix: "01J", NameField: "MasterLabel", ReadOnly: true, Fields: audited(
			text("ApiName", 255), text("MasterLabel", 255), boolean("IsActive", byDefault(true)), integer("SortOrder"),
			boolean("IsClosed"), boolean("IsWon"),
			picklist("ForecastCategory", forecastCategories...), picklist("ForecastCategoryName", forecastCategories...),
			number("DefaultProbability", TypePercent, 3, 0), text("Description", 255),
		)},
		{Name: "OpportunityHistory", Plural: "Opportunity Histories", KeyPrefix: "008", ReadOnly: true, Fields: stamped(
			reference("OpportunityId", "Opportunity", "Opportunity", children("OpportunityHistories"), cascade),
			picklist("StageName"), number("Amount", TypeCurrency, 18, 2), number("ExpectedRevenue", TypeCurrency, 18, 2),
			date("CloseDate"), number("Probability", TypePercent, 3, 0), picklist("ForecastCategory", forecastCategories...),
			number("PrevAmount", TypeCurrency, 18, 2), date("PrevCloseDate"), currencyCode(),
			datetime("SystemModstamp", readOnly),
		)},
		{Name: "OpportunityFieldHistory", Plural: "Opportunity Field Histories", KeyPrefix: "017", ReadOnly: true, Fields: stamped(
			reference("OpportunityId", "Opportunity", "Opportunity", children("Histories"), cascade),
			picklist("Field"), text("DataType", 40), anyValue("OldValue"), anyValue("NewValue"),
		)},
		{Name: "Contract", KeyPrefix: "800", NameField: "ContractNumber", Fields: audited(
			reference("AccountId", "Account", "Account", children("Contracts"), cascade, required),
			text("ContractNumber", 30, readOnly), picklist("Status", "Draft", "In Approval Process", "Activated").with(byDefault("Draft")),
			date("StartDate"), date("EndDate", readOnly), integer("ContractTerm"), owner(),
		)},
		{Name: "Task", KeyPrefix: "00T", NameField: "Subject", Fields: audited(
			reference("WhoId", "Who", "Contact", children("Tasks")),
			reference("WhatId", "What", "Opportunity", others("Account", "Contract"), children("Tasks"), cascade),
			reference("AccountId", "Account", "Account", readOnly),
			combobox("Subject", 255), date("ActivityDate"), datetime("CompletedDateTime", readOnly),
			picklist("Status", "Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred").with(byDefault("Not Started")),
			picklist("Priority", "High", "Normal", "Low").with(byDefault("Normal")),
			boolean("IsHighPriority", readOnly), boolean("IsClosed", readOnly), boolean("IsArchived", readOnly),
			picklist("TaskSubtype", "Task", "Email", "Call", "ListEmail", "LinkedIn").with(byDefault("Task"), createOnly, restricted),
			picklist("Type", "Call", "Meeting", "Email", "Other"),
			long("Description", bodyText),
			integer("CallDurationInSeconds"), picklist("CallType", "Internal", "Inbound", "Outbound").with(restricted),
			text("CallDisposition", 255), text("CallObject", 255),
			owner(), currencyCode(),
		)},
		{Name: "Event", KeyPrefix: "00U", NameField: "Subject", Fields: audited(
			reference("WhoId", "Who", "Contact", children("Events")),
			reference("WhatId", "What", "Opportunity", others("Account", "Contract"), children("Events"), cascade),
			reference("AccountId", "Account", "Account", readOnly),
			combobox("Subject", 255), text("Location", 255), boolean("IsAllDayEvent"),
			datetime("ActivityDateTime"), date("ActivityDate"), integer("DurationInMinutes"),
			datetime("StartDateTime"), datetime("EndDateTime"), date("EndDate", readOnly),
			long("Description", bodyText),
			picklist("Type", "Call", "Meeting", "Email", "Other"),
			picklist("EventSubtype", "Event").with(byDefault("Event"), createOnly, restricted),
			picklist("ShowAs", "Busy", "OutOfOffice", "Free").with(byDefault("Busy")),
			boolean("IsPrivate"), boolean("IsChild", readOnly), boolean("IsArchived", readOnly),
			owner(), currencyCode(),
		)},
		{Name: "EventRelation", KeyPrefix: "0RE", Fields: audited(
			reference("RelationId", "Relation", "Contact", others("User"), children("EventRelations"), required, createOnly),
			reference("EventId", "Event", "Event", children("EventRelations"), cascade, required, createOnly),
			reference("AccountId", "Account", "Account", readOnly),
			boolean("IsWhat"), boolean("IsParent"), boolean("IsInvitee"),
			picklist("Status", "New", "Declined", "Accepted", "Uninvited", "Maybe").with(byDefault("New")),
			datetime("RespondedDate"), text("Response", 255),
		)},
		{Name: "EmailMessage", KeyPrefix: "02s", NameField: "Subject", Fields: audited(
			reference("RelatedToId", "RelatedTo", "Opportunity", others("Account", "Contract"), children("Emails"), cascade),
			reference("ActivityId", "Activity", "Task", createOnly),
			text("Subject", 3_000), long("TextBody", bodyText), long("HtmlBody", bodyText), long("Headers", bodyText),
			text("FromName", 1_000), email("FromAddress"), text("ToAddress", 4_000), text("CcAddress", 4_000), text("BccAddress", 4_000),
			boolean("Incoming"), boolean("HasAttachment", readOnly),
			picklist("Status", "0", "1", "2", "3", "4", "5").with(byDefault("0"), restricted),
			datetime("MessageDate"), text("MessageIdentifier", 900), text("ThreadIdentifier", 900), currencyCode(),
		)},
		{Name: "Note", KeyPrefix: "002", NameField: "Title", Fields: audited(
			reference("ParentId", "Parent", "Opportunity", others("Account", "Contact", "Contract"), children("Notes"), cascade, required, createOnly),
			text("Title", 80, required), boolean("IsPrivate"), long("Body", bodyText), owner(),
		)},
		{Name: "ContentDocument", KeyPrefix: "069", NameField: "Title", Fields: audited(
			text("Title", 255, required), text("FileType", 20, readOnly), text("FileExtension", 40, readOnly), integer("ContentSize", readOnly),
			reference("LatestPublishedVersionId", "LatestPublishedVersion", "ContentVersion", readOnly),
			text("Description", 1_000), reference("ParentId", "Parent", "Account"), boolean("IsArchived", readOnly),
			picklist("PublishStatus", "P", "R", "U").with(readOnly, byDefault("P")),
			datetime("ContentModifiedDate", readOnly), owner(),
		)},
		{Name: "ContentVersion", KeyPrefix: "068", NameField: "Title", Fields: audited(
			reference("ContentDocumentId", "ContentDocument", "ContentDocument", children("ContentVersions"), cascade, createOnly),
			boolean("IsLatest", readOnly), text("VersionNumber", 20, readOnly), text("Title", 255), text("Description", 1_000),
			text("PathOnClient", 500, createOnly), text("FileType", 20, readOnly), text("FileExtension", 40, readOnly),
			integer("ContentSize", readOnly), text("TextPreview", 255, readOnly), blob("VersionData", createOnly),
			reference("FirstPublishLocationId", "FirstPublishLocation", "Opportunity", others("Account", "Contact", "User"), createOnly),
			picklist("Origin", "C", "H").with(byDefault("C"), createOnly, restricted), datetime("ContentModifiedDate", readOnly), owner(),
		)},
		{Name: "ContentNote", KeyPrefix: "069", NameField: "Title", View: contentNoteView, Fields: audited(
			text("Title", 255, required), blob("Content"), text("TextPreview", 255, readOnly), integer("ContentSize", readOnly),
			text("FileType", 20, readOnly), text("FileExtension", 40, readOnly), boolean("IsReadOnly", readOnly),
			reference("LatestPublishedVersionId", "LatestPublishedVersion", "ContentVersion", readOnly),
			reference("LatestContentId", "LatestContent", "ContentVersion", readOnly), datetime("ContentModifiedDate", readOnly), owner(),
		)},
		{Name: "ContentDocumentLink", KeyPrefix: "06A", Fields: []*Field{
			id(), boolean("IsDeleted", readOnly), datetime("SystemModstamp", readOnly),
			reference("LinkedEntityId", "LinkedEntity", "Opportunity", others("Account", "Contact", "Contract", "Event", "Task", "User"),
				children("ContentDocumentLinks"), cascade, required, createOnly),
			reference("ContentDocumentId", "ContentDocument", "ContentDocument", children("ContentDocumentLinks"), cascade, required, createOnly),
			picklist("ShareType", "V", "C", "I").with(byDefault("V"), restricted),
			picklist("Visibility", "AllUsers", "InternalUsers", "SharedUsers").with(byDefault("AllUsers"), restricted),
		}},
		{Name: "User", KeyPrefix: "005", NameField: "Name", Fields: audited(
			text("Username", 80, required), text("FirstName", 40), text("LastName", 80, required), text("Name", 121, readOnly),
			email("Email", required), text("Title", 80), text("Department", 80), text("CompanyName", 80), phone("Phone"), text("Alias", 8),
			boolean("IsActive", byDefault(true)), picklist("UserType", "Standard", "Guest").with(readOnly, byDefault("Standard")),
			picklist("TimeZoneSidKey", "America/New_York", "Europe/Berlin", "Europe/London", "GMT").with(byDefault("GMT")),
			reference("ManagerId", "Manager", "User", children("ManagedUsers")), currencyCode(),
		)},
		{Name: "Organization", KeyPrefix: "00D", NameField: "Name", ReadOnly: true, Fields: audited(
			text("Name", 80), text("OrganizationType", 40), boolean("IsSandbox"), text("InstanceName", 5),
			text("TimeZoneSidKey", 40), text("LanguageLocaleKey", 40), text("DefaultLocaleSidKey", 40), integer("FiscalYearStartMonth"),
		)},
		{Name: "ListView", KeyPrefix: "00B", NameField: "Name", ReadOnly: true, Fields: audited(
			text("Name", 40), text("DeveloperName", 80), text("NamespacePrefix", 15), picklist("SobjectType"), boolean("IsSoqlCompatible"),
			datetime("LastViewedDate"), datetime("LastReferencedDate"),
		)},
		{Name: "PermissionSet", KeyPrefix: "0PS", NameField: "Name", Fields: audited(
			text("Name", 80, required), text("NamespacePrefix", 15, readOnly), text("Label", 80, required), text("Description", 255), boolean("IsOwnedByProfile", readOnly),
			boolean("IsCustom", readOnly, byDefault(true)), picklist("Type", "Regular", "Standard").with(readOnly, byDefault("Regular")),
			boolean("PermissionsActivitiesAccess"), boolean("PermissionsViewAllData"),
		)},
		{Name: "PermissionSetAssignment", KeyPrefix: "0Pa", Fields: stamped(
			reference("PermissionSetId", "PermissionSet", "PermissionSet", children("Assignments"), cascade, required, createOnly),
			reference("AssigneeId", "Assignee", "User", children("PermissionSetAssignments"), cascade, required, createOnly),
			boolean("IsActive", readOnly, byDefault(true)), datetime("SystemModstamp", readOnly),
		)},
		{Name: "FieldPermissions", Plural: "Field Permissions", KeyPrefix: "01k", Fields: stamped(
			reference("ParentId", "Parent", "PermissionSet", children("FieldPerms"), cascade, required, createOnly),
			picklist("SobjectType").with(required, createOnly), picklist("Field").with(required, createOnly),
			boolean("PermissionsRead"), boolean("PermissionsEdit"), datetime("SystemModstamp", readOnly),
		)},
		{Name: "ObjectPermissions", Plural: "Object Permissions", KeyPrefix: "110", Fields: stamped(
			reference("ParentId", "Parent", "PermissionSet", children("ObjectPerms"), cascade, required, createOnly),
			picklist("SobjectType").with(required, createOnly),
			boolean("PermissionsRead"), boolean("PermissionsCreate"), boolean("PermissionsEdit"), boolean("PermissionsDelete"),
			boolean("PermissionsViewAllRecords"), boolean("PermissionsModifyAllRecords"), datetime("SystemModstamp", readOnly),
		)},
	}
}

var forecastCategories = []string{"Omitted", "Pipeline", "BestCase", "Forecast", "Closed"}

// A ContentNote is another face of a document whose latest version is a note.
const contentNoteView = `
	SELECT d.Id, d.IsDeleted, d.CreatedDate, d.CreatedById, d.LastModifiedDate, d.LastModifiedById, d.SystemModstamp,
		d.Title, v.VersionData AS Content, v.TextPreview, v.ContentSize, d.FileType, d.FileExtension, 0 AS IsReadOnly,
		v.Id AS LatestPublishedVersionId, v.Id AS LatestContentId, v.ContentModifiedDate, d.OwnerId
	FROM ContentDocument d JOIN ContentVersion v ON v.Id = d.LatestPublishedVersionId WHERE d.FileType = 'SNOTE'`

// handoffText returns the opportunity's custom text fields, one for each neutral name that has no standard field.
func handoffText() []*Field {
	var fields []*Field
	for _, name := range crm.FieldNames {
		if api := textField(name); strings.HasSuffix(api, "__c") {
			fields = append(fields, long(api, longText))
		}
	}
	return fields
}

// textField returns the opportunity's field for a neutral name of crm.FieldNames.
func textField(neutral string) string {
	switch neutral {
	case "description":
		return "Description"
	case "next_step":
		return "NextStep"
	}
	words := strings.Split(neutral, "_")
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, "_") + "__c"
}

func id() *Field { return &Field{Name: "Id", Type: TypeID, Length: 18, ReadOnly: true} }

// audited puts the system fields of an ordinary object around its own.
func audited(own ...*Field) []*Field {
	return append(stamped(own...),
		datetime("LastModifiedDate", readOnly),
		reference("LastModifiedById", "LastModifiedBy", "User", readOnly),
		datetime("SystemModstamp", readOnly),
	)
}

// stamped puts the system fields of an object whose rows do not change around its own.
func stamped(own ...*Field) []*Field {
	system := []*Field{id(), boolean("IsDeleted", readOnly), datetime("CreatedDate", readOnly),
		reference("CreatedById", "CreatedBy", "User", readOnly)}
	return append(system, own...)
}

// An option refines a field of the schema.
type option func(*Field)

func (f *Field) with(opts ...option) *Field {
	for _, opt := range opts {
		opt(f)
	}
	return f
}

func required(f *Field)   { f.Required = true }
func readOnly(f *Field)   { f.ReadOnly = true }
func createOnly(f *Field) { f.CreateOnly = true }
func restricted(f *Field) { f.Restricted = true }
func cascade(f *Field)    { f.CascadeDelete = true }
func tracked(f *Field)    { f.TrackHistory = true }

func byDefault(v any) option      { return func(f *Field) { f.Default = v } }
func children(name string) option { return func(f *Field) { f.Children = name } }
func others(objects ...string) option {
	return func(f *Field) { f.ReferenceTo = append(f.ReferenceTo, objects...) }
}

func text(name string, length int, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeString, Length: length}).with(opts...)
}

func combobox(name string, length int, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeCombobox, Length: length}).with(opts...)
}

func long(name string, length int) *Field {
	return &Field{Name: name, Type: TypeTextArea, Length: length}
}

func picklist(name string, values ...string) *Field {
	return &Field{Name: name, Type: TypePicklist, Length: 255, Values: values}
}

func email(name string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeEmail, Length: 80}).with(opts...)
}

func phone(name string) *Field { return &Field{Name: name, Type: TypePhone, Length: 40} }

func website(name string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeURL, Length: 255}).with(opts...)
}

func boolean(name string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeBoolean, Default: false}).with(opts...)
}

func integer(name string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeInt, Precision: 9}).with(opts...)
}

func number(name string, t FieldType, precision, scale int, opts ...option) *Field {
	return (&Field{Name: name, Type: t, Precision: precision, Scale: scale}).with(opts...)
}

func date(name string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeDate}).with(opts...)
}

func datetime(name string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeDateTime}).with(opts...)
}

func blob(name string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeBase64}).with(opts...)
}

func anyValue(name string) *Field { return &Field{Name: name, Type: TypeAny, Length: 255} }

func reference(name, relationship, to string, opts ...option) *Field {
	return (&Field{Name: name, Type: TypeReference, Length: 18, ReferenceTo: []string{to}, Relationship: relationship}).with(opts...)
}

func owner(opts ...option) *Field { return reference("OwnerId", "Owner", "User", opts...) }

func currencyCode() *Field {
	return picklist("CurrencyIsoCode", "EUR", "GBP", "USD").with(byDefault("USD"))
}
