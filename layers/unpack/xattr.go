package unpack

import (
	"encoding/base64"
	"net/url"
	"sort"
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
	found := make(map[string][]byte)
	for key, value := range records {
		if name, ok := strings.CutPrefix(key, "LIBARCHIVE.xattr."); ok {
			name, err := url.PathUnescape(name)
			raw, err2 := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
			if _, plain := found[name]; err == nil && err2 == nil && !plain {
				found[name] = raw
			}
		}
	}
	for key, value := range records {
		if name, ok := strings.CutPrefix(key, "SCHILY.xattr."); ok {
			found[name] = []byte(value)
		}
	}
	list := make([]Xattr, 0, len(found))
	for name, value := range found {
		list = append(list, Xattr{path, name, value})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Name < list[j].Name })
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
