package hubspot

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/google/go-cmp/cmp"
)

// Reads see either all of a batch or nothing of it, whatever else goes on.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	update := func(n int) string {
		return fmt.Sprintf(`{"inputs":[{"id":"%s","properties":{"amount":"%[3]d"}},{"id":"%[2]s","properties":{"amount":"%[3]d"}}]}`, wonID, openID, n)
	}
	get[batchAnswer[answer]](a, http.StatusOK, "POST", dealRecords+"/batch/update", update(0))
	var wg sync.WaitGroup
	for worker := range 4 {
		wg.Go(func() {
			for n := range 20 {
				if w := a.call("POST", dealRecords+"/batch/update", update(worker*100+n)); w.Code != http.StatusOK {
					t.Errorf("update: %d %s", w.Code, w.Body)
				}
				body := fmt.Sprintf(`{"name":"p_%d_%d","label":"P","groupName":"dealinformation","type":"string","fieldType":"text"}`, worker, n)
				if w := a.call("POST", dealProperties, body); w.Code != http.StatusCreated {
					t.Errorf("property: %d %s", w.Code, w.Body)
				}
				w := a.call("POST", dealRecords+"/search", `{"filterGroups":[{"filters":[{"propertyName":"hs_object_id","operator":"NEQ","value":"`+lostID+`"}]}],"properties":["amount"]}`)
				var got found
				if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || len(got.Results) != 2 {
					t.Errorf("search: %d %s", w.Code, w.Body)
					continue
				}
				if x, y := *got.Results[0].Properties["amount"], *got.Results[1].Properties["amount"]; x != y {
					t.Errorf("a search sees half a batch: %s and %s", x, y)
				}
			}
		})
	}
	wg.Wait()
}

// What fails in the middle leaves nothing.
func TestRollback(t *testing.T) {
	t.Parallel()
	a := newAPI(t)
	body := `{"inputs":[{"properties":{"name":"A"}},{"properties":{"name":"B"},"associations":[{"to":{"id":"` + nowhere + `"},"types":[{"associationCategory":"HUBSPOT_DEFINED","associationTypeId":342}]}]}]}`
	if got, want := a.refusal("POST", "/crm/v3/objects/companies/batch/create", body), "400 VALIDATION_ERROR Could not associate: there is no deal with id "+nowhere; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if got := get[listing](a, http.StatusOK, "GET", "/crm/v3/objects/companies", "").ids(); got != "" {
		t.Errorf("made all the same: %s", got)
	}
}

// A write whose commit a fault delays carries the moment when it was made, and is seen only later.
func TestCommitDelay(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newAPI(t)
		a.fault(`{"method":"PATCH","commit_delay_ms":5000}`)
		done := make(chan int)
		go func() { done <- a.call("PATCH", dealRecords+"/"+wonID, `{"properties":{"amount":"1"}}`).Code }()
		synctest.Wait()
		a.wait(time.Minute)
		if got, want := a.values(wonID, "amount", "hs_lastmodifieddate"), []string{"48000", "2026-10-03T09:00:00.000Z"}; !cmp.Equal(got, want) {
			t.Errorf("before the commit: %v, want %v", got, want)
		}
		if status := <-done; status != http.StatusOK {
			t.Errorf("status %d", status)
		}
		if got, want := a.values(wonID, "amount", "hs_lastmodifieddate"), []string{"1", "2026-11-20T12:00:00.000Z"}; !cmp.Equal(got, want) {
			t.Errorf("after the commit: %v, want %v", got, want)
		}
	})
}
