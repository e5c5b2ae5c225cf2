package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/go-json-experiment/json"

	"handoff/connectors"
)

// versions returns which versions of the API the org has, such as "62.0", oldest first, and Salesforce's time. The org
// tells them to anyone.
// https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_versions.htm
func (c *Client) versions(ctx context.Context) ([]string, time.Time, error) {
	const op = "list the versions of the API"
	resp, err := c.rest.R().SetContext(ctx).Get(c.cfg.URL + "/services/data")
	if err != nil {
		return nil, time.Time{}, connectors.Unreachable(ctx, crmName, op, err)
	}
	if !resp.IsSuccess() {
		return nil, time.Time{}, refusal(op, resp.StatusCode(), resp.Header(), resp.Body())
	}
	var list []struct {
		Version string `json:"version"`
	}
	if err := json.Unmarshal(resp.Body(), &list, lenient); err != nil {
		return nil, time.Time{}, connectors.Garbled(crmName, op, err)
	}
	var known []string
	for _, v := range list {
		if release(v.Version) > 0 {
			known = append(known, v.Version)
		}
	}
	slices.SortFunc(known, func(a, b string) int { return release(a) - release(b) })
	at, _ := http.ParseTime(resp.Header().Get("Date")) // the zero time: not told
	return known, at, nil
}

// release is the whole number of a version; 0: it has none.
func release(version string) int {
	n, err := strconv.ParseFloat(version, 64)
	if err != nil || n < 0 || n > 1000 {
		return 0
	}
	return int(n)
}

// blameVersion asks, where the org does not know what was asked for, whether it knows the version of the API at all.
func (c *Client) blameVersion(ctx context.Context, op string, err error) error {
	if code := code(err); code != "NOT_FOUND" && code != unsupportedVersion {
		return err
	}
	known, _, failed := c.versions(ctx)
	if failed != nil || len(known) == 0 || slices.Contains(known, c.cfg.APIVersion) {
		return err
	}
	unknown := c.unknownVersion(known)
	unknown.Op, unknown.Code = op, code(err)
	return unknown
}

// unknownVersion is the error of an org that has the known versions, and not ours.
func (c *Client) unknownVersion(known []string) *connectors.Error {
	newest := known[len(known)-1]
	return &connectors.Error{Op: opCheck, CRM: crmName, Class: connectors.ErrConfig, Setting: "api_version",
		Message: fmt.Sprintf("the org does not know version %s of the API; it has %s to %s", c.cfg.APIVersion, known[0], newest),
		Remedy:  fmt.Sprintf("Set api_version to one of these, such as %q, or leave it out", DefaultAPIVersion)}
}
