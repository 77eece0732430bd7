package native

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
)

// loader is a dynamic linker of the tree.
type loader struct {
	path  string // absolute, on the host
	class elf.Class
	image *image // nil if only the kernel can start it
	argv0 bool   // takes --argv0 (glibc 2.33)
	cache bool   // takes --inhibit-cache
}

// image is how a launcher maps a dynamic linker: what the kernel would do,
// worked out beforehand.
type image struct {
	span, entry, phdr, phnum uint64
	segments                 []segment
}

// segment is one PT_LOAD, in whole pages. Addresses are from the image's base.
type segment struct {
	addr, size, prot, offset uint64
	zeroAt, zeroSize         uint64 // the part of the last page that is not the file's
	anonAt, anonSize         uint64 // the pages behind that
}

const pageSize = 4096

func openLoader(path string) (*loader, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f, err := elf.NewFile(bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("dynamic linker %s: %w", path, err)
	}
	l := &loader{path: path, class: f.Class, argv0: bytes.Contains(b, []byte("--argv0")), cache: bytes.Contains(b, []byte("--inhibit-cache"))}
	// The code of launchers is this machine's, in 64 bits.
	if _, ok := code(); ok && f.Class == elf.ELFCLASS64 && f.Machine == elf.EM_X86_64 && f.Type == elf.ET_DYN {
		if l.image, err = mapImage(f, b); err != nil {
			return nil, fmt.Errorf("dynamic linker %s: %w", path, err)
		}
	}
	return l, nil
}

// mapImage is nil, and no error, for an image that must lie otherwise than on a
// page's border.
func mapImage(f *elf.File, b []byte) (*image, error) {
	phoff := f.ByteOrder.Uint64(b[32:]) // e_phoff
	im := &image{entry: f.Entry, phnum: uint64(len(f.Progs))}
	for _, p := range f.Progs {
		if p.Type != elf.PT_LOAD {
			continue
		}
		if p.Align > pageSize {
			return nil, nil
		}
		if p.Off%pageSize != p.Vaddr%pageSize || p.Memsz < p.Filesz || p.Memsz > 1<<30 || p.Vaddr > 1<<30 {
			return nil, errors.New("impossible segment")
		}
		if phoff >= p.Off && phoff < p.Off+p.Filesz {
			im.phdr = p.Vaddr + phoff - p.Off
		}
		im.segments = append(im.segments, mapSegment(p))
		im.span = max(im.span, pageUp(p.Vaddr+p.Memsz))
	}
	if len(im.segments) == 0 || im.phdr == 0 {
		return nil, errors.New("no segment holds its program headers")
	}
	return im, nil
}

func mapSegment(p *elf.Prog) segment {
	s := segment{addr: p.Vaddr &^ (pageSize - 1), offset: p.Off &^ (pageSize - 1)}
	for flag, prot := range map[elf.ProgFlag]uint64{elf.PF_R: 1, elf.PF_W: 2, elf.PF_X: 4} {
		if p.Flags&flag != 0 {
			s.prot |= prot
		}
	}
	fileEnd := p.Vaddr + p.Filesz
	s.size = pageUp(fileEnd) - s.addr
	if p.Memsz > p.Filesz {
		// To the end of the page, as the kernel does: glibc's allocates there.
		s.zeroAt, s.zeroSize = fileEnd, pageUp(fileEnd)-fileEnd
		if end := pageUp(p.Vaddr + p.Memsz); end > pageUp(fileEnd) {
			s.anonAt, s.anonSize = pageUp(fileEnd), end-pageUp(fileEnd)
		}
	}
	return s
}

func pageUp(n uint64) uint64 { return (n + pageSize - 1) &^ (pageSize - 1) }

// launch starts a program of the tree, which the loader finds at an absolute
// path on the host.
func (l *loader) launch(program, argv0, libraryPath string) *launch {
	n := &launch{file: l.path, image: l.image, args: []string{l.path}}
	if l.argv0 {
		n.args = append(n.args, "--argv0", argv0)
	}
	if l.cache {
		n.args = append(n.args, "--inhibit-cache")
	}
	n.args = append(n.args, "--library-path", libraryPath, program)
	return n
}
