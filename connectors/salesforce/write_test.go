package salesforce

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"handoff/connectors"
	"handoff/crm"
)

// TestWriteBreaksOff: when a call fails in an unknown state, the outcomes of those before it are still told.
func TestWriteBreaksOff(t *testing.T) {
	s := newStub(t)
	sizes := make(chan int, 10)
	s.api = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var sent struct{ Records []map[string]any }
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Error(err)
		}
		sizes <- len(sent.Records)
		if len(sizes) == 2 {
			panic(http.ErrAbortHandler)
		}
		fmt.Fprintf(w, "[%s]", strings.TrimSuffix(strings.Repeat(`{"success":true,"errors":[]},`, len(sent.Records)), ","))
	}
	c := s.client(t, func(cfg *Config) {
		cfg.Specs = []crm.FieldSpec{{Object: crm.DealObject, Name: "score", Type: crm.Number}, {Object: crm.AccountObject, Name: "health", Type: crm.Picklist}}
	})
	var updates []crm.Update
	for i := range 450 {
		updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: fmt.Sprint("006", i)}, Values: crm.Values{"score": "1"}})
	}
	updates[0] = crm.Update{Ref: crm.Ref{Object: crm.AccountObject, ID: "001"}, Values: crm.Values{"health": "Red"}}
	updates[1].Values = crm.Values{"score": "many"}
	updates[2].Values = crm.Values{"unknown": "1"}
	outcomes, err := c.Write(t.Context(), updates)
	if !errors.Is(err, connectors.ErrRetry) {
		t.Errorf("got %v", err)
	}
	if len(outcomes) != 202 || len(sizes) != 2 || <-sizes != 200 || <-sizes != 200 {
		t.Errorf("%d outcomes, want 202: two rows that are never sent, and those of the first call", len(outcomes))
	}
	for _, o := range outcomes {
		if bad := o.Ref == updates[1].Ref || o.Ref == updates[2].Ref; bad != (o.Err != nil) {
			t.Errorf("%v: %v", o.Ref, o.Err)
		}
	}
}

// TestTooManyForATrigger: a trigger that takes only some rows at once refuses all of a batch; fewer of them pass.
func TestTooManyForATrigger(t *testing.T) {
	const (
		tooMany = "HandoffSync: execution of BeforeUpdate caused by: System.LimitException: Too many SOQL queries: 101"
		several = "HandoffSync: update one opportunity at a time"
	)
	for _, tc := range []struct {
		name   string
		rows   int
		most   int // that the trigger takes at once
		code   string
		words  string
		sizes  []int // of the batches, each followed by how often
		parked int
	}{
		{"a query for each row", 200, 100, triggerFails, tooMany, []int{200, 1, 50, 4}, 0},
		{"five queries for each row", 200, 20, triggerFails, tooMany, []int{200, 1, 50, 4, 12, 16, 8, 1}, 0},
		{"in a flow", 200, 100, "CANNOT_EXECUTE_FLOW_TRIGGER", tooMany, []int{200, 1, 50, 4}, 0},
		{"more queries than a row may have", 40, 0, triggerFails, tooMany, []int{40, 1, 10, 4, 2, 20, 1, 40}, 40},
		{"words of its own", 200, 60, triggerFails, several, []int{200, 1, 50, 4}, 0},
		{"words of its own, and fewer rows", 40, 10, triggerFails, several, []int{40, 1, 10, 4}, 0},
		{"a trigger that fails whatever it gets", 200, 0, triggerFails, several, []int{200, 1, 50, 4}, 200},
		{"one row", 1, 0, triggerFails, tooMany, []int{1, 1}, 1},
		{"another refusal", 200, 0, "FIELD_CUSTOM_VALIDATION_EXCEPTION", several, []int{200, 1}, 200},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			s := newStub(t)
			var sizes []int // each with how often it came, one after the other
			s.api = func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				var sent struct{ Records []map[string]any }
				if err := json.Unmarshal(body, &sent); err != nil {
					t.Error(err)
				}
				n := len(sent.Records)
				if last := len(sizes) - 2; last >= 0 && sizes[last] == n {
					sizes[last+1]++
				} else {
					sizes = append(sizes, n, 1)
				}
				row := `{"success":true,"errors":[]},`
				if n > tc.most {
					row = fmt.Sprintf(`{"success":false,"errors":[{"statusCode":%q,"message":%q}]},`, tc.code, tc.words)
				}
				fmt.Fprintf(w, "[%s]", strings.TrimSuffix(strings.Repeat(row, n), ","))
			}
			c := s.client(t, func(cfg *Config) {
				cfg.Specs = []crm.FieldSpec{{Object: crm.DealObject, Name: "score", Type: crm.Number}}
			})
			var updates []crm.Update
			for i := range tc.rows {
				updates = append(updates, crm.Update{Ref: crm.Ref{Object: crm.DealObject, ID: fmt.Sprint("006", i)}, Values: crm.Values{"score": "1"}})
			}
			outcomes, err := c.Write(t.Context(), updates)
			if err != nil || len(outcomes) != tc.rows {
				t.Fatalf("%d outcomes, %v", len(outcomes), err)
			}
			parked := 0
			for _, o := range outcomes {
				if o.Err != nil && o.Err.Code == tc.code && errors.Is(o.Err, connectors.ErrPark) {
					parked++
				}
			}
			if parked != tc.parked || !slices.Equal(sizes, tc.sizes) {
				t.Errorf("%d rows parked after batches of %v, want %d and %v", parked, sizes, tc.parked, tc.sizes)
			}
		})
	}
}

func TestOwnName(t *testing.T) {
	for neutral, want := range map[string]string{
		"score": "Handoff_Score__c", "item_1_1": "Handoff_Item_1_1__c", "deal_context": "Handoff_Deal_Context__c", "crm_hygiene": "Handoff_Crm_Hygiene__c",
	} {
		if got := ownName(neutral); got != want {
			t.Errorf("%s: got %s, want %s", neutral, got, want)
		}
	}
}

func TestTrackedFields(t *testing.T) {
	var fields []ownField
	for i := range 25 {
		fields = append(fields, ownField{FieldSpec: crm.FieldSpec{Name: fmt.Sprintf("item_%02d", i), Type: crm.Number}})
	}
	fields = append(fields, ownField{FieldSpec: crm.FieldSpec{Name: "item_notes", Type: crm.LongText}},
		ownField{FieldSpec: crm.FieldSpec{Name: "acceptance", Type: crm.Picklist}}, ownField{FieldSpec: crm.FieldSpec{Name: "finalised", Type: crm.Checkbox}})
	got := trackedFields(fields)
	if len(got) != 20 || !got["finalised"] || !got["acceptance"] || !got["item_17"] || got["item_18"] || got["item_notes"] {
		t.Errorf("got %v", sortedKeys(got))
	}
}

// TestHistoryIsFull: where the object tracks as many fields as it can, a field is created without.
func TestHistoryIsFull(t *testing.T) {
	s := newStub(t)
	var bodies []string
	s.api = func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, string(body))
		if strings.Contains(string(body), "trackHistory") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `[{"errorCode":"FIELD_INTEGRITY_EXCEPTION","message":"You can track the history of at most 20 fields"}]`)
		}
	}
	err := s.client(t).createField(t.Context(), "Opportunity.Handoff_Score__c", fieldMetadata{Description: madeMark, Label: "Score", Type: "Number", Precision: 3, Scale: new(int), TrackHistory: true})
	want := []string{
		`{"FullName":"Opportunity.Handoff_Score__c","Metadata":{"description":"Made by handoff.","label":"Score","precision":3,"scale":0,"trackHistory":true,"type":"Number"}}`,
		`{"FullName":"Opportunity.Handoff_Score__c","Metadata":{"description":"Made by handoff.","label":"Score","precision":3,"scale":0,"type":"Number"}}`,
	}
	if err != nil || strings.Join(bodies, "\n") != strings.Join(want, "\n") {
		t.Errorf("%v, sent:\n%s", err, strings.Join(bodies, "\n"))
	}
}

// TestSetupRefused: who runs setup must be an admin, and is told so.
func TestSetupRefused(t *testing.T) {
	for _, code := range []string{"INVALID_TYPE", "INSUFFICIENT_ACCESS"} {
		s := newStub(t)
		s.api = func(w http.ResponseWriter, _ *http.Request) { refuse(w, http.StatusForbidden, code) }
		c := s.client(t)
		step := connectors.Step{Do: func(ctx context.Context) error {
			return c.create(ctx, "/tooling/sobjects/CustomField", map[string]any{})
		}}
		if err := c.Apply(t.Context(), step); err == nil || !strings.Contains(err.Error(), `permissions "Customize Application", `) || !strings.Contains(err.Error(), "--export") {
			t.Errorf("apply: %v", err)
		}
		if _, err := c.PlanRemoval(t.Context()); err == nil || !strings.Contains(err.Error(), `permissions "Customize Application", `) {
			t.Errorf("removal: %v", err)
		}
	}
}
