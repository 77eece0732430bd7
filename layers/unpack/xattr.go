package unpack

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strings"
	"sync"
)

// Xattr is an extended attribute of a file of the package.
type Xattr struct {
	Path  string
	Name  string
	Value []byte
}

// xattrsOf reads the attributes that tar(1) and libarchive put into pax records.
// libarchive writes each twice; the plain form is preferred.
func xattrsOf(path string, records map[string]string) []Xattr {
	var list []Xattr
	for key, value := range records {
		if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
			list = append(list, Xattr{path, name, []byte(value)})
			continue
		}
		name, ok := strings.CutPrefix(key, "LIBARCHIVE.xattr.")
		if !ok {
			continue
		}
		name, err := url.PathUnescape(name)
		if _, plain := records["SCHILY.xattr."+name]; plain || err != nil {
			continue
		}
		if raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "=")); err == nil {
			list = append(list, Xattr{path, name, raw})
		}
	}
	slices.SortFunc(list, func(a, b Xattr) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// xattrList gathers what several goroutines could not set.
type xattrList struct {
	mu   sync.Mutex
	list []Xattr
}

func (l *xattrList) add(x Xattr) {
	l.mu.Lock()
	l.list = append(l.list, x)
	l.mu.Unlock()
}
