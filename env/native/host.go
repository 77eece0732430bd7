package native

import (
	"os"
	"path/filepath"
	"slices"
)

// Host is what launchers depend on that is the host's.
type Host struct {
	Certs string   // the host's certificate authorities, one file; "" where it has none
	Has   []string // of what rows ask for (row.unless), the patterns that match something
	Lacks string   // the user's locale, as a directory is called, where the host has none of that name
}

// bundles are where distributions keep their certificate authorities: Debian
// and Arch, Fedora, openSUSE, Alpine.
var bundles = []string{
	"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem", "/etc/ssl/cert.pem",
}

// LookHost finds out about the host, and the user's wishes in its variables.
func LookHost(getenv func(string) string) Host {
	h := Host{Lacks: lackedLocale(getenv)}
	for _, b := range bundles {
		if fi, err := os.Stat(b); err == nil && fi.Size() > 0 {
			h.Certs = b
			break
		}
	}
	for _, r := range table {
		for _, pattern := range r.unless {
			if m, _ := filepath.Glob(pattern); len(m) > 0 && !slices.Contains(h.Has, pattern) {
				h.Has = append(h.Has, pattern)
			}
		}
	}
	return h
}
