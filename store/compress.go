package store

import (
	"bytes"
	"compress/gzip"
	"sync"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Writers and readers of gzip hold large tables: they are used again.
var (
	gzipWriters = sync.Pool{New: func() any {
		w, err := gzip.NewWriterLevel(nil, gzip.BestSpeed)
		if err != nil {
			panic(err) // the level is valid
		}
		return w
	}}
	gzipReaders = sync.Pool{New: func() any { return new(gzip.Reader) }}
)

// compress returns the JSON form of v, as encode makes it, compressed with gzip.
func compress(v any) ([]byte, error) {
	var b bytes.Buffer
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	w.Reset(&b)
	if err := json.MarshalWrite(w, v, json.Deterministic(true), jsontext.AllowInvalidUTF8(true)); err != nil {
		return nil, err
	}
	err := w.Close()
	return b.Bytes(), err
}

// decompress reads what compress made.
func decompress(data []byte, v any) error {
	r := gzipReaders.Get().(*gzip.Reader)
	defer gzipReaders.Put(r)
	if err := r.Reset(bytes.NewReader(data)); err != nil {
		return err
	}
	return json.UnmarshalRead(r, v)
}
