package salesforce

import (
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
)

// horizonSpan is how far the time that a horizon asks about reaches, back and ahead of now: opportunities changed in it
// are listed as well, which we have no use for, and ahead of now lies nothing.
const horizonSpan = 5 * time.Minute

// horizon asks up to when all changes can be seen. A row is stamped when it is saved and seen when its transaction ends:
// while a long one runs anywhere on the org's instance, Salesforce names its beginning, which may lie hours back.
// https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/sforce_api_calls_getupdated_getupdatedresult.htm
type horizon struct {
	now time.Time // by Salesforce's clock
	at  time.Time // zero: not told
}

func (h *horizon) path(base string) string {
	span := url.Values{"start": {datetime(h.now.Add(-horizonSpan))}, "end": {datetime(h.now.Add(horizonSpan))}}
	return base + "/sobjects/" + opportunity + "/updated?" + span.Encode()
}

func (h *horizon) query() bool { return false }
func (h *horizon) reset()      { h.at = time.Time{} }

// refuse leaves late rows to the overlap.
func (h *horizon) refuse(*connectors.Error) {}

func (h *horizon) take(body []byte) (string, error) {
	var reply struct {
		Covered *moment `json:"latestDateCovered"`
	}
	if err := json.Unmarshal(body, &reply, lenient); err != nil {
		return "", err
	}
	if at := reply.Covered.ptr(); at != nil {
		h.at = *at
	}
	return "", nil
}

// before returns the earlier of now and the horizon.
func (h *horizon) before(now time.Time) time.Time {
	if !h.at.IsZero() && h.at.Before(now) {
		return h.at
	}
	return now
}
