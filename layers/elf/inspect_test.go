package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// hostFiles are ELF files of the machine that the test runs on.
func hostFiles(t testing.TB, most int) []string {
	var files []string
	for _, pattern := range []string{"/usr/bin/*", "/usr/lib/*/*.so*", "/usr/lib/*.so*", "/usr/lib64/*.so*", "/usr/lib/*/*/*.so", "/usr/sbin/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		step := 1 + len(found)/(most/4)
		for i := 0; i < len(found) && len(files) < most; i += step {
			if info, err := os.Lstat(found[i]); err == nil && info.Mode().IsRegular() {
				files = append(files, found[i])
			}
		}
	}
	return files
}

// TestInspectAgreesWithDebugELF compares with the standard library, which reads
// sections where Inspect reads segments.
func TestInspectAgreesWithDebugELF(t *testing.T) {
	agreed := 0
	for _, name := range hostFiles(t, 400) {
		f, err := os.Open(name)
		if err != nil {
			continue
		}
		want, err := elf.NewFile(f)
		if err != nil {
			f.Close()
			continue
		}
		o, err := Inspect(name, f)
		if err != nil {
			if !errors.Is(err, ErrNothing) || len(mustList(want.ImportedLibraries())) > 0 {
				t.Errorf("%s: %v", name, err)
			}
		} else if compareWith(t, o, want) {
			agreed++
		}
		f.Close()
	}
	if agreed == 0 {
		t.Skip("this machine has no ELF files where they are usual")
	}
	t.Logf("agreed on %d files", agreed)
}

func mustList(list []string, _ error) []string { return list }

func compareWith(t *testing.T, o *Object, want *elf.File) bool {
	path := func(tag elf.DynTag) []string { return splitPath(mustList(want.DynString(tag))) }
	same := func(what string, got, want any) bool {
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %s %v, the standard library says %v", o.Path, what, got, want)
			return false
		}
		return true
	}
	var defines []string
	defs, _ := want.DynamicVersions()
	for _, d := range defs {
		if d.Flags&elf.VER_FLG_BASE == 0 {
			defines = append(defines, d.Name)
		}
	}
	var needs []VersionNeed
	lists, _ := want.DynamicVersionNeeds()
	for _, l := range lists {
		n := VersionNeed{Library: l.Name}
		for _, d := range l.Needs {
			if d.Flags&elf.VER_FLG_WEAK == 0 {
				n.Versions = append(n.Versions, d.Dep)
			}
		}
		if len(n.Versions) > 0 {
			needs = append(needs, n)
		}
	}
	soname := ""
	if s := mustList(want.DynString(elf.DT_SONAME)); len(s) > 0 {
		soname = s[0]
	}
	return same("class", o.Class, want.Class) && same("machine", o.Machine, want.Machine) && same("type", o.Type, want.Type) &&
		same("needed", o.Needed, mustList(want.ImportedLibraries())) && same("soname", o.Soname, soname) &&
		same("rpath", o.RPath, path(elf.DT_RPATH)) && same("runpath", o.RunPath, path(elf.DT_RUNPATH)) &&
		same("versions defined", o.Defines, defines) && same("versions needed", o.Versions, needs)
}

func TestInspectScripts(t *testing.T) {
	for text, want := range map[string][2]string{
		"#!/bin/sh":                        {"/bin/sh", ""},
		"#!/bin/sh\necho":                  {"/bin/sh", ""},
		"#! /usr/bin/env  python3 \nprint": {"/usr/bin/env", "python3"},
		"#!/usr/bin/perl -w -T\n":          {"/usr/bin/perl", "-w -T"},
		"#!\t/usr/bin/env\t-S awk -f\nx":   {"/usr/bin/env", "-S awk -f"},
		"#!/usr/bin/python\x00binary\n":    {"/usr/bin/python", "binary"},
		"#!relative/interpreter\n":         {"relative/interpreter", ""},
	} {
		o, err := Inspect("x", bytes.NewReader([]byte(text)))
		if err != nil || !o.IsScript() || o.Interpreter != want[0] || o.Argument != want[1] {
			t.Errorf("%q: %+v, %v; want %q", text, o, err, want)
		}
	}
	for _, text := range []string{"", "#", "#!", "#! \n/bin/sh", "text", "\x7fEL"} {
		if o, err := Inspect("x", bytes.NewReader([]byte(text))); !errors.Is(err, ErrNothing) {
			t.Errorf("%q: %+v, %v", text, o, err)
		}
	}
}

// library makes a small ELF file of either class and byte order: one segment
// that holds all, an interpreter, and a dynamic section with versions.
func library(class elf.Class, order binary.ByteOrder) []byte {
	const base = 0x10000
	text := "\x00libc.so.6\x00libm.so.6\x00libself.so.1\x00/opt/a:$ORIGIN/../b\x00GLIBC_2.34\x00GLIBC_2.4\x00SELF_1\x00"
	at := func(s string) uint64 { return uint64(bytes.Index([]byte(text), []byte("\x00"+s+"\x00")) + 1) }
	var body bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			binary.Write(&body, order, v)
		}
	}
	wide := class == elf.ELFCLASS64
	headers := uint64(52 + 3*32)
	if wide {
		headers = 64 + 3*56
	}
	address := func() uint64 { return base + headers + uint64(body.Len()) }
	strtab := address()
	body.WriteString(text)
	interp := address()
	body.WriteString("/lib/ld.so\x00")
	verneed := address()
	put(uint16(1), uint16(2), uint32(at("libc.so.6")), uint32(16), uint32(0))
	put(uint32(0), uint16(0), uint16(2), uint32(at("GLIBC_2.34")), uint32(16))
	put(uint32(0), uint16(weakVersion), uint16(3), uint32(at("GLIBC_2.4")), uint32(0))
	verdef := address()
	put(uint16(1), uint16(baseVersion), uint16(1), uint16(1), uint32(0), uint32(20), uint32(28), uint32(at("libself.so.1")), uint32(0))
	put(uint16(1), uint16(0), uint16(2), uint16(1), uint32(0), uint32(20), uint32(0), uint32(at("SELF_1")), uint32(0))
	dynamic := address()
	for _, d := range [][2]uint64{
		{uint64(elf.DT_NEEDED), at("libc.so.6")}, {uint64(elf.DT_NEEDED), at("libm.so.6")}, {uint64(elf.DT_SONAME), at("libself.so.1")},
		{uint64(elf.DT_RUNPATH), at("/opt/a:$ORIGIN/../b")}, {uint64(elf.DT_STRTAB), strtab}, {uint64(elf.DT_STRSZ), uint64(len(text))},
		{uint64(elf.DT_VERNEED), verneed}, {uint64(elf.DT_VERNEEDNUM), 1}, {uint64(elf.DT_VERDEF), verdef}, {uint64(elf.DT_VERDEFNUM), 2},
		{uint64(elf.DT_NULL), 0}, {uint64(elf.DT_NEEDED), at("GLIBC_2.4")},
	} {
		if wide {
			put(d[0], d[1])
		} else {
			put(uint32(d[0]), uint32(d[1]))
		}
	}
	return append(headersOf(class, order, base, interp, dynamic, address()-base), body.Bytes()...)
}

func headersOf(class elf.Class, order binary.ByteOrder, base, interp, dynamic, size uint64) []byte {
	var ident [16]byte
	copy(ident[:], elf.ELFMAG)
	ident[elf.EI_CLASS], ident[elf.EI_DATA] = byte(class), byte(elf.ELFDATA2LSB)
	if order == binary.BigEndian {
		ident[elf.EI_DATA] = byte(elf.ELFDATA2MSB)
	}
	segments := []elf.Prog64{
		{Type: uint32(elf.PT_LOAD), Vaddr: base, Filesz: size},
		{Type: uint32(elf.PT_INTERP), Off: interp - base, Vaddr: interp, Filesz: 11},
		{Type: uint32(elf.PT_DYNAMIC), Off: dynamic - base, Vaddr: dynamic, Filesz: base + size - dynamic},
	}
	var b bytes.Buffer
	if class == elf.ELFCLASS64 {
		binary.Write(&b, order, elf.Header64{Ident: ident, Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Phoff: 64, Phentsize: 56, Phnum: 3})
		binary.Write(&b, order, segments)
		return b.Bytes()
	}
	binary.Write(&b, order, elf.Header32{Ident: ident, Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_386), Phoff: 52, Phentsize: 32, Phnum: 3})
	for _, s := range segments {
		binary.Write(&b, order, elf.Prog32{Type: s.Type, Off: uint32(s.Off), Vaddr: uint32(s.Vaddr), Filesz: uint32(s.Filesz)})
	}
	return b.Bytes()
}

func TestInspectForms(t *testing.T) {
	for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
		for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
			o, err := Inspect("usr/lib/libself.so.1", bytes.NewReader(library(class, order)))
			if err != nil {
				t.Errorf("%v, %v: %v", class, order, err)
				continue
			}
			machine := elf.EM_X86_64
			if class == elf.ELFCLASS32 {
				machine = elf.EM_386
			}
			want := &Object{
				Path: "usr/lib/libself.so.1", Class: class, Machine: machine, Type: elf.ET_DYN, Soname: "libself.so.1",
				Needed: []string{"libc.so.6", "libm.so.6"}, RunPath: []string{"/opt/a", "$ORIGIN/../b"}, Defines: []string{"SELF_1"},
				Versions: []VersionNeed{{"libc.so.6", []string{"GLIBC_2.34"}}}, Interpreter: "/lib/ld.so",
			}
			if !reflect.DeepEqual(o, want) {
				t.Errorf("%v, %v: read\n%+v, want\n%+v", class, order, o, want)
			}
		}
	}
}

// TestInspectHostile cuts and changes every byte: nothing may panic.
func TestInspectHostile(t *testing.T) {
	for _, class := range []elf.Class{elf.ELFCLASS32, elf.ELFCLASS64} {
		good := library(class, binary.LittleEndian)
		for n := range good {
			Inspect("x", bytes.NewReader(good[:n]))
			for _, value := range []byte{0, 1, 0x7f, 0xff} {
				bad := bytes.Clone(good)
				bad[n] = value
				Inspect("x", bytes.NewReader(bad))
			}
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(library(elf.ELFCLASS64, binary.LittleEndian))
	f.Add(library(elf.ELFCLASS32, binary.BigEndian))
	f.Add([]byte("#!/usr/bin/env -S a=b python\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		o, err := Inspect("x", bytes.NewReader(data))
		if err != nil {
			return
		}
		text, err := (&Record{Objects: []Object{*o}}).MarshalBinary()
		var back Record
		if err == nil {
			err = back.UnmarshalBinary(text)
		}
		if err != nil || !reflect.DeepEqual(&back.Objects[0], o) {
			t.Errorf("%+v came back as %+v, %v", o, back, err)
		}
	})
}
