package elf

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrNothing says that a file needs nothing and gives nothing to others: it is
// neither program, library nor script.
var ErrNothing = errors.New("neither program, library nor script")

// What a real file stays far below.
const (
	maxProgs   = 4096
	maxDynamic = 1 << 20
	maxChain   = 1 << 16 // entries of one kind
	maxName    = 4096
)

// Inspect says what the file at path, which r reads, needs and gives.
func Inspect(path string, r io.ReaderAt) (*Object, error) {
	o := &Object{Path: path}
	head := make([]byte, 256)
	n, err := r.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	head = head[:n]
	switch {
	case bytes.HasPrefix(head, []byte(elf.ELFMAG)):
		err = o.readELF(r, head)
	case bytes.HasPrefix(head, []byte("#!")):
		err = o.readScript(head)
	default:
		err = ErrNothing
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return o, nil
}

// readScript reads the first line as execve(2) does: the kernel looks at 256
// bytes, and takes all that follows the interpreter as one argument.
func (o *Object) readScript(head []byte) error {
	line, _, _ := strings.Cut(string(head[2:]), "\n")
	line = strings.Trim(line, " \t")
	end := strings.IndexAny(line, " \t\x00")
	if end < 0 {
		end = len(line)
	}
	o.Interpreter, o.Argument = line[:end], strings.Trim(line[end:], " \t\x00")
	if o.Interpreter == "" {
		return ErrNothing
	}
	return nil
}

// image is an ELF file by its program headers.
type image struct {
	r     io.ReaderAt
	order binary.ByteOrder
	wide  bool // 64 bits
	progs []prog
}

type prog struct {
	kind                elf.ProgType
	offset, addr, bytes uint64
}

func (o *Object) readELF(r io.ReaderAt, head []byte) error {
	im, err := o.header(r, head)
	if err != nil {
		return err
	}
	var dynamic *prog
	for i := range im.progs {
		switch p := &im.progs[i]; p.kind {
		case elf.PT_DYNAMIC:
			dynamic = p
		case elf.PT_INTERP:
			text, err := im.read(p.offset, min(p.bytes, maxName))
			if err != nil {
				return fmt.Errorf("interpreter: %w", err)
			}
			o.Interpreter = cString(text)
		}
	}
	if dynamic == nil || dynamic.bytes == 0 {
		if o.Interpreter == "" {
			return ErrNothing // static, relocatable, a core or debug file
		}
		return nil
	}
	return o.readDynamic(im, dynamic)
}

// header reads the ELF header and the program headers.
func (o *Object) header(r io.ReaderAt, head []byte) (*image, error) {
	if len(head) < 52 {
		return nil, errTruncated
	}
	im := &image{r: r, order: binary.LittleEndian}
	o.Class = elf.Class(head[elf.EI_CLASS])
	im.wide = o.Class == elf.ELFCLASS64
	switch {
	case !im.wide && o.Class != elf.ELFCLASS32, im.wide && len(head) < 64:
		return nil, errors.New("unknown ELF class")
	case head[elf.EI_DATA] == byte(elf.ELFDATA2MSB):
		im.order = binary.BigEndian
	case head[elf.EI_DATA] != byte(elf.ELFDATA2LSB):
		return nil, errors.New("unknown ELF byte order")
	}
	o.Type = elf.Type(im.order.Uint16(head[16:]))
	o.Machine = elf.Machine(im.order.Uint16(head[18:]))
	if o.Type != elf.ET_EXEC && o.Type != elf.ET_DYN {
		return nil, ErrNothing
	}
	var at uint64
	var size, count uint16
	if im.wide {
		at = im.order.Uint64(head[32:])
		size, count = im.order.Uint16(head[54:]), im.order.Uint16(head[56:])
	} else {
		at = uint64(im.order.Uint32(head[28:]))
		size, count = im.order.Uint16(head[42:]), im.order.Uint16(head[44:])
	}
	return im, im.readProgs(at, size, count)
}

func (im *image) readProgs(at uint64, size, count uint16) error {
	least := uint16(32)
	if im.wide {
		least = 56
	}
	if count == 0 {
		return nil
	}
	if size < least || count > maxProgs {
		return errors.New("impossible program headers")
	}
	table, err := im.read(at, uint64(size)*uint64(count))
	if err != nil {
		return fmt.Errorf("program headers: %w", err)
	}
	for ; len(table) > 0; table = table[size:] {
		p := prog{kind: elf.ProgType(im.order.Uint32(table))}
		if im.wide {
			p.offset, p.addr, p.bytes = im.order.Uint64(table[8:]), im.order.Uint64(table[16:]), im.order.Uint64(table[32:])
		} else {
			p.offset, p.addr, p.bytes = uint64(im.order.Uint32(table[4:])), uint64(im.order.Uint32(table[8:])), uint64(im.order.Uint32(table[16:]))
		}
		im.progs = append(im.progs, p)
	}
	return nil
}

var errTruncated = errors.New("the file ends too early: it is truncated")

// read reads n bytes at an offset of the file. Callers bound n.
func (im *image) read(at, n uint64) ([]byte, error) {
	if at > 1<<62 {
		return nil, errTruncated
	}
	b := make([]byte, n)
	if read, err := im.r.ReadAt(b, int64(at)); read < len(b) {
		if err == io.EOF {
			err = errTruncated
		}
		return nil, err
	}
	return b, nil
}

// at gives up to n bytes from a virtual address on.
func (im *image) at(addr, n uint64) ([]byte, error) {
	for _, p := range im.progs {
		if p.kind == elf.PT_LOAD && addr >= p.addr && addr-p.addr < p.bytes {
			in := addr - p.addr
			return im.read(p.offset+in, min(n, p.bytes-in))
		}
	}
	return nil, fmt.Errorf("address %#x is in no segment of the file", addr)
}

func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}
