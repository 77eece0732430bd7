package manifest

import (
	"slices"
	"strings"

	"devenv/env/manifest/tomlfile"
)

// merge lays one tree over another: tables by key, everything else as a whole.
// A task and a configured file are one thing each, so they are replaced as a
// whole, too; [[mirrors.repo]] is a table by name that TOML writes as an array.
func merge(under, over *tomlfile.Value, path ...string) *tomlfile.Value {
	if under == nil {
		return over
	}
	if isPath(path, "mirrors", "repo") && under.Kind == tomlfile.Array && over.Kind == tomlfile.Array {
		return mergeRepos(under, over)
	}
	if under.Kind != tomlfile.Table || over.Kind != tomlfile.Table || isWhole(path) {
		return over
	}
	entries := slices.Clone(under.Entries)
	for _, e := range over.Entries {
		if old := under.Get(e.Key); old != nil {
			merged := *e
			merged.Value = merge(old.Value, e.Value, append(slices.Clone(path), e.Key)...)
			e = &merged
		}
		entries = append(entries, e)
	}
	return tomlfile.NewTable(over, entries...)
}

func isWhole(path []string) bool {
	return isPath(path, "tasks", "*") || isPath(path, "packages", "*", "files", "*")
}

func isPath(path []string, want ...string) bool {
	return slices.EqualFunc(path, want, func(p, w string) bool { return p == w || w == "*" })
}

// mergeRepos keeps the more important file's repositories first, as their order
// is one of preference.
func mergeRepos(under, over *tomlfile.Value) *tomlfile.Value {
	merged := *over
	merged.Items = slices.Clone(over.Items)
	for _, item := range under.Items {
		name := repoName(item)
		if !slices.ContainsFunc(over.Items, func(o *tomlfile.Value) bool { return repoName(o) == name }) {
			merged.Items = append(merged.Items, item)
		}
	}
	return &merged
}

func repoName(item *tomlfile.Value) string {
	if item.Kind == tomlfile.Table {
		if e := item.Get("name"); e != nil {
			return e.Value.Text
		}
	}
	return ""
}

// normalFile normalizes a file and each of its [host.*] sections.
func (d *decoder) normalFile(root *tomlfile.Value) *tomlfile.Value {
	return mapEntries(d.normalize(root), func(e *tomlfile.Entry) *tomlfile.Entry {
		if e.Key != "host" {
			return e
		}
		return with(e, mapEntries(e.Value, func(e *tomlfile.Entry) *tomlfile.Entry { return with(e, d.normalize(e.Value)) }))
	})
}

// normalize writes out the short forms, so that a short form in one file and a
// long one in another can be merged: packages.X = "1" becomes a table with a
// version, packages."repo/X" one with a repo, a task's string a command, a
// file's string a text. What has the wrong type is left for the decoder.
func (d *decoder) normalize(root *tomlfile.Value) *tomlfile.Value {
	return mapEntries(root, func(e *tomlfile.Entry) *tomlfile.Entry {
		switch e.Key {
		case "packages":
			d.onePerName(e.Value)
			return with(e, mapEntries(e.Value, d.normalPackage))
		case "tasks":
			return with(e, mapEntries(e.Value, func(e *tomlfile.Entry) *tomlfile.Entry { return longForm(e, "command") }))
		}
		return e
	})
}

func (d *decoder) normalPackage(e *tomlfile.Entry) *tomlfile.Entry {
	e = longForm(e, "version")
	e = with(e, mapEntries(e.Value, func(e *tomlfile.Entry) *tomlfile.Entry {
		if e.Key != "files" {
			return e
		}
		return with(e, mapEntries(e.Value, func(e *tomlfile.Entry) *tomlfile.Entry { return longForm(e, "text") }))
	}))
	repo, name, slash := strings.Cut(e.Key, "/")
	if !slash || e.Value.Kind != tomlfile.Table {
		return e
	}
	if own := e.Value.Get("repo"); own != nil {
		d.add(own.Faultf("keep one of the two", "the repository is named in the key %q already", e.Key))
	}
	named := entry(e, "repo", tomlfile.NewString(e, repo))
	table := tomlfile.NewTable(e.Value, append(slices.Clone(e.Value.Entries), named)...)
	renamed := with(e, table)
	renamed.Key = name
	return renamed
}

// onePerName refuses "repo/name" beside "name".
func (d *decoder) onePerName(packages *tomlfile.Value) {
	first := make(map[string]*tomlfile.Entry)
	for _, e := range packages.Entries {
		_, name, slash := strings.Cut(e.Key, "/")
		if !slash {
			name = e.Key
		}
		if other := first[name]; other != nil {
			d.add(e.Faultf("keep one of the two", "%s is asked for a second time: it stands in line %d", name, other.Pos().Line))
		}
		first[name] = e
	}
}

// longForm makes a string a table with one key.
func longForm(e *tomlfile.Entry, key string) *tomlfile.Entry {
	if e.Value.Kind != tomlfile.String {
		return e
	}
	return with(e, tomlfile.NewTable(e.Value, entry(e, key, e.Value)))
}

func entry(like *tomlfile.Entry, key string, v *tomlfile.Value) *tomlfile.Entry {
	return &tomlfile.Entry{Key: key, Value: v, Doc: like.Doc, KeySpan: like.KeySpan}
}

func with(e *tomlfile.Entry, v *tomlfile.Value) *tomlfile.Entry {
	changed := *e
	changed.Value = v
	return &changed
}

func mapEntries(t *tomlfile.Value, f func(*tomlfile.Entry) *tomlfile.Entry) *tomlfile.Value {
	if t.Kind != tomlfile.Table {
		return t
	}
	entries := make([]*tomlfile.Entry, len(t.Entries))
	for i, e := range t.Entries {
		entries[i] = f(e)
	}
	return tomlfile.NewTable(t, entries...)
}
