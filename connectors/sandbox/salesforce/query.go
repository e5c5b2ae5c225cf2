package salesforce

import "context"

// queryOptions says how a query is to be answered.
type queryOptions struct {
	Version   string // API version, such as "62.0", for the URLs inside the answer
	All       bool   // rows in the recycle bin too
	BatchSize int    // rows a page, child rows included; 0: 2,000
	Bulk      bool   // the rules of Bulk API 2.0: no aggregates, subqueries, OFFSET; one page holds everything
}

// column is one selected value of a row, in the order of the query.
type column struct {
	Name string // as in bulk CSV: "Amount", "Account.Name"
	Type FieldType
}

// queryResult is one page of an answer. It marshals to the JSON of /query.
type queryResult struct {
	TotalSize int
	Done      bool
	Next      string // locator of the next page; "" on the last
	Object    string // sObject in FROM, in its declared case
	Columns   []column
	Rows      []resultRow

	version string
}

// resultRow is one row of an answer.
type resultRow struct {
	// Values holds a value for each column: nil, string, bool, int64 or float64. A date is "2006-01-02", a datetime
	// "2006-01-02T15:04:05Z".
	Values []any
}

// query answers the SOQL text for u, its first page.
func (o *Org) query(ctx context.Context, u user, text string, opt queryOptions) (*queryResult, *apiError) {
	return nil, nil
}
