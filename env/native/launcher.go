package native

import (
	"bytes"
	"encoding/binary"
	"strings"
)

// launch is what one launcher does: it starts file with args and then its
// caller's own.
type launch struct {
	file    string   // absolute: a dynamic linker, or a program to execute
	image   *image   // how to map it; nil to execute it
	args    []string // the first is argv[0]; callersName stands for the caller's
	changes []change // of variables, each of another one
}

// callersName in launch.args is the name that the launcher was called by.
const callersName = ""

// change is what a launcher does to one variable.
type change struct {
	op    op
	name  string
	value string // of the variable
	more  string // appendTo: what is put behind a value that is there
}

type op uint64

const (
	set        op = iota
	setDefault    // where the caller has none
	appendTo      // behind what the caller has
	unset
)

// encode gives the launcher's file.
func (l *launch) encode() []byte {
	if text, ok := code(); ok {
		return program(text, l.block())
	}
	return l.script()
}

const (
	headersSize = 64 + 3*56 // the file's header, two PT_LOAD, one PT_GNU_STACK
	wordSize    = 8
)

// blockAt is where the block lies in memory, from the first instruction on: a
// page further than in the file, since it is writable and the code is not.
func blockAt(code int) int { return (code+15)&^15 + pageSize }

// program is an ELF file of two segments, code and block. Programs may write to
// their arguments and variables, which are in the block. It has no interpreter
// and no fixed address, like a dynamic linker: the kernel puts both at the same
// place.
func program(text, block []byte) []byte {
	blockAddr := uint64(headersSize + blockAt(len(text)))
	blockFile := blockAddr - pageSize
	le := binary.LittleEndian
	b := make([]byte, headersSize, int(blockFile)+len(block))
	copy(b, "\x7fELF\x02\x01\x01")
	le.PutUint16(b[16:], 3)    // ET_DYN
	le.PutUint16(b[18:], 0x3e) // EM_X86_64
	le.PutUint32(b[20:], 1)
	le.PutUint64(b[24:], headersSize) // e_entry
	le.PutUint64(b[32:], 64)          // e_phoff
	le.PutUint16(b[52:], 64)          // e_ehsize
	le.PutUint16(b[54:], 56)          // e_phentsize
	le.PutUint16(b[56:], 3)           // e_phnum
	segment := func(i int, kind, flags uint32, offset, addr, size, align uint64) {
		p := b[64+56*i:]
		le.PutUint32(p, kind)
		le.PutUint32(p[4:], flags)
		le.PutUint64(p[8:], offset)
		le.PutUint64(p[16:], addr)
		le.PutUint64(p[24:], addr)
		le.PutUint64(p[32:], size)
		le.PutUint64(p[40:], size)
		le.PutUint64(p[48:], align)
	}
	segment(0, 1, 5, 0, 0, blockFile, pageSize)                          // PT_LOAD, PF_R|PF_X
	segment(1, 1, 6, blockFile, blockAddr, uint64(len(block)), pageSize) // PT_LOAD, PF_R|PF_W
	segment(2, 0x6474e551, 6, 0, 0, 0, 16)                               // PT_GNU_STACK, PF_R|PF_W
	b = append(b, text...)
	b = append(b, make([]byte, int(blockFile)-len(b))...)
	return append(b, block...)
}

// The words of a block, by number. Texts and tables are given by where they
// begin in the block. launcher_amd64.s reads them.
const (
	blockImage = iota // 1: map the file, 0: execute it
	blockFile
	blockArgCount
	blockArgs // words: texts, 0 for the caller's argv[0]
	blockChangeCount
	blockChanges // of 4 words: op, length of "NAME=", "NAME=VALUE", what appendTo appends
	blockSpan    // bytes that the image takes
	blockSegmentCount
	blockSegments // of 8 words: see segment
	blockEntry
	blockPhdr
	blockPhnum
	blockMessage // said where nothing can be started
	blockMessageSize
	blockWords
)

// block is the data of a launcher.
func (l *launch) block() []byte {
	var w [blockWords]uint64
	size := blockWords + len(l.args) + 4*len(l.changes)
	if l.image != nil {
		size += 8 * len(l.image.segments)
	}
	t := texts{at: uint64(size * wordSize), known: map[string]uint64{}}
	var tables []uint64
	table := func() uint64 { return uint64((blockWords + len(tables)) * wordSize) }

	w[blockFile] = t.add(l.file)
	w[blockArgCount], w[blockArgs] = uint64(len(l.args)), table()
	for _, a := range l.args {
		at := uint64(0)
		if a != callersName {
			at = t.add(a)
		}
		tables = append(tables, at)
	}
	w[blockChangeCount], w[blockChanges] = uint64(len(l.changes)), table()
	for _, c := range l.changes {
		tables = append(tables, uint64(c.op), uint64(len(c.name)+1), t.add(c.name+"="+c.value), t.add(c.more))
	}
	if l.image != nil {
		w[blockImage], w[blockSpan] = 1, l.image.span
		w[blockEntry], w[blockPhdr], w[blockPhnum] = l.image.entry, l.image.phdr, l.image.phnum
		w[blockSegmentCount], w[blockSegments] = uint64(len(l.image.segments)), table()
		for _, s := range l.image.segments {
			tables = append(tables, s.addr, s.size, s.prot, s.offset, s.zeroAt, s.zeroSize, s.anonAt, s.anonSize)
		}
	}
	message := l.message()
	w[blockMessage], w[blockMessageSize] = t.add(message), uint64(len(message))

	var out bytes.Buffer
	binary.Write(&out, binary.LittleEndian, w[:])
	binary.Write(&out, binary.LittleEndian, tables)
	out.Write(t.text)
	return out.Bytes()
}

// message is for an environment that is no more, or a mount without exec.
func (l *launch) message() string {
	return "devenv: cannot start " + l.file + "\nhint: run `devenv shell` anew: the environment may have gone from the cache since; `devenv doctor` checks the cache\n"
}

// texts gathers strings that end with NUL, each once.
type texts struct {
	at    uint64
	text  []byte
	known map[string]uint64
}

func (t *texts) add(s string) uint64 {
	if at, ok := t.known[s]; ok {
		return at
	}
	at := t.at + uint64(len(t.text))
	t.text = append(append(t.text, s...), 0)
	t.known[s] = at
	return at
}

// script is a launcher for architectures that have no code of their own. What
// it starts is the dynamic linker itself.
func (l *launch) script() []byte {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	for _, c := range l.changes {
		name, value := c.name, quote(c.value)
		switch c.op {
		case set:
			b.WriteString("export " + name + "=" + value + "\n")
		case setDefault:
			b.WriteString("[ -n \"${" + name + "+x}\" ] || export " + name + "=" + value + "\n")
		case appendTo:
			b.WriteString("if [ -n \"${" + name + "+x}\" ]; then export " + name + "=\"$" + name + "\"" + quote(c.more) + "; else export " + name + "=" + value + "; fi\n")
		case unset:
			b.WriteString("unset " + name + "\n")
		}
	}
	b.WriteString("exec " + quote(l.file))
	// The shell gives a program that it executes its path as its name, and so
	// do all dynamic linkers that are told no other.
	for _, a := range l.args[1:] {
		if a == callersName {
			b.WriteString(` "$0"`)
		} else {
			b.WriteString(" " + quote(a))
		}
	}
	b.WriteString(" \"$@\"\n")
	return []byte(b.String())
}

// quote makes one word of s for a POSIX shell.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
