package salesforce

import (
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// MarshalJSONTo writes the answer as /query does.
func (q *queryResult) MarshalJSONTo(enc *jsontext.Encoder) error {
	w := &resultWriter{enc: enc, version: q.version}
	w.result(q)
	return w.err
}

// resultWriter writes an answer until the first error.
type resultWriter struct {
	enc     *jsontext.Encoder
	version string
	err     error
}

func (w *resultWriter) token(t jsontext.Token) {
	if w.err == nil {
		w.err = w.enc.WriteToken(t)
	}
}

func (w *resultWriter) pair(key string, v jsontext.Token) {
	w.token(jsontext.String(key))
	w.token(v)
}

func (w *resultWriter) result(q *queryResult) {
	w.token(jsontext.BeginObject)
	w.pair("totalSize", jsontext.Int(int64(q.TotalSize)))
	w.pair("done", jsontext.Bool(q.Done))
	if q.Next != "" {
		w.pair("nextRecordsUrl", jsontext.String("/services/data/v"+w.version+"/query/"+q.Next))
	}
	w.pair("records", jsontext.BeginArray)
	for _, row := range q.Rows {
		if q.shape == nil {
			w.aggregate(q, row)
		} else {
			w.record(q, row, q.shape)
		}
	}
	w.token(jsontext.EndArray)
	w.token(jsontext.EndObject)
}

func (w *resultWriter) aggregate(q *queryResult, row resultRow) {
	w.token(jsontext.BeginObject)
	w.pair("attributes", jsontext.BeginObject)
	w.pair("type", jsontext.String("AggregateResult"))
	w.token(jsontext.EndObject)
	for i, c := range q.Columns {
		w.token(jsontext.String(c.key))
		w.value(c, row.Values[i], "")
	}
	w.token(jsontext.EndObject)
}

func (w *resultWriter) record(q *queryResult, row resultRow, s *shape) {
	id, ok := row.Values[s.id].(string)
	if !ok {
		w.token(jsontext.Null)
		return
	}
	object := row.Values[s.kind].(string)
	url := recordURL(w.version, object, id)
	w.token(jsontext.BeginObject)
	w.pair("attributes", jsontext.BeginObject)
	w.pair("type", jsontext.String(object))
	w.pair("url", jsontext.String(url))
	w.token(jsontext.EndObject)
	for _, m := range s.members {
		switch {
		case m.parent != nil:
			w.token(jsontext.String(m.parent.key))
			w.record(q, row, m.parent)
		case m.child > 0:
			w.token(jsontext.String(m.key))
			if child := row.children[m.child-1]; child != nil {
				w.result(child)
			} else {
				w.token(jsontext.Null)
			}
		default:
			c := q.Columns[m.column]
			w.token(jsontext.String(c.key))
			w.value(c, row.Values[m.column], url)
		}
	}
	w.token(jsontext.EndObject)
}

func recordURL(version, object, id string) string {
	return "/services/data/v" + version + "/sobjects/" + object + "/" + id
}

// value writes a value; url is the address of the record that it belongs to.
func (w *resultWriter) value(c column, v any, url string) {
	switch v := v.(type) {
	case string:
		switch c.Type {
		case TypeDateTime:
			v = strings.TrimSuffix(v, "Z") + ".000+0000"
		case TypeBase64:
			v = url + "/" + c.key
		}
		w.token(jsontext.String(v))
	case bool:
		w.token(jsontext.Bool(v))
	case int64:
		w.token(jsontext.Int(v))
	case float64:
		if w.err == nil {
			w.err = w.enc.WriteValue(jsontext.Value(decimal(v)))
		}
	default:
		w.token(jsontext.Null)
	}
}

// decimal returns a number as Salesforce writes it: with a decimal point even when it is whole.
func decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// oneRecord is one row of an answer, standing alone.
type oneRecord struct {
	of  *queryResult
	row int
}

// MarshalJSONTo writes the record with its attributes.
func (r oneRecord) MarshalJSONTo(enc *jsontext.Encoder) error {
	w := &resultWriter{enc: enc, version: r.of.version}
	w.record(r.of, r.of.Rows[r.row], r.of.shape)
	return w.err
}
