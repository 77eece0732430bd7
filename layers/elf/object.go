package elf

import "debug/elf"

// Object is one ELF file or script: what it needs and what it gives.
type Object struct {
	Path string // relative to the tree's root

	// Of an ELF file. Class is 0 for a script.
	Class    elf.Class
	Machine  elf.Machine
	Type     elf.Type // ET_EXEC or ET_DYN
	Soname   string
	Needed   []string
	RPath    []string      // ignored by ld.so where there is a RunPath
	RunPath  []string      //
	Defines  []string      // symbol versions
	Versions []VersionNeed // symbol versions wanted

	// Of an ELF program its dynamic linker, of a script what its first line
	// names. Argument is the rest of that line.
	Interpreter string
	Argument    string
}

// VersionNeed is the symbol versions that an object wants of one library.
type VersionNeed struct {
	Library  string // as in Needed
	Versions []string
}

// IsScript says whether o is a script.
func (o *Object) IsScript() bool { return o.Class == elf.ELFCLASSNONE }
