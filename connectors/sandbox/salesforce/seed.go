package salesforce

// Who and what an org holds from the start.
const (
	orgName = "Sandbox"

	adminFirstName, adminLastName = "Casey", "CSM"
)

var (
	organizationID    = newID("00D", 1)
	integrationUserID = newID("005", 1) // who clients log in as
	adminUserID       = newID("005", 2) // who edits on the record pages
)

// standardStages are the stages of a new org, in their order.
var standardStages = []stage{
	{"Prospecting", "Pipeline", 10, false, false},
	{"Qualification", "Pipeline", 10, false, false},
	{"Needs Analysis", "Pipeline", 20, false, false},
	{"Value Proposition", "Pipeline", 50, false, false},
	{"Id. Decision Makers", "Pipeline", 60, false, false},
	{"Perception Analysis", "Pipeline", 70, false, false},
	{"Proposal/Price Quote", "Pipeline", 75, false, false},
	{"Negotiation/Review", "Pipeline", 90, false, false},
	{"Closed Won", "Closed", 100, true, true},
	{"Closed Lost", "Omitted", 0, true, false},
}

func seed(insert insertFunc) error {
	type entry struct {
		object string
		values map[string]any
	}
	records := []entry{
		{"Organization", map[string]any{
			"Id": organizationID, "Name": orgName, "OrganizationType": "Enterprise Edition", "IsSandbox": true, "InstanceName": "SBX",
			"TimeZoneSidKey": "GMT", "LanguageLocaleKey": "en_US", "DefaultLocaleSidKey": "en_GB", "FiscalYearStartMonth": 1,
		}},
		{"User", map[string]any{"FirstName": "RevOps", "LastName": "Integration", "Username": Username, "Email": Username, "Alias": "revops"}},
		{"User", map[string]any{"FirstName": adminFirstName, "LastName": adminLastName, "Username": "casey@sandbox.example", "Email": "casey@sandbox.example", "Alias": "casey"}},
	}
	for i, s := range standardStages {
		records = append(records, entry{"OpportunityStage", s.row(i + 1)})
	}
	for _, r := range records {
		if _, err := insert(r.object, r.values, system{}); err != nil {
			return err
		}
	}
	return nil
}
