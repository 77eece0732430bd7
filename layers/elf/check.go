package elf

import (
	"debug/elf"
	"fmt"
	"path"
	"strings"
)

// Layer is the record of one layer under the name that misses are to bear.
type Layer struct {
	Name   string
	Record *Record
}

// Kind is what is wrong with a Miss.
type Kind uint8

// The kinds. All but Elsewhere keep a program from starting.
const (
	NoLibrary     Kind = iota + 1 // a needed library is nowhere
	WrongClass                    // only one for another machine or word size is there
	NoVersion                     // the library lacks symbol versions
	NoInterpreter                 // the dynamic linker or a script's interpreter is not there
	NoProgram                     // what a script asks env(1) for is not on PATH
	Elsewhere                     // the library lies where it is not looked for; programs may find it by other means
)

// Miss is something that an object needs and does not get.
type Miss struct {
	Kind     Kind
	Layer    string
	Object   *Object
	Want     string   // a soname, an interpreter's path, a program's name
	Versions []string // of NoVersion: those that Found lacks
	Found    string   // the file that is there and does not do, if any
}

func (m Miss) String() string {
	switch m.Kind {
	case NoLibrary:
		return fmt.Sprintf("%s needs %s, which is nowhere", m.Object.Path, m.Want)
	case WrongClass:
		return fmt.Sprintf("%s needs %s, but %s is for another machine", m.Object.Path, m.Want, m.Found)
	case NoVersion:
		return fmt.Sprintf("%s needs %s of %s, which %s does not have", m.Object.Path, strings.Join(m.Versions, ", "), m.Want, m.Found)
	case NoInterpreter:
		return fmt.Sprintf("%s is run by %s, which is not there", m.Object.Path, m.Want)
	case NoProgram:
		return fmt.Sprintf("%s is run by %s, which is not on PATH", m.Object.Path, m.Want)
	}
	return fmt.Sprintf("%s needs %s, which is not looked for in %s", m.Object.Path, m.Want, m.Found)
}

// Config is what Check has to know of the tree.
type Config struct {
	// Machine is the tree's; only its programs are checked, and those of its
	// 32-bit sibling. Cross compilers bring others, which have roots of their own.
	Machine elf.Machine

	// LibraryDirs are the directories of ld.so.conf (ReadConf).
	LibraryDirs []string
}

// programDirs is where env(1) is taken to look.
var programDirs = []string{"usr/local/sbin", "usr/local/bin", "usr/bin", "usr/sbin", "bin", "sbin"}

// debugDir holds separate symbols, which look like programs and never run.
const debugDir = "usr/lib/debug/"

// Check follows every need of every object. The misses come in the order of
// layers and of the paths in them.
func Check(layers []Layer, conf Config, lookup Lookup) []Miss {
	c := checker{ln: newLinker(layers, conf.LibraryDirs, lookup), programs: make(map[string]bool)}
	for _, l := range layers {
		c.layer = l.Name
		for i := range l.Record.Objects {
			o := &l.Record.Objects[i]
			if strings.HasPrefix(o.Path, debugDir) {
				continue
			}
			if o.IsScript() {
				c.script(o)
			} else if sameFamily(o.Machine, conf.Machine) {
				c.object(o)
			}
		}
	}
	return c.misses
}

// sameFamily says whether a kernel for one machine runs programs of the other.
func sameFamily(m, tree elf.Machine) bool {
	return m == tree || m == elf.EM_386 && tree == elf.EM_X86_64 || m == elf.EM_ARM && tree == elf.EM_AARCH64
}

type checker struct {
	ln       *linker
	layer    string
	misses   []Miss
	programs map[string]bool // whether env(1) finds it
}

func (c *checker) miss(m Miss) {
	m.Layer = c.layer
	c.misses = append(c.misses, m)
}

func (c *checker) object(o *Object) {
	if o.Interpreter != "" {
		if found, exists := c.ln.file(o.Interpreter); !exists || found != nil && !found.loadableBy(o) {
			c.miss(Miss{Kind: NoInterpreter, Object: o, Want: o.Interpreter})
		}
	}
	for _, name := range o.Needed {
		c.library(o, name)
	}
}

func (c *checker) library(o *Object, name string) {
	lib, wrong := c.ln.find(o, name)
	m := Miss{Object: o, Want: name}
	switch {
	case lib != nil:
		c.versions(o, name, lib)
		return
	case wrong != nil:
		m.Kind, m.Found = WrongClass, wrong.Path
	default:
		m.Kind = NoLibrary
	}
	if other := c.ln.elsewhere(o, name); other != nil {
		m.Kind, m.Found = Elsewhere, other.Path
	}
	c.miss(m)
}

func (c *checker) versions(o *Object, name string, lib *Object) {
	for _, need := range o.Versions {
		if need.Library != name {
			continue
		}
		if missing := c.ln.lacks(lib, need.Versions); len(missing) > 0 {
			c.miss(Miss{Kind: NoVersion, Object: o, Want: name, Versions: missing, Found: lib.Path})
		}
	}
}

func (c *checker) script(o *Object) {
	if !strings.HasPrefix(o.Interpreter, "/") {
		return // relative to wherever it is started
	}
	if _, exists := c.ln.file(o.Interpreter); !exists {
		c.miss(Miss{Kind: NoInterpreter, Object: o, Want: o.Interpreter})
		return
	}
	if path.Base(o.Interpreter) != "env" {
		return
	}
	if program := envProgram(o.Argument); program != "" && !c.onPath(program) {
		c.miss(Miss{Kind: NoProgram, Object: o, Want: program})
	}
}

// envProgram is the program that env(1) with this one argument would start: all
// of it, or with -S the first word that is neither option nor assignment.
func envProgram(argument string) string {
	if !strings.HasPrefix(argument, "-") {
		return argument
	}
	for _, word := range strings.Fields(strings.TrimPrefix(argument, "-S")) {
		if !strings.HasPrefix(word, "-") && !strings.Contains(word, "=") {
			return word
		}
	}
	return ""
}

func (c *checker) onPath(program string) bool {
	if strings.Contains(program, "/") {
		_, exists := c.ln.file(program)
		return exists
	}
	found, known := c.programs[program]
	if !known {
		for _, dir := range programDirs {
			if _, exists := c.ln.file(path.Join(dir, program)); exists {
				found = true
				break
			}
		}
		c.programs[program] = found
	}
	return found
}
