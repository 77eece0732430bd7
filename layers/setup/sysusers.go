package setup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// makeUsers does what systemd-sysusers(8) does, for an environment without it:
// it adds the users, groups and memberships of sysusers.d(5) that are missing.
func makeUsers(root string) error {
	lines, err := confLines(root, "sysusers.d")
	if err != nil || len(lines) == 0 {
		return err
	}
	db := &accounts{root: root}
	for _, f := range []*accountFile{&db.passwd, &db.group, &db.shadow, &db.gshadow} {
		*f = accountFile{}
	}
	if err := db.read(); err != nil {
		return err
	}
	var all []sysuser
	for _, line := range lines {
		f := confFields(line, 6)
		for len(f) < 6 {
			f = append(f, "-")
		}
		all = append(all, sysuser{kind: strings.TrimSuffix(f[0], "!"), name: f[1], id: f[2], words: f[3], home: f[4], shell: f[5]})
	}
	// Groups first, then users, then who is in which: lines may come in any order.
	for _, kinds := range []string{"g", "u", "m"} {
		for _, u := range all {
			if u.kind != kinds {
				continue
			}
			if err := db.add(u); err != nil {
				return err
			}
		}
	}
	return db.write()
}

type sysuser struct{ kind, name, id, words, home, shell string }

// accountFile is passwd(5), group(5) or one of their shadows: lines of fields.
type accountFile struct {
	lines   [][]string
	changed bool
}

func (f *accountFile) find(name string) []string {
	for _, l := range f.lines {
		if l[0] == name {
			return l
		}
	}
	return nil
}

func (f *accountFile) has(id int) bool {
	return slices.ContainsFunc(f.lines, func(l []string) bool { return len(l) > 2 && l[2] == strconv.Itoa(id) })
}

func (f *accountFile) add(fields ...string) {
	f.lines = append(f.lines, fields)
	f.changed = true
}

type accounts struct {
	root                           string
	passwd, group, shadow, gshadow accountFile
}

func (a *accounts) files() map[string]*accountFile {
	return map[string]*accountFile{"passwd": &a.passwd, "group": &a.group, "shadow": &a.shadow, "gshadow": &a.gshadow}
}

func (a *accounts) read() error {
	for name, f := range a.files() {
		text, err := os.ReadFile(filepath.Join(a.root, "etc", name))
		if err != nil && !os.IsNotExist(err) {
			return err
		}
		for line := range strings.Lines(string(text)) {
			if line = strings.TrimSuffix(line, "\n"); line != "" {
				f.lines = append(f.lines, strings.Split(line, ":"))
			}
		}
	}
	return nil
}

func (a *accounts) write() error {
	for name, f := range a.files() {
		if !f.changed {
			continue
		}
		var b strings.Builder
		for _, l := range f.lines {
			b.WriteString(strings.Join(l, ":") + "\n")
		}
		path := filepath.Join(a.root, "etc", name)
		mode := os.FileMode(0o644)
		if strings.HasSuffix(name, "shadow") {
			mode = 0o600
		}
		if info, err := os.Stat(path); err == nil {
			mode = info.Mode().Perm()
		}
		if err := os.WriteFile(path+".new", []byte(b.String()), mode); err != nil {
			return err
		}
		if err := os.Rename(path+".new", path); err != nil {
			return err
		}
	}
	return nil
}

func (a *accounts) add(u sysuser) error {
	switch u.kind {
	case "g":
		_, err := a.addGroup(u.name, u.id)
		return err
	case "u":
		return a.addUser(u)
	case "m":
		return a.addMember(u.name, u.id)
	}
	return nil
}

// addGroup gives the id of a group, which it makes if there is none.
func (a *accounts) addGroup(name, id string) (gid int, err error) {
	if l := a.group.find(name); len(l) > 2 {
		return strconv.Atoi(l[2])
	}
	gid, ok := a.wanted(id, &a.group)
	if !ok || a.group.has(gid) {
		if gid, err = a.free(a.group.has); err != nil {
			return 0, err
		}
	}
	a.group.add(name, "x", strconv.Itoa(gid), "")
	if a.gshadow.find(name) == nil {
		a.gshadow.add(name, "!*", "", "")
	}
	return gid, nil
}

func (a *accounts) addUser(u sysuser) error {
	if a.passwd.find(u.name) != nil {
		return nil
	}
	id, group, grouped := strings.Cut(u.id, ":")
	var gid int
	var err error
	if n, numeric := strconv.Atoi(group); grouped && numeric == nil {
		gid = n
	} else if grouped {
		gid, err = a.addGroup(group, "-")
	} else {
		gid, err = a.addGroup(u.name, u.id)
	}
	if err != nil {
		return err
	}
	uid, ok := a.wanted(id, &a.passwd)
	if !ok {
		uid = gid // the same number for both, where it is free
	}
	if a.passwd.has(uid) {
		if uid, err = a.free(a.passwd.has); err != nil {
			return err
		}
	}
	home, shell := "/", "/usr/bin/nologin"
	if u.name == "root" {
		home, shell = "/root", "/bin/bash"
	}
	a.passwd.add(u.name, "x", strconv.Itoa(uid), strconv.Itoa(gid), strings.ReplaceAll(given(u.words, ""), ":", " "), given(u.home, home), given(u.shell, shell))
	if a.shadow.find(u.name) == nil {
		a.shadow.add(u.name, "!*", "", "", "", "", "", "", "")
	}
	return nil
}

func given(s, otherwise string) string {
	if s == "-" || s == "" {
		return otherwise
	}
	if out, ok := expand(s); ok {
		return out
	}
	return otherwise
}

func (a *accounts) addMember(user, group string) error {
	if err := a.addUser(sysuser{name: user, id: "-"}); err != nil {
		return err
	}
	if _, err := a.addGroup(group, "-"); err != nil {
		return err
	}
	for _, f := range []*accountFile{&a.group, &a.gshadow} {
		l := f.find(group)
		if len(l) < 4 {
			continue
		}
		members := strings.FieldsFunc(l[3], func(r rune) bool { return r == ',' })
		if !slices.Contains(members, user) {
			l[3], f.changed = strings.Join(append(members, user), ","), true
		}
	}
	return nil
}

// wanted is the id that a line asks for: a number, or a file whose own it is,
// which with one mapped id is nobody's.
func (a *accounts) wanted(id string, f *accountFile) (n int, ok bool) {
	n, err := strconv.Atoi(id)
	return n, err == nil && n >= 0 && !f.has(n)
}

// free is the highest id of the system's that nobody has.
func (a *accounts) free(taken func(int) bool) (int, error) {
	for id := 999; id > 0; id-- {
		if !taken(id) && !a.passwd.has(id) && !a.group.has(id) {
			return id, nil
		}
	}
	return 0, fmt.Errorf("no system user or group id is free below 1000")
}
