package elf

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckAgreesWithLdSo asks this machine's own dynamic linker which library
// it takes for each need of some programs, and wants the same answers.
func TestCheckAgreesWithLdSo(t *testing.T) {
	tree, err := OpenTree("/")
	if err != nil {
		t.Fatal(err)
	}
	defer tree.Close()
	dirs, err := ReadConf(os.DirFS("/"))
	if err != nil {
		t.Fatal(err)
	}
	var r Recorder
	wanted := make(map[string]map[string]string) // program → name → file
	for _, program := range hostFiles(t, 400) {
		taken := listByLdSo(program)
		if taken == nil {
			continue
		}
		wanted[strings.TrimPrefix(program, "/")] = taken
		addHostFile(&r, program)
		for _, file := range taken {
			addHostFile(&r, file)
		}
	}
	if len(wanted) == 0 {
		t.Skip("no program here has a dynamic linker that lists libraries: no peer to compare with")
	}
	record := r.Record()
	layers := []Layer{{"host", record}}
	ln := newLinker(layers, dirs, tree.Lookup)
	agreed := 0
	for i := range record.Objects {
		o := &record.Objects[i]
		for name, file := range wanted[o.Path] {
			if !strings.Contains(strings.Join(o.Needed, "\n")+"\n", name+"\n") {
				continue // needed by what is needed
			}
			if lib, _ := ln.find(o, name); lib == nil || "/"+lib.Path != file {
				t.Errorf("%s: %s is %+v, ld.so takes %s", o.Path, name, lib, file)
			} else {
				agreed++
			}
		}
	}
	for _, m := range Check(layers, Config{Machine: record.Objects[0].Machine, LibraryDirs: dirs}, tree.Lookup) {
		if wanted[m.Object.Path] != nil {
			t.Errorf("ld.so has no complaint, but %s", m)
		}
	}
	t.Logf("agreed on %d needs of %d programs", agreed, len(wanted))
}

// listByLdSo is what a program's own dynamic linker says it would load: files by
// the names they are needed under. nil where it cannot say.
func listByLdSo(program string) map[string]string {
	f, err := elf.Open(program)
	if err != nil {
		return nil
	}
	defer f.Close()
	interp := f.Section(".interp")
	if interp == nil {
		return nil
	}
	loader, err := interp.Data()
	if err != nil {
		return nil
	}
	out, err := exec.Command(strings.TrimRight(string(loader), "\x00"), "--list", program).Output()
	if err != nil {
		return nil
	}
	taken := make(map[string]string)
	for line := range strings.Lines(string(out)) {
		name, rest, ok := strings.Cut(strings.TrimSpace(line), " => ")
		if !ok { // the dynamic linker itself, which some need by name
			rest = name
			name, _, _ = strings.Cut(filepath.Base(rest), " ")
			if !strings.HasPrefix(rest, "/") {
				continue
			}
		}
		file, _, _ := strings.Cut(rest, " (")
		if real, err := filepath.EvalSymlinks(file); err == nil {
			taken[name] = real
		}
	}
	return taken
}

func addHostFile(r *Recorder, name string) {
	if f, err := os.Open(name); err == nil {
		defer f.Close()
		if real, err := filepath.EvalSymlinks(name); err == nil {
			r.Add(strings.TrimPrefix(real, "/"), 0o755, f)
		}
	}
}
