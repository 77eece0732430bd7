package elf

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"strings"
)

// dynamic is the values of a dynamic section that matter here.
type dynamic struct {
	needed                        []uint64 // offsets into strings
	soname, rpath, runpath        []uint64
	strtab, strsz                 uint64
	verneed, verdef               uint64
	verneedEntries, verdefEntries uint64
}

func (o *Object) readDynamic(im *image, p *prog) error {
	if p.bytes > maxDynamic {
		return errors.New("impossible dynamic section")
	}
	table, err := im.read(p.offset, p.bytes)
	if err != nil {
		return fmt.Errorf("dynamic section: %w", err)
	}
	d := im.parseDynamic(table)
	if d.strtab == 0 || d.strsz == 0 {
		return nil
	}
	names := stringTable{im, d.strtab, d.strsz}
	o.Needed = names.all(d.needed)
	o.Soname = strings.Join(names.all(d.soname), "")
	o.RPath = splitPath(names.all(d.rpath))
	o.RunPath = splitPath(names.all(d.runpath))
	if d.verneed != 0 {
		if err := o.readVersionNeeds(im, d, names); err != nil {
			return fmt.Errorf("versions needed: %w", err)
		}
	}
	if d.verdef != 0 {
		if err := o.readVersionDefs(im, d, names); err != nil {
			return fmt.Errorf("versions defined: %w", err)
		}
	}
	return nil
}

func (im *image) parseDynamic(table []byte) (d dynamic) {
	size := 8
	if im.wide {
		size = 16
	}
	for ; len(table) >= size; table = table[size:] {
		var tag elf.DynTag
		var value uint64
		if im.wide {
			tag, value = elf.DynTag(im.order.Uint64(table)), im.order.Uint64(table[8:])
		} else {
			tag, value = elf.DynTag(im.order.Uint32(table)), uint64(im.order.Uint32(table[4:]))
		}
		switch tag {
		case elf.DT_NULL:
			return d
		case elf.DT_NEEDED:
			d.needed = append(d.needed, value)
		case elf.DT_SONAME:
			d.soname = []uint64{value}
		case elf.DT_RPATH:
			d.rpath = []uint64{value}
		case elf.DT_RUNPATH:
			d.runpath = []uint64{value}
		case elf.DT_STRTAB:
			d.strtab = value
		case elf.DT_STRSZ:
			d.strsz = value
		case elf.DT_VERNEED:
			d.verneed = value
		case elf.DT_VERNEEDNUM:
			d.verneedEntries = value
		case elf.DT_VERDEF:
			d.verdef = value
		case elf.DT_VERDEFNUM:
			d.verdefEntries = value
		}
	}
	return d
}

// stringTable reads strings one by one: those of all symbols lie there too, and
// may be megabytes.
type stringTable struct {
	im         *image
	addr, size uint64
}

// get is the string at an offset, empty where there is none.
func (t stringTable) get(at uint64) string {
	if at >= t.size {
		return ""
	}
	for n := uint64(64); n <= maxName; n *= 8 {
		b, err := t.im.at(t.addr+at, min(n, t.size-at))
		if err != nil {
			return ""
		}
		if end := bytes.IndexByte(b, 0); end >= 0 {
			return string(b[:end])
		}
	}
	return ""
}

// all gives the strings at these offsets, without empty ones.
func (t stringTable) all(offsets []uint64) []string {
	var list []string
	for _, at := range offsets {
		if s := t.get(at); s != "" {
			list = append(list, s)
		}
	}
	return list
}

// splitPath splits a search path. An empty part would be the current directory;
// nothing sound relies on it.
func splitPath(paths []string) []string {
	var dirs []string
	for _, p := range paths {
		for dir := range strings.SplitSeq(p, ":") {
			if dir != "" {
				dirs = append(dirs, dir)
			}
		}
	}
	return dirs
}

// Symbol versions (the LSB's "Symbol Versioning"): chains of records, each
// saying how far on the next one is. Records are alike in both classes.
const (
	verneedSize = 16
	vernauxSize = 16
	verdefSize  = 20
	verdauxSize = 8
	weakVersion = 2 // VER_FLG_WEAK: ld.so does without
	baseVersion = 1 // VER_FLG_BASE: names the file, not a version
)

func (o *Object) readVersionNeeds(im *image, d dynamic, names stringTable) error {
	at, left := d.verneed, maxChain
	for range min(d.verneedEntries, maxChain) {
		b, err := im.at(at, verneedSize)
		if err != nil || len(b) < verneedSize {
			return errors.Join(errTruncated, err)
		}
		need := VersionNeed{Library: names.get(uint64(im.order.Uint32(b[4:])))}
		aux := at + uint64(im.order.Uint32(b[8:]))
		for range im.order.Uint16(b[2:]) {
			if left--; left < 0 {
				return errors.New("too many")
			}
			a, err := im.at(aux, vernauxSize)
			if err != nil || len(a) < vernauxSize {
				return errors.Join(errTruncated, err)
			}
			if im.order.Uint16(a[4:])&weakVersion == 0 {
				need.Versions = append(need.Versions, names.get(uint64(im.order.Uint32(a[8:]))))
			}
			step := im.order.Uint32(a[12:])
			if step == 0 {
				break
			}
			aux += uint64(step)
		}
		if len(need.Versions) > 0 {
			o.Versions = append(o.Versions, need)
		}
		step := im.order.Uint32(b[12:])
		if step == 0 {
			break
		}
		at += uint64(step)
	}
	return nil
}

func (o *Object) readVersionDefs(im *image, d dynamic, names stringTable) error {
	at := d.verdef
	for range min(d.verdefEntries, maxChain) {
		b, err := im.at(at, verdefSize)
		if err != nil || len(b) < verdefSize {
			return errors.Join(errTruncated, err)
		}
		if im.order.Uint16(b[2:])&baseVersion == 0 {
			a, err := im.at(at+uint64(im.order.Uint32(b[12:])), verdauxSize)
			if err != nil || len(a) < verdauxSize {
				return errors.Join(errTruncated, err)
			}
			o.Defines = append(o.Defines, names.get(uint64(im.order.Uint32(a))))
		}
		step := im.order.Uint32(b[16:])
		if step == 0 {
			break
		}
		at += uint64(step)
	}
	return nil
}
