package salesforce

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// csvFormat is how a job's CSV separates cells and lines.
type csvFormat struct {
	delimiterName, lineEndingName string
	delimiter                     byte
	lineEnding                    string
}

var (
	delimiters  = map[string]byte{"COMMA": ',', "BACKQUOTE": '`', "CARET": '^', "PIPE": '|', "SEMICOLON": ';', "TAB": '\t'}
	lineEndings = map[string]string{"LF": "\n", "CRLF": "\r\n"}
)

// newCSVFormat takes the API's names; "" is the default.
func newCSVFormat(delimiter, lineEnding string) (csvFormat, error) {
	f := csvFormat{
		delimiterName:  oneOf(delimiter, "COMMA", "BACKQUOTE", "CARET", "PIPE", "SEMICOLON", "TAB"),
		lineEndingName: oneOf(lineEnding, "LF", "CRLF"),
	}
	if f.delimiterName == "" {
		return csvFormat{}, fmt.Errorf("%q is not a columnDelimiter", delimiter)
	}
	if f.lineEndingName == "" {
		return csvFormat{}, fmt.Errorf("%q is not a lineEnding", lineEnding)
	}
	f.delimiter, f.lineEnding = delimiters[f.delimiterName], lineEndings[f.lineEndingName]
	return f, nil
}

// csvTable is a CSV file: named columns, and rows with a cell for each.
type csvTable struct {
	Header []string
	Rows   [][]string
}

// read parses a CSV file with a header row. Its errors are in Salesforce's words where they are known.
func (f csvFormat) read(data []byte) (*csvTable, error) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	if first, _, found := bytes.Cut(data, []byte("\n")); found && bytes.HasSuffix(first, []byte("\r")) != (f.lineEnding == "\r\n") {
		return nil, errors.New("ClientInputError : LineEnding is invalid on user data. Current LineEnding setting is " + f.lineEndingName)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = rune(f.delimiter)
	header, err := r.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("InvalidBatch : The file has no header row")
	}
	if err != nil {
		return nil, fmt.Errorf("InvalidBatch : Failed to parse the file: %w", err)
	}
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fmt.Errorf("InvalidBatch : Failed to parse the file: %w", err)
	}
	return &csvTable{header, rows}, nil
}

// appendRow appends a line of quoted cells.
func (f csvFormat) appendRow(b []byte, cells ...string) []byte {
	for i, cell := range cells {
		if i > 0 {
			b = append(b, f.delimiter)
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(cell, `"`, `""`)...)
		b = append(b, '"')
	}
	return append(b, f.lineEnding...)
}

// csvCell is how a value of a query stands in CSV: null is empty, a datetime has milliseconds and ends in Z.
func csvCell(v any, t FieldType) string {
	switch v := v.(type) {
	case nil:
		return ""
	case bool:
		return strconv.FormatBool(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case string:
		if t == TypeDateTime {
			return strings.TrimSuffix(v, "Z") + ".000Z"
		}
		return v
	}
	panic(fmt.Sprintf("salesforce: a query yields no %T", v))
}
