package entry

import "unsafe"

// The fake thread-local storage and g that compiled Go runs with before the
// runtime starts, and the stack pointer that the kernel gave us.
var (
	fakeTLS [4]uintptr
	fakeG   [64]uintptr
	savedSP uintptr
)

// Everything that an entry needs is here: nothing can be allocated.
var (
	file     [MaxPlan + 8]byte
	cwd      [pathMax]byte
	path     [pathMax + 64]byte
	target   [pathMax + 64]byte
	stat     [256]byte
	uts      [6 * 65]byte
	envp     [maxEnv]uintptr // not *byte: the collector need not look
	args     [maxArgs]uintptr
	planName uintptr
	isShell  bool // args are those of enter's shell
	slots    [Slots]uintptr
	oldMask  uint64
	oldChld  sigaction

	cStack [65536]byte
	bStack [4096]byte
)

const (
	pathMax = 4096

	// No caller can pass more: the kernel takes 6 MiB, and each string is at
	// least its pointer and a NUL. What is not used costs nothing.
	maxEnv  = 700 << 10
	maxArgs = 700 << 10

	atFdcwd  = ^uintptr(99)
	oCloexec = 0x80000
	oPath    = 0x200000
	fGetfd   = 1
	lastFD   = 1<<32 - 1 // for close_range(2)

	errMin  = ^uintptr(4094) // results from here up are negated errnos
	enoent  = 2
	eintr   = 4
	enoexec = 8
	eacces  = 13
	enotdir = 20
	einval  = 22
)

// p is the address of b for the kernel.
//
//go:norace
//go:nocheckptr
func p(b *byte) uintptr { return uintptr(unsafe.Pointer(b)) }

// lit is the address of a constant that ends with NUL.
//
//go:norace
//go:nocheckptr
func lit(s string) uintptr { return uintptr(unsafe.Pointer(unsafe.StringData(s))) }

// ptr is the reverse of p.
//
//go:norace
//go:nocheckptr
func ptr(a uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&a)) }

//go:norace
//go:nocheckptr
func at(b *byte, i int) byte { return *(*byte)(unsafe.Add(unsafe.Pointer(b), i)) }

//go:norace
//go:nocheckptr
func elem(v **byte, i int) *byte {
	return *(**byte)(unsafe.Add(unsafe.Pointer(v), uintptr(i)*unsafe.Sizeof(uintptr(0))))
}

//go:norace
//go:nocheckptr
func isErr(r uintptr) bool { return r >= errMin }

// status fills stat with what stat(2) says of a path.
//
//go:norace
//go:nocheckptr
func status(name *byte) uintptr {
	return sys6(sysFstatat, atFdcwd, p(name), p(&stat[0]), 0, 0, 0)
}

// equal reports whether the C string b is s.
//
//go:norace
//go:nocheckptr
func equal(b *byte, s string) bool {
	for i := 0; i < len(s); i++ {
		if at(b, i) != s[i] {
			return false
		}
	}
	return at(b, len(s)) == 0
}

// early is called by the entry point with the kernel's stack: argc, argv, NULL,
// envp, NULL. It returns if the program should start as usual.
//
//go:norace
//go:nocheckptr
func early(sp *uintptr) {
	argc := int(*sp)
	argv := (**byte)(unsafe.Add(unsafe.Pointer(sp), unsafe.Sizeof(uintptr(0))))
	env := (**byte)(unsafe.Add(unsafe.Pointer(argv), uintptr(argc+1)*unsafe.Sizeof(uintptr(0))))
	if argc > 2 && equal(elem(argv, 1), Prepared) {
		planName = p(elem(argv, 2))
		if load(elem(argv, 2)) && letGo(elem(argv, 2)) && owner() && getcwd() > 0 && vector(argv, 3, argc) && environ(env) {
			run()
		}
	} else if warmForm(argc, argv) && find(env) && fresh(env) && choose(argc, argv) && environ(env) {
		run()
	}
	remember()
}

// Prepared is the first argument of "devenv _plan FILE [CMD…]": run this very
// plan. Ordinary Go ends with it when it has made one.
const Prepared = "_plan"

// Failed is the first argument of "devenv _failed STAGE OP ERRNO PLAN CMD": put
// a failed entry into words.
const Failed = "_failed"

// getcwd fills cwd and returns its length, 0 if there is none to be had.
//
//go:norace
//go:nocheckptr
func getcwd() int {
	n := sys6(sysGetcwd, p(&cwd[0]), pathMax, 0, 0, 0, 0)
	if n < 2 || n > pathMax || cwd[0] != '/' {
		return 0
	}
	return int(n) - 1
}

// warmForm reports whether the arguments are "run [--] CMD…" or "enter": what
// takes options is for ordinary Go.
//
//go:norace
//go:nocheckptr
func warmForm(argc int, argv **byte) bool {
	if argc < 2 {
		return false
	}
	if equal(elem(argv, 1), "enter") {
		return argc == 2
	}
	if !equal(elem(argv, 1), "run") || argc < 3 {
		return false
	}
	if equal(elem(argv, 2), "--") {
		return argc > 3
	}
	return at(elem(argv, 2), 0) != '-'
}

// find reads the plan of the project that the working directory lies in.
//
//go:norace
//go:nocheckptr
func find(env **byte) bool {
	l := getcwd()
	if l == 0 {
		return false
	}
	for {
		if !join(l, "/devenv.toml\x00") {
			return false
		}
		if status(&path[0]) == 0 {
			break
		}
		l--
		for l > 0 && l < pathMax && cwd[l] != '/' {
			l--
		}
		if l <= 0 {
			return false // a devenv.toml in / itself is for ordinary Go
		}
	}
	planName = p(&path[0])
	if !planPath(env, Key(&cwd[0], l)) || !load(&path[0]) {
		return false
	}
	h := header()
	if int(h.Project.Len) != l {
		return false
	}
	name := text(h.Project)
	for i := 0; i < l; i++ {
		if i >= pathMax || at(name, i) != cwd[i] {
			return false
		}
	}
	return true
}

// load reads a plan file.
//
//go:norace
//go:nocheckptr
func load(name *byte) bool {
	fd := sys6(sysOpenat, atFdcwd, p(name), oCloexec, 0, 0, 0)
	if isErr(fd) {
		return false
	}
	size := sys6(sysRead, fd, p(&file[0]), MaxPlan, 0, 0, 0)
	sys6(sysClose, fd, 0, 0, 0, 0, 0)
	if isErr(size) || size < sizeHeader {
		return false
	}
	h := header()
	return h.Magic == Magic && h.Size == uint64(size) && h.Sum == Checksum(&file[sizeHeader], int(size-sizeHeader))
}

// letGo closes the descriptor of a plan that was given as /proc/self/fd/N.
//
//go:norace
//go:nocheckptr
func letGo(name *byte) bool {
	const dir = "/proc/self/fd/"
	for i := 0; i < len(dir); i++ {
		if at(name, i) != dir[i] {
			return true
		}
	}
	fd := uintptr(0)
	for i := len(dir); at(name, i) >= '0' && at(name, i) <= '9'; i++ {
		fd = fd*10 + uintptr(at(name, i)-'0')
	}
	sys6(sysClose, fd, 0, 0, 0, 0, 0)
	return true
}

// join makes path of the first l bytes of cwd and a constant that ends with NUL.
//
//go:norace
//go:nocheckptr
func join(l int, s string) bool {
	if l < 0 || l >= pathMax {
		return false
	}
	for i := 0; i < l; i++ {
		path[i] = cwd[i]
	}
	for i := 0; i < len(s); i++ {
		if uint(l+i) >= uint(len(path)) {
			return false
		}
		path[l+i] = s[i]
	}
	return true
}

// planPath makes path the plan file's name: in DEVENV_CACHE_DIR, in
// XDG_CACHE_HOME/devenv, or in HOME/.cache/devenv, as package cache has it.
//
//go:norace
//go:nocheckptr
func planPath(env **byte, key uint64) bool {
	tail := ""
	dir := lookup(env, "DEVENV_CACHE_DIR")
	if dir == nil || at(dir, 0) == 0 {
		dir, tail = lookup(env, "XDG_CACHE_HOME"), "/devenv"
		if dir == nil || at(dir, 0) != '/' {
			dir, tail = lookup(env, "HOME"), "/.cache/devenv"
		}
	}
	if dir == nil || at(dir, 0) != '/' {
		return false
	}
	n := 0
	for ; at(dir, n) != 0; n++ {
		if n >= pathMax-64 {
			return false
		}
		path[n] = at(dir, n)
	}
	n = put(n, tail)
	n = put(n, "/plans/")
	for s := 60; s >= 0; s -= 4 {
		d := byte(key >> uint(s) & 15)
		if d < 10 {
			d += '0'
		} else {
			d += 'a' - 10
		}
		if uint(n) >= uint(len(path)) {
			return false
		}
		path[n] = d
		n++
	}
	if uint(n) >= uint(len(path)) {
		return false
	}
	path[n] = 0
	return true
}

//go:norace
//go:nocheckptr
func put(n int, s string) int {
	for i := 0; i < len(s); i++ {
		if uint(n) < uint(len(path)) {
			path[n] = s[i]
			n++
		}
	}
	return n
}

// lookup is getenv(3).
//
//go:norace
//go:nocheckptr
func lookup(env **byte, name string) *byte {
	for i := 0; ; i++ {
		e := elem(env, i)
		if e == nil {
			return nil
		}
		if v := value(e, name); v != nil {
			return v
		}
	}
}

// value is what follows "NAME=" in e, nil if e is another variable.
//
//go:norace
//go:nocheckptr
func value(e *byte, name string) *byte {
	for j := 0; j < len(name); j++ {
		if at(e, j) != name[j] {
			return nil
		}
	}
	if at(e, len(name)) != '=' {
		return nil
	}
	return (*byte)(unsafe.Add(unsafe.Pointer(e), len(name)+1))
}

//go:norace
//go:nocheckptr
func header() *Header { return (*Header)(unsafe.Pointer(&file[0])) }

// data is the address of an offset in the plan. The plan's own bounds are
// checked once, by the ordinary Go that wrote it; the sum says it is whole.
//
//go:norace
//go:nocheckptr
func data(off uint64) *byte {
	return (*byte)(unsafe.Add(unsafe.Pointer(&file[0]), uintptr(off)&(MaxPlan-1)))
}

//go:norace
//go:nocheckptr
func text(s Str) *byte { return data(uint64(s.Off)) }

//go:norace
//go:nocheckptr
func strAt(t Table, i uint32) Str {
	return *(*Str)(unsafe.Pointer(data(uint64(t.Off) + uint64(i)*uint64(sizeStr))))
}
