package resolve

import (
	"fmt"
	"slices"
	"strings"

	"devenv/layers/alpm"
)

// NotFound says that wants name nothing that is known.
type NotFound struct {
	Names []Unknown `json:"names"`
}

// Unknown is one name that nothing has.
type Unknown struct {
	Name      string   `json:"name"`
	Origin    string   `json:"origin,omitempty"`
	With      string   `json:"with,omitempty"`      // the want that it was to come with
	Where     []string `json:"where,omitempty"`     // the repositories in which the want looks
	NoRepo    bool     `json:"norepo,omitempty"`    // no repository is called as the want says
	Similar   []string `json:"similar,omitempty"`   // names that may have been meant, likeliest first
	Replaced  []string `json:"replaced,omitempty"`  // packages that say they replace it
	Arches    []string `json:"arches,omitempty"`    // other architectures that have it
	Elsewhere []string `json:"elsewhere,omitempty"` // repositories that have it, where the want names another
	Instead   []string `json:"instead,omitempty"`   // what has the name, but not in the version asked for
	Archived  string   `json:"archived,omitempty"`  // the newest version in the archive
}

func (e *NotFound) Error() string {
	lines := make([]string, len(e.Names))
	for i := range e.Names {
		lines[i] = e.Names[i].String()
	}
	return strings.Join(lines, "\n")
}

// String says what is known about the name, and what to write instead.
func (u *Unknown) String() string {
	var b strings.Builder
	if u.Origin != "" {
		b.WriteString(u.Origin + ": ")
	}
	if u.With != "" {
		fmt.Fprintf(&b, "to come with %s: ", u.With)
	}
	switch {
	case u.NoRepo:
		fmt.Fprintf(&b, "no repository of that name for %s; there are %s", u.Name, strings.Join(u.Where, ", "))
		return b.String()
	case len(u.Arches) > 0:
		fmt.Fprintf(&b, "%s is there for %s only", u.Name, strings.Join(u.Arches, ", "))
		return b.String()
	case len(u.Elsewhere) > 0:
		fmt.Fprintf(&b, "%s is not in %s; %s has it", u.Name, strings.Join(u.Where, ", "), strings.Join(u.Elsewhere, ", "))
		return b.String()
	case u.Archived != "":
		fmt.Fprintf(&b, "%s is in no repository any more; the archive has it up to %s: pin that version to use it", u.Name, u.Archived)
	default:
		fmt.Fprintf(&b, "no package, group or provided name is %q in %s", u.Name, strings.Join(u.Where, ", "))
	}
	switch {
	case len(u.Instead) > 0:
		fmt.Fprintf(&b, "; there is %s", strings.Join(u.Instead, " or "))
	case len(u.Replaced) > 0:
		fmt.Fprintf(&b, "; %s replaces it", strings.Join(u.Replaced, " or "))
	case len(u.Similar) > 0:
		fmt.Fprintf(&b, "; did you mean %s?", strings.Join(u.Similar, " or "))
	}
	return b.String()
}

// checkNames finds wants that name nothing, and pins on what has no version,
// before anything is searched.
func (r *resolution) checkNames() error {
	var unknown []Unknown
	for _, w := range r.wants {
		companions, err := r.unknownWith(w)
		if err != nil {
			return err
		}
		unknown = append(unknown, companions...)
		if len(w.matches(r.pool)) > 0 {
			continue
		}
		if len(w.groupDemands(r.pool)) > 0 {
			if w.Accept != nil {
				return r.pinnedGroup(w)
			}
			continue
		}
		archived := r.pool.archive.versions(w.dep.Name)
		if err := r.pool.archive.err; err != nil {
			return err
		}
		if w.Accept != nil && !w.limited() && len(archived) > 0 {
			continue
		}
		unknown = append(unknown, r.unknown(w, archived))
	}
	if len(unknown) > 0 {
		return &NotFound{Names: unknown}
	}
	return nil
}

// unknownWith finds what is to come with w and is nowhere at all.
func (r *resolution) unknownWith(w *want) (unknown []Unknown, err error) {
	for _, dep := range w.with {
		if len(r.pool.literals(dep.Name))+len(r.pool.providers(dep.Name)) > 0 {
			continue
		}
		archived := r.pool.archive.versions(dep.Name)
		if err := r.pool.archive.err; err != nil {
			return nil, err
		}
		if len(archived) > 0 {
			continue // the search looks there, and says what it finds
		}
		u := r.unknown(&want{Want: &Want{Name: dep.Name, Origin: w.Origin}, dep: dep}, nil)
		u.With = w.Name
		unknown = append(unknown, u)
	}
	return unknown, nil
}

// pinnedGroup refuses a pin that could mean nothing.
func (r *resolution) pinnedGroup(w *want) *Conflict {
	said := " pins a group, and groups have no version: pin the packages of it that matter"
	c := &Conflict{Reasons: []Reason{{Text: subject(w) + said, Origin: w.Origin, Package: w.Name, subject: subject(w)}}}
	if _, ok := r.try(with(r.req, w, unpinned(w))); ok {
		c.Changes = []Change{{Kind: ChangeRelax, Name: w.Name, Origin: w.Origin, Text: "no pin on " + w.Name}}
	}
	return c
}

func (r *resolution) unknown(w *want, archived []string) Unknown {
	name := w.dep.Name
	u := Unknown{Name: w.Name, Origin: w.Origin}
	repos := w.repos(r.pool)
	if u.NoRepo = len(repos) == 0; u.NoRepo {
		u.Where = repoNames(r.req.Repos)
		return u
	}
	u.Where = repoNames(repos)
	u.Arches = otherArches(repos, w.dep)
	if len(archived) > 0 {
		u.Archived = archived[0]
	}
	for _, repo := range r.req.Repos {
		if w.repo != "" && repo.Name != w.repo && len(repo.Index.Versions(name))+len(repo.Index.Group(name)) > 0 {
			u.Elsewhere = appendNew(u.Elsewhere, repo.Name)
		}
	}
	for _, repo := range repos {
		for _, p := range repo.Index.Replacers(name) {
			u.Replaced = appendNew(u.Replaced, p.Name)
		}
	}
	for _, c := range append(r.pool.literalsIn(repos, false, name), r.pool.providersIn(repos, false, name)...) {
		u.Instead = append(u.Instead, label(c))
	}
	u.Instead = u.Instead[:min(maxListed, len(u.Instead))]
	u.Similar = similar(name, repos)
	return u
}

func repoNames(repos []*Repo) (names []string) {
	for _, r := range repos {
		name := r.Name
		if r.Day != "" {
			name += " of " + r.Day
		}
		names = appendNew(names, name)
	}
	return names
}

func otherArches(repos []*Repo, dep alpm.Dep) (arches []string) {
	for _, r := range repos {
		for _, p := range r.Index.Versions(dep.Name) {
			if dep.Satisfied(p.Version) {
				arches = appendNew(arches, p.Arch)
			}
		}
	}
	return arches
}

func appendNew[E comparable](list []E, e E) []E {
	if slices.Contains(list, e) {
		return list
	}
	return append(list, e)
}

func appendAllNew[E comparable](list, more []E) []E {
	for _, e := range more {
		list = appendNew(list, e)
	}
	return list
}
