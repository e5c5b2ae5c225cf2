package salesforce

import "strings"

const (
	idDigits   = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	idInstance = "5e" // where a real id names the instance that made it
	idSuffix   = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
)

// newID returns the 18-character id of an object's nth row. Later rows have greater ids.
func newID(prefix string, n int64) string {
	b := []byte(prefix + idInstance + "0000000000")
	for i := len(b) - 1; n > 0; i-- {
		b[i] = idDigits[n%62]
		n /= 62
	}
	id, _ := fullID(string(b))
	return id
}

// fullID returns the 18-character form of an id of 15 or 18 characters; ok is false for anything else. The last three
// characters say which of the first fifteen are capitals.
func fullID(id string) (full string, ok bool) {
	if len(id) != 15 && len(id) != 18 {
		return "", false
	}
	for _, c := range []byte(id) {
		if strings.IndexByte(idDigits, c) < 0 {
			return "", false
		}
	}
	b := []byte(id[:15])
	for block := range 3 {
		bits := 0
		for i, c := range []byte(id[block*5 : block*5+5]) {
			if 'A' <= c && c <= 'Z' {
				bits |= 1 << i
			}
		}
		b = append(b, idSuffix[bits])
	}
	return string(b), true
}
