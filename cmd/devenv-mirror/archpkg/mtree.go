package archpkg

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"fmt"

	"github.com/klauspost/compress/gzip"

	"devenv/cmd/devenv-mirror/convert"
)

// mtree writes .MTREE as bsdtar does for makepkg: gzip without name or time,
// "/set" where most entries agree, only what differs from it in each line.
func mtree(nodes []*convert.Node) ([]byte, error) {
	var text bytes.Buffer
	text.WriteString("#mtree\n/set type=file uid=0 gid=0 mode=644\n")
	for _, n := range nodes {
		fmt.Fprintf(&text, "./%s time=%d.0", escape(n.Path), n.Mtime)
		switch n.Kind {
		case convert.Dir:
			fmt.Fprintf(&text, " mode=%o type=dir\n", n.Mode)
		case convert.Symlink:
			fmt.Fprintf(&text, " mode=777 type=link link=%s\n", escape(n.Target))
		default:
			if n.Mode != 0o644 {
				fmt.Fprintf(&text, " mode=%o", n.Mode)
			}
			// pacman before 6.1 checks MD5 too, and takes its absence for a difference.
			fmt.Fprintf(&text, " size=%d md5digest=%x sha256digest=%x\n", len(n.Data), md5.Sum(n.Data), sha256.Sum256(n.Data))
		}
	}
	var out bytes.Buffer
	w, err := gzip.NewWriterLevel(&out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(text.Bytes()); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// escape writes what mtree(5) cannot hold in octal.
func escape(s string) string {
	var b []byte
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c >= 0x7f || c == '\\' || c == '#' || c == '=' {
			b = fmt.Appendf(b, "\\%03o", c)
		} else {
			b = append(b, c)
		}
	}
	return string(b)
}
