package salesforce

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"handoff/connectors"
	"handoff/crm"
)

// The list view of deals that need a person.
const (
	listView      = "Handoff_Ghost_Or_Incomplete"
	listViewLabel = "Ghost or incomplete handoffs"
)

// listFilter is a condition of the list view: a field of ours equals a value.
type listFilter struct {
	field string // API name
	value string // as a list view shows it
	plain string // as metadata has it
}

// listFilters are those that our fields allow; a deal that meets one of them is in the list.
func listFilters(deal []ownField) []listFilter {
	var filters []listFilter
	for _, f := range deal {
		switch {
		case f.Name == "ghost":
			filters = append(filters, listFilter{f.API, "True", "1"})
		case f.Name == "rating" && slices.Contains(f.Options, incomplete):
			filters = append(filters, listFilter{f.API, incomplete, incomplete})
		}
	}
	return filters
}

// incomplete is the rating that calls for a new handoff.
const incomplete = "Incomplete"

// listColumns are those of our fields that the list shows.
func listColumns(deal []ownField) []string {
	var columns []string
	for _, name := range []string{"score", "rating", "health", "ghost_reason"} {
		for _, f := range deal {
			if f.Name == name {
				columns = append(columns, f.API)
			}
		}
	}
	return columns
}

// filterLogic is "1 OR 2" for two filters; "" where there is nothing to combine.
func filterLogic(n int) string {
	if n < 2 {
		return ""
	}
	numbers := make([]string, n)
	for i := range numbers {
		numbers[i] = strconv.Itoa(i + 1)
	}
	return strings.Join(numbers, " OR ")
}

const listInfo = "/ui-api/list-info/Opportunity"

// listViewThere reports whether our list view is there, and what it is called.
func (c *Client) listViewThere(ctx context.Context) (label string, there bool, err error) {
	rows, err := c.lookUp(ctx, selectFrom("ListView", []string{"Name"}, all("SobjectType = 'Opportunity'", "DeveloperName = "+quote(listView)), ""))
	if err != nil || len(rows) == 0 {
		return "", false, err
	}
	return rows[0].text("Name"), true, nil
}

func (c *Client) planListView(ctx context.Context) ([]connectors.Step, error) {
	if len(listFilters(c.specs[crm.DealObject])) == 0 {
		return nil, nil
	}
	_, there, err := c.listViewThere(ctx)
	if there || err != nil {
		return nil, err
	}
	return []connectors.Step{{Change: connectors.Create, What: "list view", Target: "Opportunity." + listView, Detail: listViewLabel + ", for everyone", Do: c.createListView}}, nil
}

// createListView makes the list view, for everyone: one of the integration user alone would be of no use.
// https://developer.salesforce.com/docs/atlas.en-us.uiapi.meta/uiapi/ui_api_resources_lists_object_post.htm
func (c *Client) createListView(ctx context.Context) error {
	if _, there, err := c.listViewThere(ctx); there || err != nil {
		return err
	}
	deal := c.specs[crm.DealObject]
	filters := listFilters(deal)
	var conditions []map[string]any
	for _, f := range filters {
		conditions = append(conditions, map[string]any{"fieldApiName": f.field, "operator": "Equals", "operandLabels": []string{f.value}})
	}
	list := map[string]any{
		"listViewApiName": listView, "label": listViewLabel, "visibility": "Public", "scope": map[string]any{"apiName": "everything"},
		"displayColumns": append([]string{"Name", "Account.Name", "Owner.Alias", "CloseDate"}, listColumns(deal)...),
		"filteredByInfo": conditions,
	}
	if logic := filterLogic(len(filters)); logic != "" {
		list["filterLogicString"] = logic
	}
	return c.create(ctx, listInfo, list)
}

func (c *Client) removeListView(ctx context.Context) error {
	return c.remove(ctx, listInfo+"/"+listView)
}
