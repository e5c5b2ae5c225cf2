package main

import "testing"

// TestSearchPace: connections to one account share what paces their searches, those to others do not.
func TestSearchPace(t *testing.T) {
	a := &app{}
	conn := Connection{URL: "https://api.hubapi.com", Token: Secret{"one"}}
	first := a.searchPace(&conn)
	for _, tc := range []struct {
		name string
		conn Connection
		want bool
	}{
		{"the same account", Connection{Name: "renewals", URL: conn.URL, Token: conn.Token}, true},
		{"another token", Connection{URL: conn.URL, Token: Secret{"two"}}, false},
		{"another address", Connection{URL: "http://127.0.0.1:18182", Token: conn.Token}, false},
	} {
		if got := a.searchPace(&tc.conn) == first; got != tc.want {
			t.Errorf("%s: shared is %v, want %v", tc.name, got, tc.want)
		}
	}
}
