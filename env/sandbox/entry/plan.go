package entry

import "unsafe"

// Magic starts every plan file; its last byte is the format's version.
const Magic uint64 = 'd' | 'e'<<8 | 'v'<<16 | 'e'<<24 | 'n'<<32 | 'v'<<40 | 'P'<<48 | '2'<<56

// MaxPlan is the largest plan file, in bytes. A larger one is not warm.
const MaxPlan = 256 << 10

// Header is the start of a plan file: little-endian, 8-byte aligned. Tables
// and strings follow it in any order.
type Header struct {
	Magic   uint64
	Size    uint64 // of the file, in bytes
	Sum     uint64 // Checksum of all that follows the header
	UID     uint64 // who may use this plan
	GID     uint64
	Flags   uint64
	Project Str // absolute path of the directory that holds devenv.toml
	Node    Str // the host name that it was made for

	Checks  Table // of Check
	EnvWant Table // of Str: "NAME=VALUE", or "NAME" for a variable that must not be set
	EnvDrop Table // of Str: "NAME" or "PREFIX*": variables that do not pass
	EnvKeep Table // of Str: if there are any, no other variable passes
	EnvSet  Table // of Str: "NAME=VALUE": variables that are set
	Terms   Table // of Str: values of TERM that it was made for; none: all
	TermEnv Table // of Str, as EnvWant: where descriptions of terminals were looked for
	EnvOnce Table // of Str: "NAME=VALUE": variables that are set for the shell of enter besides
	Tasks   Table // of Str: first words of run that are tasks, not commands
	Path    Table // of Str: where run looks for the command; each ends with "/"
	Shell   Table // of Str: the argument vector of enter
	Prepare Table // of Op: run by A
	Command Table // of Op: run by C
}

// Flags of a plan.
const (
	FlagPidNS  uint64 = 1 << iota // the command gets a pid namespace of its own
	FlagUserNS                    // for the reader: the plan makes a user namespace
	FlagAfter                     // something is to be done when the command has ended: see [Ended]
)

// Str is a NUL-terminated string in the file; Len does not count the NUL.
type Str struct{ Off, Len uint32 }

// Table is Count records at Off.
type Table struct{ Off, Count uint32 }

// Check is what stat(2) said of one path when the plan was made. A path that
// was not there has Ino 0.
type Check struct {
	Path  Str
	Dev   uint64
	Ino   uint64
	Size  uint64
	Mtime int64 // nanoseconds since 1970
	Ctime int64
}

// Op is one system call. An argument is a number, or something that is only
// known when it runs: Kinds says which. A result can be kept in a slot for a
// later call. An Op that fails ends the entry unless OpIgnore is set.
type Op struct {
	Nr    uint32
	Flags uint16
	Save  uint8 // slot+1 that receives the result, 0 for none
	_     uint8
	Kinds [8]uint8 // of Args; the last two are unused
	Args  [6]uint64
}

// Flags of an Op.
const (
	OpIgnore uint16 = 1 << iota // go on if the call fails
	OpCold                      // if the call fails the entry is not warm: nothing has been changed yet
)

// Kinds of an argument.
const (
	ArgNum  uint8 = iota // the number itself
	ArgData              // offset of bytes in the file
	ArgSlot              // the result kept in that slot
	ArgCwd               // the working directory's path
)

// Slots is how many results an entry can keep. The last Held of them are
// descriptors that stay open for as long as the command runs: in the process
// that waits for it, or, where there is none, in the command.
const (
	Slots = 16
	Held  = 6
)

const (
	sizeHeader = unsafe.Sizeof(Header{})
	sizeOp     = unsafe.Sizeof(Op{})
	sizeCheck  = unsafe.Sizeof(Check{})
	sizeStr    = unsafe.Sizeof(Str{})
)

// HeaderSize is the length of a Header in the file, in bytes.
const HeaderSize = int(sizeHeader)

// Checksum is the sum in a plan's header: it finds a file that a crash left
// half-written, not one that somebody forged. b's length is rounded down to
// whole words.
//
//go:norace
//go:nocheckptr
func Checksum(b *byte, n int) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i+8 <= n; i += 8 {
		h ^= *(*uint64)(unsafe.Add(unsafe.Pointer(b), i))
		h *= 1099511628211
		h ^= h >> 29
	}
	return h
}

// Key names a project's plan file: the FNV-1a hash of its path.
//
//go:norace
//go:nocheckptr
func Key(path *byte, n int) uint64 {
	h := uint64(14695981039346656037)
	for i := 0; i < n; i++ {
		h ^= uint64(*(*byte)(unsafe.Add(unsafe.Pointer(path), i)))
		h *= 1099511628211
	}
	return h
}
