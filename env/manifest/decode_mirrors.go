package manifest

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"devenv/env/manifest/tomlfile"
)

func (d *decoder) mirrors(e *tomlfile.Entry) {
	m := &d.m.Mirrors
	d.table(e, setters{
		"servers":  func(e *tomlfile.Entry) { m.Servers = d.servers(e, true) },
		"archive":  func(e *tomlfile.Entry) { m.Archive, m.ArchivePos = d.location(e), e.Value.Pos() },
		"repos":    d.repos,
		"keyring":  func(e *tomlfile.Entry) { m.Keyring, m.KeyringPos = d.location(e), e.Value.Pos() },
		"siglevel": func(e *tomlfile.Entry) { m.SigLevel, m.SigLevelPos = d.sigLevel(e), e.Value.Pos() },
		"repo":     d.extraRepos,
	})
}

func (d *decoder) repos(e *tomlfile.Entry) {
	d.m.Mirrors.Repos = d.words(e, checkRepo)
	if d.m.Mirrors.Repos != nil && len(e.Value.Items) == 0 {
		d.fault(e.Value, `write, for example, ["core", "extra"], or the names of your own [[mirrors.repo]]`, "repos is empty")
	}
}

func (d *decoder) sigLevel(e *tomlfile.Entry) string {
	level, _ := d.oneOf(e, SigRequired, SigOptional, SigNever)
	return level
}

func (d *decoder) extraRepos(e *tomlfile.Entry) {
	if e.Value.Kind != tomlfile.Array {
		d.add(e.Faultf("write [[mirrors.repo]]", "repo is an array of tables, not %s", e.Value.Kind))
		return
	}
	d.m.Mirrors.Extra = []ExtraRepo{}
	for _, item := range e.Value.Items {
		d.extraRepo(item)
	}
}

func (d *decoder) extraRepo(t *tomlfile.Value) {
	r := ExtraRepo{Pos: t.Pos()}
	if t.Kind != tomlfile.Table {
		d.wrongKind("an item of repo", t, tomlfile.Table)
		return
	}
	d.entries(t, setters{
		"name": func(e *tomlfile.Entry) {
			if name, ok := d.checked(e, checkRepo); ok {
				r.Name, r.Pos = name, e.Value.Pos()
			}
		},
		"servers":  func(e *tomlfile.Entry) { r.Servers = d.servers(e, false) },
		"keyring":  func(e *tomlfile.Entry) { r.Keyring = d.location(e) },
		"siglevel": func(e *tomlfile.Entry) { r.SigLevel = d.sigLevel(e) },
	}, "")
	for _, key := range []string{"name", "servers"} {
		if t.Get(key) == nil {
			d.fault(t, `a repository has a name and servers`, "%s is missing", key)
		}
	}
	if slices.ContainsFunc(d.m.Mirrors.Extra, func(x ExtraRepo) bool { return x.Name == r.Name && r.Name != "" }) {
		d.add(t.Doc.Fault(r.Pos, fmt.Sprintf("the repository %s is described twice", r.Name), "keep one of the two"))
	}
	d.m.Mirrors.Extra = append(d.m.Mirrors.Extra, r)
}

// servers reads URL templates. Servers that serve several repositories must say
// where each is.
func (d *decoder) servers(e *tomlfile.Entry, several bool) []Item {
	items := d.words(e, func(s string) (string, string) { return checkServer(s, several) })
	if items != nil && len(e.Value.Items) == 0 {
		d.fault(e.Value, `write, for example, ["https://mirror.example/$repo/os/$arch"]`, "servers is empty")
	}
	for i := range items {
		items[i].Name = d.locate(e, items[i].Name)
	}
	return items
}

func checkServer(s string, several bool) (msg, hint string) {
	if msg, hint := checkLocation(s); msg != "" {
		return msg, hint
	}
	for _, name := range References(s) {
		if name != "repo" && name != "arch" {
			return fmt.Sprintf("the server %q has $%s in it", s, name), "only $repo and $arch are known"
		}
	}
	if strings.Contains(s, "${") {
		return fmt.Sprintf("the server %q has ${ in it", s), "write $repo and $arch"
	}
	if several && !strings.Contains(s, "$repo") {
		return fmt.Sprintf("the server %q does not say where a repository is", s), fmt.Sprintf("write %q, or as the mirror has it", strings.TrimRight(s, "/")+"/$repo/os/$arch")
	}
	return "", ""
}

// location reads a URL or a path.
func (d *decoder) location(e *tomlfile.Entry) string {
	s, ok := d.checked(e, checkLocation)
	if !ok {
		return ""
	}
	return d.locate(e, s)
}

// locate makes a path absolute: it is relative to the file it stands in.
func (d *decoder) locate(e *tomlfile.Entry, s string) string {
	if strings.Contains(s, "://") {
		return strings.TrimRight(s, "/")
	}
	return d.path(filepath.Dir(e.Doc.Path), s)
}

// checkLocation accepts a URL that can be fetched, or a path.
func checkLocation(s string) (msg, hint string) {
	scheme, rest, isURL := strings.Cut(s, "://")
	switch {
	case s == "":
		return "a URL or a directory is missing", ""
	case !isURL:
		return "", ""
	case scheme == "file" && !strings.HasPrefix(rest, "/"):
		return fmt.Sprintf("%q is no file URL", s), fmt.Sprintf("write %q: three slashes before an absolute path", "file:///"+rest)
	case scheme != "http" && scheme != "https" && scheme != "file":
		return fmt.Sprintf("%q cannot be fetched: %s is no protocol of devenv's", s, scheme), "write an http, https or file URL, or a directory"
	}
	if u, err := url.Parse(s); err != nil || scheme != "file" && u.Host == "" {
		return fmt.Sprintf("%q is no URL", s), `write, for example, "https://mirror.example/$repo/os/$arch"`
	}
	return "", ""
}

// remote reads the registry of [cache].
func (d *decoder) remote(e *tomlfile.Entry) {
	s, ok := d.checked(e, checkRemote)
	if !ok {
		return
	}
	if strings.HasPrefix(s, ".") || strings.HasPrefix(s, "/") || strings.HasPrefix(s, "~/") {
		s = d.path(filepath.Dir(e.Doc.Path), s)
	}
	d.m.Cache.Remote, d.m.Cache.Pos = strings.TrimPrefix(s, "file://"), e.Value.Pos()
}

// checkRemote accepts a directory, or a registry's host, an optional port and a
// repository in it.
func checkRemote(s string) (msg, hint string) {
	const example = `write, for example, "registry.example/team/devenv"`
	if strings.HasPrefix(s, "./") || strings.HasPrefix(s, "../") || strings.HasPrefix(s, "/") || strings.HasPrefix(s, "~/") || strings.HasPrefix(s, "file:///") {
		return "", ""
	}
	if _, rest, isURL := strings.Cut(s, "://"); isURL {
		return fmt.Sprintf("remote %q is a URL", s), fmt.Sprintf("write %q: a registry is named without the protocol", rest)
	}
	host, repository, slash := strings.Cut(s, "/")
	if !slash || host == "" || repository == "" {
		return fmt.Sprintf("remote %q does not name a repository in a registry", s), example
	}
	if strings.ToLower(repository) != repository {
		return fmt.Sprintf("remote %q has capital letters", s), fmt.Sprintf("write %q: a registry has small ones alone", host+"/"+strings.ToLower(repository))
	}
	if strings.ContainsFunc(s, func(r rune) bool { return !isAlnum(r) && !strings.ContainsRune("._-/:[]", r) }) {
		return fmt.Sprintf("remote %q is no name of a repository", s), example
	}
	return "", ""
}
