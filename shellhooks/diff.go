package shellhooks

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
)

// diffVar carries the encoded Diff of what is active.
const diffVar = "DEVENV_DIFF"

// Diff is a change of variables: their values before and after. A variable
// that is missing on a side is not set there.
type Diff struct {
	Before map[string]string
	After  map[string]string
}

// wire is a Diff as it is encoded: values are any bytes, strings of JSON are
// not.
type wire struct {
	Before map[string][]byte `json:"b"`
	After  map[string][]byte `json:"a"`
}

// Reverse is the change that takes d back.
func (d Diff) Reverse() Diff { return Diff{Before: d.After, After: d.Before} }

// Encode writes d as one word without special characters.
func (d Diff) Encode() string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	// neither can fail: the maps hold bytes and the buffer is in memory
	_ = json.NewEncoder(z).Encode(wire{convert[[]byte](d.Before), convert[[]byte](d.After)})
	_ = z.Close()
	return base64.RawURLEncoding.EncodeToString(b.Bytes())
}

// DecodeDiff reads what Encode wrote.
func DecodeDiff(s string) (Diff, error) {
	var d Diff
	var w wire
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return d, fmt.Errorf("reading %s: %w", diffVar, err)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return d, fmt.Errorf("reading %s: %w", diffVar, err)
	}
	if err := json.NewDecoder(io.LimitReader(z, 16<<20)).Decode(&w); err != nil {
		return d, fmt.Errorf("reading %s: %w", diffVar, err)
	}
	return Diff{convert[string](w.Before), convert[string](w.After)}, nil
}

func convert[To, From string | []byte](m map[string]From) map[string]To {
	out := make(map[string]To, len(m))
	for k, v := range m {
		out[k] = To(v)
	}
	return out
}
