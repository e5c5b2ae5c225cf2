package salesforce

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func format(t testing.TB, delimiter, lineEnding string) csvFormat {
	t.Helper()
	f, err := newCSVFormat(delimiter, lineEnding)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestReadCSV(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, delimiter, lineEnding, data string
		want                              *csvTable
		err                               string
	}{
		{"plain", "", "", "Id,Name\n1,A\n2,\n", &csvTable{[]string{"Id", "Name"}, [][]string{{"1", "A"}, {"2", ""}}}, ""},
		{"no newline at the end", "", "", "Id\n1", &csvTable{[]string{"Id"}, [][]string{{"1"}}}, ""},
		{"header only", "", "", "Id,Name", &csvTable{[]string{"Id", "Name"}, nil}, ""},
		{"quoted", "", "", "\"Id\",\"Name\"\n\"1\",\"a \"\"b\"\", c\nd\"\n", &csvTable{[]string{"Id", "Name"}, [][]string{{"1", "a \"b\", c\nd"}}}, ""},
		{"byte order mark", "", "", "\ufeffId\n1\n", &csvTable{[]string{"Id"}, [][]string{{"1"}}}, ""},
		{"CRLF", "", "CRLF", "Id,Name\r\n1,A\r\n", &csvTable{[]string{"Id", "Name"}, [][]string{{"1", "A"}}}, ""},
		{"tab", "TAB", "", "Id\tName\n1\tA,B\n", &csvTable{[]string{"Id", "Name"}, [][]string{{"1", "A,B"}}}, ""},
		{"backquote", "BACKQUOTE", "LF", "Id`Name\n1`A\n", &csvTable{[]string{"Id", "Name"}, [][]string{{"1", "A"}}}, ""},
		{"empty", "", "", "", nil, "InvalidBatch : The file has no header row"},
		{"CRLF in an LF job", "", "", "Id\r\n1\r\n", nil, "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is LF"},
		{"LF in a CRLF job", "", "CRLF", "Id\n1\n", nil, "ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is CRLF"},
		{"too many cells", "", "", "Id\n1,2\n", nil, "InvalidBatch : Failed to parse the file: record on line 2: wrong number of fields"},
		{"open quote", "", "", "Id\n\"1\n", nil, "InvalidBatch : Failed to parse the file: parse error on line 2, column 4: extraneous or missing \" in quoted-field"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := format(t, tt.delimiter, tt.lineEnding).read([]byte(tt.data))
			if (err == nil) != (tt.err == "") || err != nil && err.Error() != tt.err {
				t.Fatalf("error %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCSVFormatRefused(t *testing.T) {
	t.Parallel()
	if _, err := newCSVFormat("DOT", ""); err == nil || err.Error() != `"DOT" is not a columnDelimiter` {
		t.Errorf("got %v", err)
	}
	if _, err := newCSVFormat("", "CR"); err == nil || err.Error() != `"CR" is not a lineEnding` {
		t.Errorf("got %v", err)
	}
}

func TestCSVCell(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		v    any
		t    FieldType
		want string
	}{
		{"null", nil, TypeString, ""},
		{"boolean", true, TypeBoolean, "true"},
		{"integer", int64(-3), TypeInt, "-3"},
		{"amount", 1234.5, TypeCurrency, "1234.5"},
		{"large amount", 12345678901.0, TypeCurrency, "12345678901"},
		{"text", "2026-01-02T03:04:05Z", TypeString, "2026-01-02T03:04:05Z"},
		{"date", "2026-01-02", TypeDate, "2026-01-02"},
		{"datetime", "2026-01-02T03:04:05Z", TypeDateTime, "2026-01-02T03:04:05.000Z"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := csvCell(tt.v, tt.t); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// What is read is rectangular, and reads the same again when it is written.
func FuzzReadCSV(f *testing.F) {
	f.Add([]byte("Id,Name\n1,\"a \"\"b\"\", c\nd\"\n"), "COMMA", "LF")
	f.Add([]byte("Id|Name\r\n1|#N/A\r\n"), "PIPE", "CRLF")
	f.Add([]byte("\ufeff\"Id\"\n\"\"\n"), "TAB", "")
	f.Fuzz(func(t *testing.T, data []byte, delimiter, lineEnding string) {
		format, err := newCSVFormat(delimiter, lineEnding)
		if err != nil {
			return
		}
		table, err := format.read(data)
		if err != nil {
			return
		}
		written := format.appendRow(nil, table.Header...)
		for i, row := range table.Rows {
			if len(row) != len(table.Header) {
				t.Fatalf("row %d has %d cells, the header %d", i, len(row), len(table.Header))
			}
			written = format.appendRow(written, row...)
		}
		if slices.ContainsFunc(table.Header, func(name string) bool { return strings.ContainsAny(name, "\r\n") }) {
			return // the first line does not tell the line ending then
		}
		again, err := format.read(written)
		if err != nil {
			t.Fatalf("written as %q: %v", written, err)
		}
		if diff := cmp.Diff(table, again); diff != "" {
			t.Errorf("read again (-first +again):\n%s", diff)
		}
	})
}
