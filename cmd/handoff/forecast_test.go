package main

import (
	"testing"
	"time"

	"handoff/connectors"
	"handoff/jobs"
)

func TestUsage(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ago := func(hours int) time.Time { return now.Add(-time.Duration(hours) * time.Hour) }
	run := func(hours, calls int) jobs.Run {
		return jobs.Run{StartedAt: ago(hours), Summary: jobs.Summary{Calls: calls}}
	}
	first := ago(50)
	for _, tc := range []struct {
		name  string
		first *time.Time
		runs  []jobs.Run
		want  usage
	}{
		{"no run yet", nil, nil, usage{runs: 24}},
		{"a first sync that goes on", nil, []jobs.Run{run(3, 4000), run(2, 3000)}, usage{runs: 24, today: 7000}},
		{"the first sync alone", &first, []jobs.Run{run(51, 4000), run(50, 900)}, usage{runs: 24}},
		{"some runs", &first, []jobs.Run{run(51, 4000), run(50, 900), run(49, 6), run(24, 3), run(1, 4)}, usage{runs: 24, today: 7, each: 5, total: 120}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			if got := newUsage(24, tc.first, tc.runs, now); got != tc.want {
				t.Errorf("got %+v, want %+v", got, tc.want)
			}
		})
	}
}

func TestRunsADay(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) // a Saturday
	for schedule, want := range map[string]int{"0 7 * * *": 1, "*/15 * * * *": 96, "0 7 * * 1-5": 1, "@every 1h": 24} {
		if got := (&Connection{TimeZone: "UTC"}).runsADay(schedule, now); got != want {
			t.Errorf("%s: %d runs, want %d", schedule, got, want)
		}
	}
}

func TestForecast(t *testing.T) {
	const org = "00D000000000001"
	conn := Connection{CRM: "salesforce", QuotaShare: 80}
	known := usage{runs: 96, today: 388, each: 4, total: 384}
	for _, tc := range []struct {
		name     string
		usage    usage
		quota    connectors.Quota
		others   []usage // of connections to the same org
		severity connectors.Severity
		want     string
	}{
		{"not known yet", usage{runs: 1}, connectors.Quota{Used: 5, Limit: 1000}, nil, connectors.Fine,
			"1 run a day; what they cost is known once two have done their work; a run stops when 800 of 1000 are used (80 %)"},
		{"known", known, connectors.Quota{Used: 5, Limit: 1000}, nil, connectors.Fine,
			"96 runs a day, of 4 API calls each as in the last days, will cost 384 API calls a day; those of the last 24 hours cost 388; a run stops when 800 of 1000 are used (80 %)"},
		{"no quota told", known, connectors.Quota{}, nil, connectors.Fine,
			"96 runs a day, of 4 API calls each as in the last days, will cost 384 API calls a day; those of the last 24 hours cost 388"},
		{"too often", known, connectors.Quota{Used: 5, Limit: 480}, nil, connectors.Warning,
			"96 runs a day, of 4 API calls each as in the last days, will cost 384 API calls a day; those of the last 24 hours cost 388; a run stops when 384 of 480 are used (80 %)"},
		{"too often together", known, connectors.Quota{Used: 5, Limit: 1000}, []usage{{total: 416}}, connectors.Warning,
			"96 runs a day, of 4 API calls each as in the last days, will cost 384 API calls a day; those of the last 24 hours cost 388; a run stops when 800 of 1000 are used (80 %), and all connections to this org together will cost 800"},
		{"with reconciliations", usage{runs: 24, today: 99, each: 4, reconciles: 17, total: 113}, connectors.Quota{Used: 200, Limit: 1000}, nil, connectors.Fine,
			"24 runs a day, of 4 API calls each as in the last days, and 17 for the reconciliation, will cost 113 API calls a day; those of the last 24 hours cost 99; a run stops when 800 of 1000 are used (80 %)"},
		{"others leave too little", usage{runs: 1, today: 50, each: 150, total: 150}, connectors.Quota{Used: 750, Limit: 1000}, nil, connectors.Warning,
			"1 run a day, of 150 API calls each as in the last days, will cost 150 API calls a day; those of the last 24 hours cost 50; a run stops when 800 of 1000 are used (80 %), and other integrations have used 700"},
		{"others leave too little for all", usage{runs: 1, today: 50, each: 50, total: 50}, connectors.Quota{Used: 750, Limit: 1000}, []usage{{today: 50, total: 100}}, connectors.Warning,
			"1 run a day, of 50 API calls each as in the last days, will cost 50 API calls a day; those of the last 24 hours cost 50; a run stops when 800 of 1000 are used (80 %), and all connections to this org together will cost 150, and other integrations have used 650"},
		{"others leave enough", usage{runs: 1, today: 50, each: 50, total: 50}, connectors.Quota{Used: 750, Limit: 1000}, []usage{{today: 50, total: 50}}, connectors.Fine,
			"1 run a day, of 50 API calls each as in the last days, will cost 50 API calls a day; those of the last 24 hours cost 50; a run stops when 800 of 1000 are used (80 %)"},
		{"used up", usage{runs: 1}, connectors.Quota{Used: 800, Limit: 1000}, nil, connectors.Warning,
			"1 run a day; what they cost is known once two have done their work; a run stops when 800 of 1000 are used (80 %), which they are: runs stop at once"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			list, checkups, all := []Connection{conn}, []connectors.Checkup{{Account: org, Quota: tc.quota}}, []usage{tc.usage}
			for _, u := range tc.others {
				list, checkups, all = append(list, conn), append(checkups, connectors.Checkup{Account: org}), append(all, u)
			}
			list, checkups, all = append(list, conn), append(checkups, connectors.Checkup{Account: "00D000000000002"}), append(all, usage{total: 1_000_000})
			f := forecast(list, checkups, all, 0)
			if f.Severity != tc.severity || f.Text != tc.want || (f.Remedy == "") != (tc.severity == connectors.Fine) {
				t.Errorf("got %+v\nwant %d %s", f, tc.severity, tc.want)
			}
		})
	}
}

// TestSameAccount: where one of two connections is not checked, their configuration tells.
func TestSameAccount(t *testing.T) {
	acme := Connection{CRM: "salesforce", URL: "https://acme.my.salesforce.com"}
	portal := Connection{CRM: "hubspot", URL: "https://api.hubapi.com", Token: Secret{"one"}}
	another := portal
	another.Token = Secret{"two"}
	first, second, none := connectors.Checkup{Account: "1"}, connectors.Checkup{Account: "2"}, connectors.Checkup{}
	for _, tc := range []struct {
		name     string
		a, b     Connection
		ofA, ofB connectors.Checkup
		want     bool
	}{
		{"one account", portal, another, first, first, true},
		{"two accounts", acme, acme, first, second, false},
		{"two CRMs", acme, portal, first, first, false},
		{"the org of one that is not checked", acme, acme, first, none, true},
		{"the key of one that is not checked", portal, portal, first, none, true},
		{"another key", portal, another, first, none, false},
	} {
		if got := sameAccount(&tc.a, &tc.b, &tc.ofA, &tc.ofB); got != tc.want {
			t.Errorf("%s: %v", tc.name, got)
		}
	}
}
