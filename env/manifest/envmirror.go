package manifest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mirrorVar names one mirror for everything.
const mirrorVar = "DEVENV_MIRROR"

// fromEnv lets DEVENV_MIRROR stand for servers, archive and keyring.
func (d *decoder) fromEnv(value string, opt Options) {
	mirror, fault := mirrorBase(value, opt.WorkDir)
	if fault != "" {
		d.add(&Error{Pos: Pos{File: mirrorVar}, Msg: fault, Hint: "it names a directory or a URL below which REPO/os/ARCH/REPO.db lies"})
		return
	}
	pos := Pos{File: mirrorVar}
	m := &d.m.Mirrors
	m.FromEnv = value
	m.Servers = []Item{{mirror + "/$repo/os/$arch", pos}}
	m.Archive, m.ArchivePos = mirror+"/archive", pos
	m.Keyring, m.KeyringPos, m.KeyringOptional = mirror+"/keyring.gpg", pos, true
	if local := strings.TrimPrefix(mirror, "file://"); filepath.IsAbs(local) {
		m.KeyringOptional = false
		if !d.files.exists(local + "/keyring.gpg") {
			m.Keyring = ""
		}
	}
}

// mirrorBase is the URL or absolute directory that is meant.
func mirrorBase(value, workDir string) (base, fault string) {
	if msg, _ := checkLocation(value); msg != "" {
		return "", msg
	}
	if strings.Contains(value, "$") {
		return "", fmt.Sprintf("%q has a $ in it", value)
	}
	if strings.HasPrefix(value, "http://") || strings.HasPrefix(value, "https://") {
		return strings.TrimRight(value, "/"), ""
	}
	base = value
	dir := strings.TrimPrefix(value, "file://")
	if dir == value && !filepath.IsAbs(dir) {
		dir = filepath.Join(workDir, dir)
		base = dir
	}
	if info, err := os.Stat(dir); err != nil {
		return "", fmt.Sprintf("%s cannot be used: %s", value, reason(err, false))
	} else if !info.IsDir() {
		return "", fmt.Sprintf("%s is no directory", value)
	}
	return strings.TrimRight(base, "/"), ""
}
