package salesforce

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
	"handoff/crm"
)

const (
	maxRecords = 200 // of one collection
	writeTries = 4   // of rows that smaller batches may help
)

// ReadValues implements connectors.Writer.
func (c *Client) ReadValues(ctx context.Context, object crm.Object, ids []string) (map[string]crm.Values, error) {
	s, err := c.described(ctx)
	if err != nil {
		return nil, err
	}
	own := s.own[object]
	columns := []string{"Id"}
	for _, name := range sortedKeys(own) {
		columns = append(columns, own[name])
	}
	filter, size := "", maxIDs
	if object == crm.DealObject {
		filter, size = c.ours(), maxWide
	}
	var selections []*selection[row]
	for chunk := range slices.Chunk(ids, size) {
		selections = append(selections, &selection[row]{soql: selectFrom(sobjects[object], columns, all(anyOf("Id", chunk), filter), "")})
	}
	if _, err := c.read(ctx, "read our fields", parts(selections)...); err != nil {
		return nil, err
	}
	values := map[string]crm.Values{}
	for _, sel := range selections {
		if sel.err != nil {
			return nil, sel.err
		}
		for _, r := range sel.rows {
			v := crm.Values{}
			for _, f := range c.specs[object] {
				if api, ok := own[f.Name]; ok {
					v[f.Name] = fromCRM(f.Type, r.at(api))
				}
			}
			values[r.text("Id")] = v
		}
	}
	return values, nil
}

// Write implements connectors.Writer. Rows that another process holds, or of which there were too many for a trigger, are tried
// again in smaller batches.
func (c *Client) Write(ctx context.Context, updates []crm.Update) ([]connectors.Outcome, error) {
	outcomes := make([]connectors.Outcome, len(updates))
	var open []int
	records := make([]map[string]any, len(updates))
	for i, u := range updates {
		outcomes[i].Ref = u.Ref
		if records[i], outcomes[i].Err = c.wireRecord(u); outcomes[i].Err == nil {
			open = append(open, i)
		}
	}
	// A collection of many types is cut into chunks by type, of which there may be ten.
	slices.SortStableFunc(open, func(a, b int) int { return cmp.Compare(updates[a].Object, updates[b].Object) })

	certain := make([]bool, len(updates)) // refused here or answered there
	for i := range updates {
		certain[i] = outcomes[i].Err != nil
	}
	size := maxRecords
	for try := 1; len(open) > 0; try++ {
		var again []int
		for batch := range slices.Chunk(open, size) {
			for _, i := range batch { // sent again, it is open again
				certain[i] = false
			}
			results, err := c.writeBatch(ctx, pickRecords(records, batch))
			if err != nil {
				return connectors.Certain(outcomes, certain), err
			}
			crowded := try == 1 && triggerRefused(results)
			for n, i := range batch {
				outcomes[i].Err = results[n]
				certain[i] = true
				if e := results[n]; e != nil && (errors.Is(e, connectors.ErrRetry) || len(batch) > 1 && (crowded || exceedsLimit(e))) {
					again = append(again, i)
				}
			}
		}
		if try == writeTries || len(again) == 0 {
			break
		}
		if err := c.sleep(ctx, connectors.Backoff(try)); err != nil {
			break // the outcomes stand: those rows were not written
		}
		open, size = again, max(min(size, len(open))/4, 1)
	}
	return outcomes, nil
}

// triggerRefused reports whether all rows of a batch were refused by a trigger or flow. It may be one that takes no more than
// some rows at once, and speaks of them in words of its own.
func triggerRefused(results []*connectors.Error) bool {
	return !slices.ContainsFunc(results, func(e *connectors.Error) bool { return e == nil || e.Code != triggerFails })
}

// exceedsLimit reports whether what runs when a row is saved did more for its batch than Salesforce lets one transaction do,
// such as 101 queries where it makes one for each row.
// https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_gov_limits.htm
func exceedsLimit(e *connectors.Error) bool {
	return strings.Contains(e.Message, "System.LimitException")
}

func pickRecords(records []map[string]any, at []int) []map[string]any {
	picked := make([]map[string]any, len(at))
	for n, i := range at {
		picked[n] = records[i]
	}
	return picked
}

const opWrite = "write our fields"

// unfit is what to do about a value that the field cannot hold.
const unfit = "Run `handoff setup`, which says what is wrong with the field"

// wireRecord is an update as a collection holds it.
func (c *Client) wireRecord(u crm.Update) (map[string]any, *connectors.Error) {
	record := map[string]any{"attributes": map[string]string{"type": sobjects[u.Object]}, "id": u.ID}
	for _, name := range sortedKeys(u.Values) {
		i := slices.IndexFunc(c.specs[u.Object], func(f ownField) bool { return f.Name == name })
		if i < 0 {
			return nil, &connectors.Error{Op: opWrite, CRM: crmName, Class: connectors.ErrConfig, Message: fmt.Sprintf("%q is no field of ours on this object", name)}
		}
		f := c.specs[u.Object][i]
		value, err := toCRM(f.FieldSpec, u.Values[name])
		if err != nil {
			return nil, &connectors.Error{Op: opWrite, CRM: crmName, Class: connectors.ErrPark, Fields: []string{f.API}, Err: err, Remedy: unfit}
		}
		record[f.API] = value
	}
	return record, nil
}

// writeBatch sends one collection and returns what became of each record, in order; nil: written.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_sobjects_collections_update.htm
func (c *Client) writeBatch(ctx context.Context, records []map[string]any) ([]*connectors.Error, error) {
	return c.collection(ctx, opWrite, http.MethodPatch, records, false)
}

func (c *Client) collection(ctx context.Context, op, method string, records []map[string]any, repeatable bool) ([]*connectors.Error, error) {
	body, err := json.Marshal(map[string]any{"allOrNone": false, "records": records}, json.Deterministic(true))
	if err != nil {
		return nil, err
	}
	var results []*connectors.Error
	send := call{op: op, method: method, path: c.base + "/composite/sobjects", body: body, repeatable: repeatable}
	err = c.do(ctx, send, func(_ http.Header, body []byte) error {
		var rows []struct {
			Success bool       `json:"success"`
			Errors  []reported `json:"errors"`
		}
		if err := json.Unmarshal(body, &rows, lenient); err != nil {
			return connectors.Garbled(crmName, op, err)
		}
		if len(rows) != len(records) {
			return connectors.Garbled(crmName, op, fmt.Errorf("%d results for %d records", len(rows), len(records)))
		}
		results = make([]*connectors.Error, len(rows))
		for i, r := range rows {
			switch {
			case r.Success:
			case len(r.Errors) == 0:
				results[i] = reported{Message: "refused without a word why"}.at(op, 0)
			default:
				results[i] = r.Errors[0].at(op, 0)
			}
		}
		return nil
	})
	return results, err
}
