package shellhooks

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
)

// Diff is a change of variables: their values before and after. A variable
// that is missing on a side is not set there.
type Diff struct {
	Before, After map[string]string
}

// between is what turns one set of variables into another.
func between(before, after map[string]string) Diff {
	d := Diff{Before: map[string]string{}, After: map[string]string{}}
	for name, old := range before {
		if v, ok := after[name]; !ok || v != old {
			d.Before[name] = old
		}
	}
	for name, v := range after {
		if old, ok := before[name]; !ok || v != old {
			d.After[name] = v
		}
	}
	return d
}

// record is an activation as it travels in DEVENV_DIFF. Values are any bytes,
// which strings of JSON are not.
type record struct {
	Key    string            `json:"k"` // Activation.Key
	Path   [][]byte          `json:"p"` // Activation.Path
	Before map[string][]byte `json:"b"`
	After  map[string][]byte `json:"a"`
}

// encode writes r as one word without special characters.
func (r record) encode() string {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	// nothing of this can fail: it is bytes, and the buffer is in memory
	_ = json.NewEncoder(z).Encode(r)
	_ = z.Close()
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// sizeLimit is more than the kernel lets pass as one variable, unpacked.
const sizeLimit = 4 << 20

// decodeRecord reads what encode wrote.
func decodeRecord(s string) (r record, err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("reading %s, by which an environment is left again: %w", diffVar, err)
		}
	}()
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return r, err
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return r, err
	}
	return r, json.NewDecoder(io.LimitReader(z, sizeLimit)).Decode(&r)
}

func convert[To, From string | []byte](m map[string]From) map[string]To {
	out := make(map[string]To, len(m))
	for k, v := range m {
		out[k] = To(v)
	}
	return out
}
