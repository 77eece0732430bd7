package shellhooks

import (
	"maps"
	"slices"
	"strings"
)

// diffVar carries the activation that the variables hold.
const diffVar = "DEVENV_DIFF"

// Activation is what the variables of an activated project are.
type Activation struct {
	Key  string            // names the project and the state that it is in
	Path []string          // directories to put before the user's own PATH
	Env  map[string]string // variables to set
}

// Switch is the change from the variables as they are, in which a project may
// be active, to those with next active and nothing else; to none, if next is
// nil.
//
// On the way out each variable has its old value again, exactly, but for what
// the user changed meanwhile: that stays, and PATH loses only the directories
// that came on it. An error says that it is not known what was changed; the
// Diff then changes what it can.
func Switch(now map[string]string, next *Activation) (Diff, error) {
	plain, active, err := leave(now)
	if next == nil {
		return between(now, plain), err
	}
	if active != nil && active.Key == next.Key && stands(now, active) {
		return Diff{}, err
	}
	after := maps.Clone(plain)
	maps.Copy(after, next.Env)
	after["PATH"] = join(next.Path, plain)
	changed := between(plain, after)
	r := record{Key: next.Key, Before: convert[[]byte](changed.Before), After: convert[[]byte](changed.After)}
	for _, dir := range next.Path {
		r.Path = append(r.Path, []byte(dir))
	}
	after[diffVar] = r.encode()
	return between(now, after), err
}

// Plain is the change that activates next for somebody who takes care of the way
// back himself.
func Plain(now map[string]string, next *Activation) Diff {
	after, _, _ := leave(now)
	path := join(next.Path, after)
	maps.Copy(after, next.Env)
	after["PATH"] = path
	return between(now, after)
}

// Active is the activation in these variables, nil for none. Its Env is what was
// set, less what happened to have that value before.
func Active(now map[string]string) *Activation {
	r, err := decodeRecord(now[diffVar])
	if err != nil {
		return nil
	}
	a := &Activation{Key: r.Key, Env: convert[string](r.After)}
	delete(a.Env, "PATH")
	for _, dir := range r.Path {
		a.Path = append(a.Path, string(dir))
	}
	return a
}

// leave is the variables as they would be without the activation in them.
func leave(now map[string]string) (map[string]string, *record, error) {
	plain := maps.Clone(now)
	text, ok := plain[diffVar]
	if !ok {
		return plain, nil, nil
	}
	delete(plain, diffVar)
	r, err := decodeRecord(text)
	if err != nil {
		return plain, nil, err
	}
	for name := range names(r) {
		was, is := r.After[name], now[name]
		_, hadValue := r.After[name]
		_, hasValue := now[name]
		switch {
		case hasValue == hadValue && string(was) == is:
			restore(plain, name, r.Before)
		case name == "PATH":
			plain[name] = without(is, r.Path)
		}
	}
	return plain, &r, nil
}

func names(r record) map[string]bool {
	all := map[string]bool{}
	for name := range r.Before {
		all[name] = true
	}
	for name := range r.After {
		all[name] = true
	}
	return all
}

func restore(m map[string]string, name string, from map[string][]byte) {
	if v, ok := from[name]; ok {
		m[name] = string(v)
	} else {
		delete(m, name)
	}
}

// stands reports whether what came on PATH is still there: a login shell may
// have set PATH anew.
func stands(now map[string]string, r *record) bool {
	dirs := strings.Split(now["PATH"], ":")
	return !slices.ContainsFunc(r.Path, func(d []byte) bool { return !slices.Contains(dirs, string(d)) })
}

// join puts dirs before the PATH of env. No PATH at all, or an empty one, would
// otherwise become an entry that means the working directory.
func join(dirs []string, env map[string]string) string {
	if old := env["PATH"]; old != "" {
		dirs = append(slices.Clone(dirs), old)
	}
	return strings.Join(dirs, ":")
}

func without(path string, dirs [][]byte) string {
	left := slices.DeleteFunc(strings.Split(path, ":"), func(d string) bool {
		return slices.ContainsFunc(dirs, func(x []byte) bool { return string(x) == d })
	})
	return strings.Join(left, ":")
}
