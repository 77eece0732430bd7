package manifest

import (
	"maps"
	"slices"

	"devenv/env/manifest/tomlfile"
)

// variants makes the view of every kind of machine.
func (l *loader) variants() (*whole, error) {
	names := make(map[string]bool)
	for _, layer := range l.layers {
		for _, h := range layer.hosts {
			names[h.Key] = true
		}
	}
	w := &whole{sections: slices.Sorted(maps.Keys(names))}
	var errs Errors
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(append([]string{AnyHost}, w.sections...)))) {
		d := l.decoder()
		d.m.Host, d.m.whole = kind, w
		d.root(l.merged(kind, w.sections))
		d.finish(l)
		errs = append(errs, d.errs...)
		w.variants = append(w.variants, Variant{kind, d.m})
	}
	inputs := l.files.inputs()
	for _, v := range w.variants {
		v.Manifest.Inputs = inputs
	}
	return w, errs.Err()
}

// merged lays the layers over each other, each with its sections for a kind of
// machine.
func (l *loader) merged(kind string, sections []string) *tomlfile.Value {
	all := &tomlfile.Value{Kind: tomlfile.Table} // a user without a file has no layer at all
	order := generalToSpecific(sections, kind)
	for _, layer := range l.layers {
		all = merge(all, layer.common)
		for _, s := range order {
			if i := slices.IndexFunc(layer.hosts, func(e *tomlfile.Entry) bool { return e.Key == s }); i >= 0 {
				all = merge(all, layer.hosts[i].Value)
			}
		}
	}
	return all
}

// finish checks what only the whole can show, and fills in what nobody chose.
func (d *decoder) finish(l *loader) {
	m := d.m
	l.checkTasks(d)
	l.checkFiles(d)
	l.checkWith(d)
	if m.Arch == "" {
		m.Arch = l.opt.Arch
	}
	if m.Base == nil {
		m.Base, m.BaseDefault = DefaultBase(), true
	}
	if m.Home.Mode == "" {
		m.Home.Mode = HomeHost
	}
	if mirror := l.opt.Getenv(mirrorVar); mirror != "" {
		d.fromEnv(mirror, l.opt)
	}
	m.Mirrors.setDefaults()
}

// at notes a fault at the place of a value that is no longer at hand.
func (l *loader) at(d *decoder, pos Pos, msg, hint string) {
	d.add(l.docs[pos.File].Fault(pos, msg, hint))
}

func others(names []string, name string) []string {
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == name })
}

func (l *loader) checkTasks(d *decoder) {
	m := d.m
	index := make(map[string]int)
	var names []string
	for i, t := range m.Tasks {
		index[t.Name] = i
		names = append(names, t.Name)
	}
	for _, t := range m.Tasks {
		for _, dep := range t.Depends {
			if _, ok := index[dep.Name]; !ok {
				l.at(d, dep.Pos, "task "+t.Name+" depends on "+dep.Name+", which is no task", didYouMean(dep.Name, others(names, t.Name)))
			}
		}
	}
	_, cycle := topological(len(m.Tasks), func(i int) (out []int) {
		for _, dep := range m.Tasks[i].Depends {
			if j, ok := index[dep.Name]; ok {
				out = append(out, j)
			}
		}
		return out
	})
	if cycle != nil {
		var round []string
		for _, i := range cycle {
			round = append(round, m.Tasks[i].Name)
		}
		l.at(d, m.Tasks[cycle[0]].Pos, "tasks depend on each other in a circle: "+chain(round), "remove one of these from depends")
	}
}

// checkFiles refuses two packages that put the same file.
func (l *loader) checkFiles(d *decoder) {
	first := make(map[string]*Package)
	for i := range d.m.Packages {
		p := &d.m.Packages[i]
		for _, f := range p.Files {
			if other := first[f.Target]; other != nil {
				l.at(d, f.Pos, f.Target+" is put there by "+other.Name+", too", "keep one of the two")
			}
			first[f.Target] = p
		}
	}
}

func (l *loader) checkWith(d *decoder) {
	for i := range d.m.Packages {
		p := &d.m.Packages[i]
		for _, w := range p.With {
			if w.Name == p.Name {
				l.at(d, w.Pos, p.Name+" comes with itself", "name the packages that it needs besides")
			}
		}
	}
}
