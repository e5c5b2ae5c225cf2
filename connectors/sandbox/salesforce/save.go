package salesforce

import "context"

// row is one record that a client asks to create, update or delete.
type row struct {
	Object string         // sObject name as the client wrote it
	ID     string         // "" on create
	Values map[string]any // as decoded from JSON, or strings in XML schema form as in CSV: "true", "12.5", "2026-01-02"; nil sets null
}

// saved is what became of one row.
type saved struct {
	ID      string // "": never made
	Created bool
	Errors  []rowError // empty: saved
}

// createRecords creates rows for u and returns what became of each, in the same order. With allOrNone, one bad row
// undoes them all. The error is an internal one.
func (o *Org) createRecords(ctx context.Context, u user, rows []row, allOrNone bool) ([]saved, error) {
	return nil, nil
}

// updateRecords is createRecords for changes.
func (o *Org) updateRecords(ctx context.Context, u user, rows []row, allOrNone bool) ([]saved, error) {
	return nil, nil
}

// deleteRecords moves rows, which need no Values, and what hangs on them to the recycle bin.
func (o *Org) deleteRecords(ctx context.Context, u user, rows []row, allOrNone bool) ([]saved, error) {
	return nil, nil
}
