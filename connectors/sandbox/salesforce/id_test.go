package salesforce

import "testing"

func TestNewID(t *testing.T) {
	for n, want := range map[int64]string{1: "0065e0000000001AAA", 61: "0065e000000000zAAA", 62: "0065e0000000010AAA", 36: "0065e000000000aAAA", 35: "0065e000000000ZAAQ"} {
		if got := newID("006", n); got != want {
			t.Errorf("row %d: %s, want %s", n, got, want)
		}
	}
}

func TestFullID(t *testing.T) {
	tests := []struct {
		id, want string
		ok       bool
	}{
		{"001D000000IRFma", "001D000000IRFmaIAH", true},
		{"001D000000IRFmaIAH", "001D000000IRFmaIAH", true},
		{"001D000000IRFmaXXX", "001D000000IRFmaIAH", true}, // Salesforce works the last three out again
		{"001D000000IRFm", "", false},
		{"001D000000IRFm!", "", false},
		{"", "", false},
	}
	for _, tt := range tests {
		if got, ok := fullID(tt.id); got != tt.want || ok != tt.ok {
			t.Errorf("%q: %q, %v, want %q, %v", tt.id, got, ok, tt.want, tt.ok)
		}
	}
}
