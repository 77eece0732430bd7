package native

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
)

// made of the tree's trusted certificates, where no hook has done so
const bundleName = "certs.pem"

// certificates finds a bundle of certificate authorities: the host's, which a
// company may have added its own to; where the host has none, the tree's; and
// where the tree's is yet to be made by a hook, what that would be made of.
func (w *writer) certificates() error {
	if w.certs = w.Host.Certs; w.certs != "" {
		return nil
	}
	for _, p := range []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/ca-certificates/extracted/tls-ca-bundle.pem", "/etc/ssl/cert.pem"} {
		if real, ok := w.real(p); ok {
			if fi, err := os.Stat(w.file(real)); err == nil && fi.Size() > 0 {
				w.certs = w.inHome("/" + real)
				return nil
			}
		}
	}
	var all []byte
	for _, pattern := range []string{"/usr/share/ca-certificates/trust-source/*.p11-kit", "/usr/share/ca-certificates/mozilla/*.crt"} {
		for _, p := range w.glob(pattern) {
			real, ok := w.real(p)
			if !ok {
				continue
			}
			b, err := os.ReadFile(w.file(real))
			if err != nil {
				return err
			}
			all = append(all, trusted(b)...)
		}
	}
	if len(all) == 0 {
		return nil
	}
	w.certs = filepath.Join(w.Home, bundleName)
	return os.WriteFile(filepath.Join(w.dir, bundleName), all, 0o644)
}

// trusted gives the certificates of a file that says nothing of trust, or of
// one of p11-kit those which it says are trusted, as
// "trust extract --format=pem-bundle --purpose=server-auth" does.
func trusted(file []byte) []byte {
	if !bytes.Contains(file, []byte("[p11-kit-object-v1]")) {
		return certificatesOf(file)
	}
	var out []byte
	for _, object := range bytes.Split(file, []byte("[p11-kit-object-v1]"))[1:] {
		yes := false
		for line := range strings.Lines(string(object)) {
			yes = yes || strings.TrimSpace(line) == "trusted: true"
		}
		if yes && !bytes.Contains(object, []byte("x-distrusted: true")) {
			out = append(out, certificatesOf(object)...)
		}
	}
	return out
}

func certificatesOf(b []byte) (out []byte) {
	for {
		var block *pem.Block
		if block, b = pem.Decode(b); block == nil {
			return out
		}
		if block.Type == "CERTIFICATE" {
			out = append(out, pem.EncodeToMemory(block)...)
		}
	}
}
