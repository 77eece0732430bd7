package debian

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Control is what a .deb says beside its files.
type Control struct {
	Conffiles []string `json:"conffiles,omitempty"` // without the leading slash
	Sonames   []string `json:"sonames,omitempty"`   // of deb-shlibs(5), joined again: "libz.so.1", "libdb-5.3.so"
}

// ReadControl reads the control archive of a .deb.
func ReadControl(ctx context.Context, file string) (*Control, error) {
	raw, err := output(ctx, "dpkg-deb", "--ctrl-tarfile", file)
	if err != nil {
		return nil, err
	}
	c := &Control{}
	tr := tar.NewReader(bytes.NewReader(raw))
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return c, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: control archive: %w", file, err)
		}
		name := strings.TrimPrefix(h.Name, "./")
		if name != "conffiles" && name != "shlibs" {
			continue
		}
		text, err := io.ReadAll(tr)
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", file, name, err)
		}
		for line := range strings.Lines(string(text)) {
			c.add(name, strings.Fields(line))
		}
	}
}

func (c *Control) add(file string, words []string) {
	switch {
	case len(words) == 0:
	case file == "conffiles":
		path := words[len(words)-1] // "remove-on-upgrade /etc/x" names what is no longer shipped
		if len(words) == 1 {
			c.Conffiles = append(c.Conffiles, strings.TrimPrefix(path, "/"))
		}
	case len(words) >= 3 && !strings.HasSuffix(words[0], ":"):
		c.Sonames = append(c.Sonames, words[0]+".so."+words[1], words[0]+"-"+words[1]+".so")
	}
}

// ReadData calls each for every entry of the file archive of a .deb, in its
// order. The names are as in the archive, without "./".
func ReadData(ctx context.Context, file string, each func(*tar.Header, io.Reader) error) error {
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--fsys-tarfile", file)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	readErr := readTar(out, each)
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		return fmt.Errorf("dpkg-deb --fsys-tarfile %s: %w: %s", file, err, lastLines(stderr.String(), 3))
	}
	if readErr != nil {
		return fmt.Errorf("%s: %w", file, readErr)
	}
	return nil
}

func readTar(r io.Reader, each func(*tar.Header, io.Reader) error) error {
	tr := tar.NewReader(r)
	for {
		h, err := tr.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		h.Name = strings.Trim(strings.TrimPrefix(h.Name, "."), "/")
		if h.Name == "" {
			continue
		}
		if err := each(h, tr); err != nil {
			return fmt.Errorf("%s: %w", h.Name, err)
		}
	}
}
