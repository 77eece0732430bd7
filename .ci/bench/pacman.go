package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// pacman installs the toolchain as it does on Arch Linux: from synced databases,
// with signatures required of a keyring that trusts the mirror's master keys,
// with scriptlets and hooks.
type pacman struct {
	w      *world
	config string
	root   string
	synced string // the databases, as synced
	gnupg  string
}

func newPacman(w *world) (*pacman, error) {
	if w.pacman != nil {
		return w.pacman, nil
	}
	p := &pacman{w: w, config: w.dir + "/pacman.conf", root: w.dir + "/pacman", synced: w.dir + "/synced", gnupg: w.dir + "/gpg"}
	w.pacman = p
	if err := p.trust(); err != nil {
		return nil, err
	}
	// The packages lie in what counts as pacman's cache: downloaded.
	text := fmt.Sprintf("[options]\nRootDir = %s\nDBPath = %[1]s/var/lib/pacman\nHookDir = %[1]s/etc/pacman.d/hooks\nLogFile = %s/pacman.log\nGPGDir = %s\nArchitecture = x86_64\nSigLevel = Required DatabaseOptional\n", p.root, w.dir, p.gnupg)
	repos := ""
	for _, repo := range []string{"core", "extra"} {
		dir := fmt.Sprintf("%s/%s/os/x86_64", w.mirror, repo)
		text += "CacheDir = " + dir + "/\n"
		repos += fmt.Sprintf("[%s]\nServer = file://%s\n", repo, dir)
	}
	if err := os.WriteFile(p.config, []byte(text+repos), 0o644); err != nil {
		return nil, err
	}
	if err := errors.Join(os.MkdirAll(p.synced, 0o755), os.MkdirAll(p.root, 0o755)); err != nil {
		return nil, err
	}
	_, err := output(nil, "pacman", "--config", p.config, "--dbpath", p.synced, "--noconfirm", "-Sy")
	return p, err
}

// trust makes pacman's keyring as `pacman-key --populate` does.
func (p *pacman) trust() error {
	if err := os.Mkdir(p.gnupg, 0o700); err != nil {
		return err
	}
	trusted, err := os.ReadFile(p.w.mirror + "/keyring-trusted")
	if err != nil {
		return err
	}
	steps := [][]string{{"--quick-gen-key", "local master", "ed25519", "cert", "never"}, {"--import", p.w.mirror + "/keyring.gpg"}}
	for line := range strings.Lines(string(trusted)) {
		fingerprint, _, _ := strings.Cut(line, ":")
		steps = append(steps, []string{"--quick-lsign-key", fingerprint})
	}
	steps = append(steps, []string{"--import-ownertrust", p.w.mirror + "/keyring-trusted"}, []string{"--check-trustdb"})
	for _, step := range steps {
		if _, err := output(p.env(), append([]string{"gpg", "--batch", "--yes", "--quiet", "--pinentry-mode", "loopback", "--passphrase", ""}, step...)...); err != nil {
			return err
		}
	}
	return nil
}

func (p *pacman) env() []string { return []string{"GNUPGHOME=" + p.gnupg} }

// close ends the agents that gpg started.
func (p *pacman) close() { output(p.env(), "gpgconf", "--kill", "all") }

// install is a whole installation into an empty root.
func (p *pacman) install() command {
	return command{
		args:   append([]string{"pacman", "--config", p.config, "--noconfirm", "--noprogressbar", "-S"}, p.w.names...),
		asRoot: true,
		before: func() error {
			if err := p.w.toss(p.root); err != nil {
				return err
			}
			db := p.root + "/var/lib/pacman"
			if err := os.MkdirAll(db, 0o755); err != nil {
				return err
			}
			if _, err := output(nil, "cp", "-a", p.synced+"/sync", db+"/sync"); err != nil {
				return err
			}
			return p.w.same()
		},
		after: p.check,
	}
}

// check makes sure that what was measured is what was meant.
func (p *pacman) check() error {
	out, err := output(nil, "pacman", "--config", p.config, "-Qq")
	if err != nil {
		return err
	}
	if got := len(words(out)); got != len(p.w.names) {
		return fmt.Errorf("pacman installed %d packages, devenv %d", got, len(p.w.names))
	}
	var st syscall.Stat_t
	if err := syscall.Stat(p.root+"/etc/ld.so.cache", &st); err != nil {
		return fmt.Errorf("pacman ran no ldconfig: %w", err)
	}
	return nil
}
