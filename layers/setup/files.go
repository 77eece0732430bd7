package setup

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"path"
	"slices"

	"devenv/layers/alpm"
)

// allFiles are the configured files with what devenv adds to them: the install
// reasons in pacman's local database, and the host's certificates.
func allFiles(s *Spec) ([]File, error) {
	var files []File
	for i := range s.Packages {
		info := s.Packages[i].Info
		if !slices.Contains(s.Depended, info.Name) {
			continue
		}
		var desc bytes.Buffer
		err := alpm.WriteLocalDesc(&desc, &alpm.LocalPackage{
			PkgInfo: *info, InstallDate: info.BuildDate, Reason: alpm.Depended,
			Validation: []alpm.Validation{alpm.ValidatedSHA256},
		})
		if err != nil {
			return nil, err
		}
		files = append(files, File{Target: path.Join("/var/lib/pacman/local", info.LocalDir(), "desc"), Data: desc.Bytes(), Mode: 0o644})
	}
	files = append(files, anchors(s)...)
	return append(files, s.Files...), nil // what a person wrote comes last
}

// anchors puts the host's certificates where the environment's tool looks for
// such: Arch's takes a bundle, Debian's one certificate a file.
func anchors(s *Spec) (files []File) {
	if len(s.HostCA) == 0 {
		return nil
	}
	if _, err := readInTree(s.Tree, "usr/bin/update-ca-trust"); err == nil {
		return []File{{Target: "/etc/ca-certificates/trust-source/anchors/devenv-host.crt", Data: s.HostCA, Mode: 0o644}}
	}
	if _, err := readInTree(s.Tree, "usr/bin/update-ca-certificates"); err != nil {
		return []File{{Target: "/etc/ssl/certs/ca-certificates.crt", Data: s.HostCA, Mode: 0o644}}
	}
	rest := s.HostCA
	for n := 1; ; n++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return files
		}
		if block.Type == "CERTIFICATE" {
			files = append(files, File{Target: fmt.Sprintf("/usr/local/share/ca-certificates/devenv-host-%03d.crt", n), Data: pem.EncodeToMemory(block), Mode: 0o644})
		}
	}
}
