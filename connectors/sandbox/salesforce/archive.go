package salesforce

import "fmt"

// archiveDays is how old activities are that Salesforce archives: only queryAll lists them. A background process does so;
// here they are archived at once.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_guidelines_archive.htm
const archiveDays = 365

// activityDays are the objects whose rows are archived, with the SQL for the day that counts; NULL: such a row never is.
var activityDays = map[string]string{
	"Task":  "CASE WHEN %[1]s.IsClosed THEN coalesce(%[1]s.ActivityDate, substr(%[1]s.CreatedDate, 1, 10)) END",
	"Event": "coalesce(%[1]s.ActivityDate, substr(%[1]s.ActivityDateTime, 1, 10))",
}

// isArchived returns the SQL for whether the node's record is archived; "": records of its object never are.
func (s *scope) isArchived(n *node) string {
	day, ok := activityDays[n.object.Name]
	if !ok {
		return ""
	}
	last := s.now.UTC().AddDate(0, 0, -archiveDays).Format(storedDate)
	return fmt.Sprintf("coalesce(%s <= '%s', 0)", fmt.Sprintf(day, n.kinds[0].alias), last)
}
