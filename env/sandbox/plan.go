package sandbox

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"unsafe"

	"devenv/env/sandbox/entry"
)

// Plan is one entry, ready to run. The zero Plan does nothing.
type Plan struct {
	UID, GID int
	Project  string // absolute path of the directory with devenv.toml
	Node     string // host name
	PidNS    bool   // the command gets a pid namespace and a reaper
	UserNS   bool   // for the reader
	After    bool   // something is to be done when the command has ended: see Ended

	Checks  []Check
	EnvWant []string // "NAME=VALUE", or "NAME" for one that must not be set
	Terms   []string // values of TERM that it holds for; none: all
	TermEnv []string // as EnvWant: where descriptions of terminals were looked for, for callers that have such places
	EnvDrop []string // "NAME" or "PREFIX*"
	EnvKeep []string // if there are any, no other variable passes
	EnvSet  []string // "NAME=VALUE"
	EnvOnce []string // "NAME=VALUE", for the shell of enter alone
	Tasks   []string
	Path    []string // directories that run looks for its command in
	Shell   []string // the argument vector of enter

	Prepare []Op // run in the process that was started
	Command []Op // run in the process that becomes the command
}

// Check is what stat(2) said of a path when the plan was made; Ino is 0 for a
// path that was not there.
type Check struct {
	Path         string
	Dev, Ino     uint64
	Size         uint64 // bytes
	Mtime, Ctime int64  // nanoseconds since 1970
}

// Op is one system call of a plan.
type Op struct {
	Name   string // as in its manual page
	Nr     uintptr
	Args   []Arg
	Ignore bool // go on if it fails
	Cold   bool // if it fails the plan is stale
	Save   int  // slot+1 that keeps the result, 0 for none
	Why    string
}

// Arg is one argument of a system call: exactly one of its fields is used,
// Num if none of the others is set.
type Arg struct {
	Num  uint64
	Data []byte // passed by address; a string ends with NUL
	Slot int    // slot+1 whose value is passed
	Cwd  bool   // the caller's working directory
	Show string // how --explain prints it, where that says more than the value
}

// Encode gives the plan's file. It fails only if the plan is larger than
// entry.MaxPlan or names an argument that does not fit.
func (p *Plan) Encode() ([]byte, error) {
	e := encoder{index: map[string]uint32{}}
	e.buf.Write(make([]byte, entry.HeaderSize))
	h := entry.Header{Magic: entry.Magic, UID: uint64(p.UID), GID: uint64(p.GID)}
	if p.PidNS {
		h.Flags |= entry.FlagPidNS
	}
	if p.UserNS {
		h.Flags |= entry.FlagUserNS
	}
	if p.After {
		h.Flags |= entry.FlagAfter
	}
	h.Project, h.Node = e.str(p.Project), e.str(p.Node)
	checks := make([]entry.Check, len(p.Checks))
	for i, c := range p.Checks {
		checks[i] = entry.Check{Path: e.str(c.Path), Dev: c.Dev, Ino: c.Ino, Size: c.Size, Mtime: c.Mtime, Ctime: c.Ctime}
	}
	h.Checks = table(&e, checks)
	h.EnvWant, h.EnvDrop = e.strs(p.EnvWant), e.strs(p.EnvDrop)
	h.EnvKeep, h.EnvSet, h.EnvOnce = e.strs(p.EnvKeep), e.strs(p.EnvSet), e.strs(p.EnvOnce)
	h.Terms, h.TermEnv = e.strs(p.Terms), e.strs(p.TermEnv)
	h.Tasks, h.Shell = e.strs(p.Tasks), e.strs(p.Shell)
	path := make([]string, len(p.Path))
	for i, d := range p.Path {
		path[i] = d + "/"
	}
	h.Path = e.strs(path)
	h.Prepare, h.Command = e.ops(p.Prepare), e.ops(p.Command)
	if e.err != nil {
		return nil, e.err
	}
	e.align()
	b := e.buf.Bytes()
	if len(b) > entry.MaxPlan {
		return nil, fmt.Errorf("entry plan of %s has %d bytes, more than the %d that an entry reads: shorten [env] or the host's list of top-level directories", p.Project, len(b), entry.MaxPlan)
	}
	h.Size = uint64(len(b))
	h.Sum = entry.Checksum(&b[entry.HeaderSize], len(b)-entry.HeaderSize)
	copy(b, raw(&h))
	return b, nil
}

// encoder lays out a plan's file; it keeps each string once.
type encoder struct {
	buf   bytes.Buffer
	index map[string]uint32
	err   error
}

func (e *encoder) align() {
	for e.buf.Len()%8 != 0 {
		e.buf.WriteByte(0)
	}
}

func (e *encoder) data(b []byte) uint32 {
	if off, ok := e.index[string(b)]; ok {
		return off
	}
	e.align()
	off := uint32(e.buf.Len())
	e.buf.Write(b)
	e.index[string(b)] = off
	return off
}

func (e *encoder) str(s string) entry.Str {
	if bytes.IndexByte([]byte(s), 0) >= 0 {
		e.err = errors.Join(e.err, fmt.Errorf("%q has a NUL byte, which no path or variable can have", s))
	}
	return entry.Str{Off: e.data(append([]byte(s), 0)), Len: uint32(len(s))}
}

func (e *encoder) strs(list []string) entry.Table {
	out := make([]entry.Str, len(list))
	for i, s := range list {
		out[i] = e.str(s)
	}
	return table(e, out)
}

func (e *encoder) ops(ops []Op) entry.Table {
	out := make([]entry.Op, len(ops))
	for i, o := range ops {
		r := entry.Op{Nr: uint32(o.Nr), Save: uint8(o.Save)}
		if o.Ignore {
			r.Flags = entry.OpIgnore
		}
		if o.Cold {
			r.Flags |= entry.OpCold
		}
		if len(o.Args) > len(r.Args) || o.Save > entry.Slots {
			e.err = errors.Join(e.err, fmt.Errorf("%s: too many arguments or slots", o.Name))
			continue
		}
		for j, a := range o.Args {
			switch {
			case a.Data != nil:
				r.Kinds[j], r.Args[j] = entry.ArgData, uint64(e.data(a.Data))
			case a.Slot != 0:
				r.Kinds[j], r.Args[j] = entry.ArgSlot, uint64(a.Slot-1)
			case a.Cwd:
				r.Kinds[j] = entry.ArgCwd
			default:
				r.Args[j] = a.Num
			}
		}
		out[i] = r
	}
	return table(e, out)
}

// table writes records, which hold no pointer, as they lie in memory.
func table[T any](e *encoder, records []T) entry.Table {
	e.align()
	t := entry.Table{Off: uint32(e.buf.Len()), Count: uint32(len(records))}
	for i := range records {
		e.buf.Write(raw(&records[i]))
	}
	return t
}

func raw[T any](v *T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(v)), unsafe.Sizeof(*v))
}

// CallThatFailed is the system call of an encoded plan's step; 0 if the bytes
// are not a plan's.
func CallThatFailed(file []byte, stage, op uint32) uintptr {
	o, ok := stepOf(file, stage, op)
	if !ok {
		return 0
	}
	return uintptr(o.Nr)
}

func stepOf(file []byte, stage, op uint32) (o entry.Op, ok bool) {
	if len(file) < entry.HeaderSize || binary.NativeEndian.Uint64(file) != entry.Magic {
		return o, false
	}
	var h entry.Header
	copy(raw(&h), file)
	t := h.Command
	if stage == entry.StagePrepare {
		t = h.Prepare
	}
	at := uint64(t.Off) + uint64(op)*uint64(len(raw(&o)))
	if op >= t.Count || at+uint64(len(raw(&o))) > uint64(len(file)) {
		return o, false
	}
	copy(raw(&o), file[at:])
	return o, true
}

// WhereFailed names the step of an encoded plan that an entry failed at, from
// what the entry said of it. The plan's bytes are not trusted.
func WhereFailed(file []byte, stage, op uint32) string {
	o, ok := stepOf(file, stage, op)
	if !ok {
		return fmt.Sprintf("step %d", op+1)
	}
	s := fmt.Sprintf("step %d, %s", op+1, callName(uintptr(o.Nr)))
	for i, k := range o.Kinds[:len(o.Args)] {
		if k == entry.ArgData && o.Args[i] < uint64(len(file)) {
			text, _, _ := bytes.Cut(file[o.Args[i]:], []byte{0})
			s += " " + string(text)
		}
	}
	return s
}
