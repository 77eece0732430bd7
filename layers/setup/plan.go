package setup

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// step is one thing that runs in the sandbox: a command, or what is built in.
type step struct {
	Title   string
	Package string   `json:",omitempty"`
	Argv    []string `json:",omitempty"` // the first is a path
	Builtin string   `json:",omitempty"` // name of a builtin, instead of Argv
	Stdin   []byte   `json:",omitempty"`
	Abort   bool     `json:",omitempty"` // nothing else runs if it fails
	Problem string   `json:",omitempty"` // why it is not even run

	// When it is run at all; paths may be patterns.
	Needs  []string `json:",omitempty"` // some of each must be there
	Unless []string `json:",omitempty"` // none of these may be there
}

// planner turns a spec into steps.
type planner struct {
	spec  *Spec
	pkgs  []Package // dependencies first
	index installed
	names []string
	paths []string // sorted
	hooks []hook

	skipped, warnings []string
}

// plan says what runs, in pacman's order: hooks of before the transaction,
// scriptlets, ldconfig, hooks of after it. Around it stands what pacman leaves
// to a system that boots.
func plan(s *Spec) (steps []step, p *planner) {
	p = &planner{spec: s, pkgs: inOrder(s.Packages)}
	if s.LocalesOnly {
		return p.localeSteps(), p
	}
	p.index = newInstalled(p.pkgs)
	for _, pkg := range p.pkgs {
		p.names = append(p.names, pkg.Info.Name)
		p.paths = append(p.paths, pkg.Paths...)
	}
	for _, f := range s.Files {
		p.paths = append(p.paths, strings.TrimPrefix(f.Target, "/"))
	}
	slices.Sort(p.names)
	slices.Sort(p.paths)
	p.paths = slices.Compact(p.paths)
	p.hooks, p.warnings = readHooks(s.Tree, s.Files)

	ldconfig := step{Title: "ldconfig", Argv: []string{"/usr/bin/ldconfig"}, Needs: []string{"/usr/bin/ldconfig"}}
	steps = append(steps,
		step{Title: "users and groups of sysusers.d", Builtin: "sysusers", Unless: []string{"/usr/bin/systemd-sysusers"}},
		ldconfig)
	steps = append(steps, p.hookSteps(alpm.PreTransaction)...)
	steps = append(steps, p.scriptletSteps()...)
	steps = append(steps,
		step{Title: "files of tmpfiles.d", Builtin: "tmpfiles", Unless: []string{"/usr/bin/systemd-tmpfiles"}},
		ldconfig)
	steps = append(steps, p.hookSteps(alpm.PostTransaction)...)
	steps = append(steps, p.refreshSteps(steps)...)
	return append(steps, p.localeSteps()...), p
}

// scriptletSteps run each package's functions, one right after the other. A
// shell decides whether a function is there; one that is not so much as named
// is not asked for.
func (p *planner) scriptletSteps() (steps []step) {
	for _, pkg := range p.pkgs {
		if pkg.Scriptlet == "" {
			continue
		}
		text, err := readInTree(p.spec.Tree, pkg.Scriptlet)
		if err != nil {
			p.warnings = append(p.warnings, fmt.Sprintf("scriptlet of %s is passed over: %v", pkg.Info.Name, err))
			continue
		}
		for _, function := range []string{"pre_install", "post_install"} {
			if !bytes.Contains(text, []byte(function)) {
				continue
			}
			line := fmt.Sprintf(`. "$0"; if command -v %[1]s >/dev/null 2>&1; then %[1]s "$1"; fi`, function)
			steps = append(steps, step{
				Title:   fmt.Sprintf("%s of %s %s", function, pkg.Info.Name, pkg.Info.Version),
				Package: pkg.Info.Name,
				Argv:    []string{"/bin/sh", "-c", line, path.Join("/", pkg.Scriptlet), pkg.Info.Version},
			})
		}
	}
	return steps
}

// refreshers make what hooks usually make, where nothing has: not every
// repository brings hooks, and before 2016 there were none.
var refreshers = []step{
	{Argv: []string{"/usr/bin/glib-compile-schemas", "/usr/share/glib-2.0/schemas"}, Needs: []string{"/usr/share/glib-2.0/schemas/*.xml"}, Unless: []string{"/usr/share/glib-2.0/schemas/gschemas.compiled"}},
	{Argv: []string{"/usr/bin/gio-querymodules", "/usr/lib/gio/modules"}, Needs: []string{"/usr/lib/gio/modules/*.so"}, Unless: []string{"/usr/lib/gio/modules/giomodule.cache"}},
	{Argv: []string{"/usr/bin/gdk-pixbuf-query-loaders", "--update-cache"}, Needs: []string{"/usr/lib/gdk-pixbuf-2.0/*/loaders/*.so"}, Unless: []string{"/usr/lib/gdk-pixbuf-2.0/*/loaders.cache"}},
	{Argv: []string{"/usr/bin/update-mime-database", "/usr/share/mime"}, Needs: []string{"/usr/share/mime/packages/*.xml"}, Unless: []string{"/usr/share/mime/mime.cache"}},
	{Argv: []string{"/usr/bin/update-desktop-database", "--quiet"}, Needs: []string{"/usr/share/applications/*.desktop"}, Unless: []string{"/usr/share/applications/mimeinfo.cache"}},
	{Argv: []string{"/usr/bin/fc-cache", "-s"}, Needs: []string{"/usr/share/fonts/*"}, Unless: []string{"/var/cache/fontconfig/*.cache-*"}},
	{Argv: []string{"/bin/sh", "-c", `for f in /usr/share/info/*.info /usr/share/info/*.info.gz; do [ -e "$f" ] && install-info "$f" /usr/share/info/dir; done; :`}, Needs: []string{"/usr/bin/install-info", "/usr/share/info/*.info*"}, Unless: []string{"/usr/share/info/dir"}},
}

// trustTools make the stores of trusted certificates: Arch's, with p11-kit's
// trust, and Debian's.
var trustTools = []step{
	{Argv: []string{"/usr/bin/update-ca-trust"}, Unless: []string{"/etc/ca-certificates/extracted/tls-ca-bundle.pem"}},
	{Argv: []string{"/usr/bin/update-ca-certificates"}, Needs: []string{"/usr/share/ca-certificates/*"}, Unless: []string{"/etc/ssl/certs/ca-certificates.crt"}},
}

// refreshSteps leaves out what a hook does already.
func (p *planner) refreshSteps(before []step) (steps []step) {
	for _, s := range slices.Concat(refreshers, trustTools) {
		tool := path.Base(s.Argv[0])
		if tool == "sh" {
			tool = "install-info"
		}
		if slices.ContainsFunc(before, func(b step) bool { return b.runs(tool) }) {
			continue
		}
		if strings.HasPrefix(tool, "update-ca-") && p.trustsMore() {
			s.Unless = nil
		}
		s.Title = tool
		s.Needs = append([]string{s.Argv[0]}, s.Needs...)
		steps = append(steps, s)
	}
	return steps
}

// runs reports whether a step names a command: as a word of its own, or in a
// line for a shell.
func (s *step) runs(tool string) bool {
	return slices.ContainsFunc(s.Argv, func(word string) bool {
		return slices.ContainsFunc(strings.FieldsFunc(word, isBetweenWords), func(w string) bool { return path.Base(w) == tool })
	})
}

func isBetweenWords(r rune) bool { return strings.ContainsRune(" \t\n;&|()'\"", r) }

// anchorDirs are where certificates are put that are to be trusted.
var anchorDirs = []string{"/etc/ca-certificates/", "/usr/share/ca-certificates/", "/usr/local/share/ca-certificates/"}

func (p *planner) trustsMore() bool {
	return len(p.spec.HostCA) > 0 || slices.ContainsFunc(p.spec.Files, func(f File) bool {
		return slices.ContainsFunc(anchorDirs, func(dir string) bool { return strings.HasPrefix(f.Target, dir) })
	})
}

// localeSteps make locales that the C library's package does not bring.
func (p *planner) localeSteps() (steps []step) {
	for _, name := range p.spec.Locale {
		l, ok := parseLocale(name)
		if !ok {
			continue
		}
		s := step{
			Title:  "locale " + name,
			Argv:   []string{"/usr/bin/localedef", "--no-archive", "-i", l.input, "-f", l.charset, "/usr/lib/locale/" + l.dir},
			Needs:  []string{"/usr/bin/localedef"},
			Unless: []string{"/usr/lib/locale/" + l.dir},
		}
		if _, err := readInTree(p.spec.Tree, "usr/share/locale/locale.alias"); err == nil {
			s.Argv = slices.Insert(s.Argv, 1, "-A", "/usr/share/locale/locale.alias")
		}
		if _, err := readInTree(p.spec.Tree, localeSources+l.input); err != nil {
			s.Problem = fmt.Sprintf("the environment has no /%s%s to make it from: add the package that brings it (glibc), or name another in [locale] generate", localeSources, l.input)
		}
		steps = append(steps, s)
	}
	return steps
}

// locale is a name such as "de_DE.UTF-8@euro" in parts.
type locale struct{ input, charset, dir string }

// parseLocale takes a name apart; ok is false for those that every C library
// has in it. dir is the name in the C library's own spelling.
func parseLocale(name string) (l locale, ok bool) {
	rest, modifier, modified := strings.Cut(name, "@")
	base, charset, found := strings.Cut(rest, ".")
	if base == "" || base == "C" || base == "POSIX" || strings.ContainsAny(name, "/ \t\n") {
		return l, false
	}
	if !found {
		charset = "ISO-8859-1"
	}
	l = locale{input: base, charset: charset, dir: base}
	if strings.EqualFold(strings.ReplaceAll(charset, "-", ""), "utf8") {
		l.charset = "UTF-8"
	}
	if found {
		l.dir += "." + normalCodeset(charset)
	}
	if modified {
		l.input += "@" + modifier
		l.dir += "@" + modifier
	}
	return l, true
}

// LocaleSource is the file of an environment that a locale is made from,
// relative to its root; ok is false for what needs none, or is no locale.
func LocaleSource(name string) (path string, ok bool) {
	l, ok := parseLocale(name)
	return localeSources + l.input, ok
}

const localeSources = "usr/share/i18n/locales/"

// normalCodeset is how the C library spells a codeset in a directory's name.
func normalCodeset(s string) string {
	var b strings.Builder
	digits := true
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= '0' && r <= '9':
			b.WriteRune(r)
		case r >= 'a' && r <= 'z':
			b.WriteRune(r)
			digits = false
		}
	}
	if digits {
		return "iso" + b.String()
	}
	return b.String()
}
