package entry

import "unsafe"

// fresh reports whether all that the plan was made from is as it was then.
//
//go:norace
//go:nocheckptr
func fresh(env **byte) bool {
	h := header()
	if !owner() {
		return false
	}
	if sys6(sysUname, p(&uts[0]), 0, 0, 0, 0, 0) != 0 {
		return false
	}
	node := text(h.Node)
	for i := 0; ; i++ {
		if 65+i >= len(uts) || uts[65+i] != at(node, i) {
			return false
		}
		if at(node, i) == 0 {
			break
		}
	}
	for i := uint32(0); i < h.EnvWant.Count; i++ {
		if !wanted(env, text(strAt(h.EnvWant, i))) {
			return false
		}
	}
	if !describes(env) {
		return false
	}
	for i := uint32(0); i < h.Checks.Count; i++ {
		c := (*Check)(unsafe.Pointer(data(uint64(h.Checks.Off) + uint64(i)*uint64(sizeCheck))))
		if !same(c) {
			return false
		}
	}
	return true
}

// describes reports whether the environment has what the host knows of this
// terminal: the plan was made for its name, and with the caller's own places of
// descriptions in view, or the caller has none.
//
//go:norace
//go:nocheckptr
func describes(env **byte) bool {
	h := header()
	term := lookup(env, "TERM")
	if h.Terms.Count == 0 || term == nil || at(term, 0) == 0 {
		return true
	}
	known := false
	for i := uint32(0); i < h.Terms.Count && !known; i++ {
		known = eq(term, text(strAt(h.Terms, i)))
	}
	if !known {
		return false
	}
	if lookup(env, "TERMINFO") == nil && lookup(env, "TERMINFO_DIRS") == nil {
		return true
	}
	for i := uint32(0); i < h.TermEnv.Count; i++ {
		if !wanted(env, text(strAt(h.TermEnv, i))) {
			return false
		}
	}
	return true
}

// owner reports whether the plan was made by this user.
//
//go:norace
//go:nocheckptr
func owner() bool {
	h := header()
	return uint64(sys6(sysGetuid, 0, 0, 0, 0, 0, 0)) == h.UID && uint64(sys6(sysGetgid, 0, 0, 0, 0, 0, 0)) == h.GID
}

// same reports whether a path's stat is what it was.
//
//go:norace
//go:nocheckptr
func same(c *Check) bool {
	r := status(text(c.Path))
	if c.Ino == 0 {
		return r == ^uintptr(enoent-1) || r == ^uintptr(enotdir-1)
	}
	if r != 0 {
		return false
	}
	s := unsafe.Pointer(&stat[0])
	u64 := func(off uintptr) uint64 { return *(*uint64)(unsafe.Add(s, off)) }
	return u64(statDev) == c.Dev && u64(statIno) == c.Ino && u64(statSize) == c.Size &&
		nanoseconds(unsafe.Add(s, statMtime)) == c.Mtime && nanoseconds(unsafe.Add(s, statCtime)) == c.Ctime
}

// nanoseconds is the time of two machine words, seconds and nanoseconds.
//
//go:norace
//go:nocheckptr
func nanoseconds(t unsafe.Pointer) int64 {
	v := (*[2]int)(t)
	return int64(v[0])*1e9 + int64(v[1])
}

// wanted reports whether "NAME=VALUE" stands in the environment, or, for
// "NAME", that no variable of that name does.
//
//go:norace
//go:nocheckptr
func wanted(env **byte, w *byte) bool {
	for i := 0; ; i++ {
		e := elem(env, i)
		if e == nil {
			break
		}
		for j := 0; ; j++ {
			a, b := at(e, j), at(w, j)
			if a == b && a != 0 {
				continue
			}
			if a == 0 && b == 0 {
				return true
			}
			if a == '=' && b == 0 {
				return false // must not be set
			}
			break
		}
	}
	for j := 0; at(w, j) != 0; j++ {
		if at(w, j) == '=' {
			return false
		}
	}
	return true
}

// choose makes the command's argument vector. It reports false for a task.
//
//go:norace
//go:nocheckptr
func choose(argc int, argv **byte) bool {
	h := header()
	if equal(elem(argv, 1), "enter") {
		return vector(argv, argc, argc)
	}
	first := 2
	if equal(elem(argv, 2), "--") {
		first = 3
	} else {
		for i := uint32(0); i < h.Tasks.Count; i++ {
			if eq(elem(argv, 2), text(strAt(h.Tasks, i))) {
				return false
			}
		}
	}
	return vector(argv, first, argc)
}

// vector makes args of argv[first:argc], of the plan's shell if that is empty.
//
//go:norace
//go:nocheckptr
func vector(argv **byte, first, argc int) bool {
	n := 0
	for i := first; i < argc; i++ {
		if uint(n) >= maxArgs-2 {
			return false
		}
		args[n] = p(elem(argv, i))
		n++
	}
	if first >= argc {
		isShell = true
		shell := header().Shell
		for i := uint32(0); i < shell.Count; i++ {
			if uint(n) >= maxArgs-2 {
				return false
			}
			args[n] = p(text(strAt(shell, i)))
			n++
		}
	}
	args[n] = 0
	return n > 0
}

//go:norace
//go:nocheckptr
func eq(a, b *byte) bool {
	for i := 0; ; i++ {
		if at(a, i) != at(b, i) {
			return false
		}
		if at(a, i) == 0 {
			return true
		}
	}
}

// environ makes the command's environment: the caller's, less what the plan
// drops or sets, and what it sets, for the shell of enter once more.
//
//go:norace
//go:nocheckptr
func environ(env **byte) bool {
	h := header()
	n := 0
	for i := 0; ; i++ {
		e := elem(env, i)
		if e == nil {
			break
		}
		if dropped(h, e) {
			continue
		}
		if uint(n) >= maxEnv-1 {
			return false
		}
		envp[n] = p(e)
		n++
	}
	n = setAll(h.EnvSet, n)
	if isShell {
		n = setAll(h.EnvOnce, n)
	}
	if uint(n) >= maxEnv {
		return false
	}
	envp[n] = 0
	return true
}

// setAll puts the variables of a table into envp, from n on, and gives where
// they end: maxEnv if there is no room.
//
//go:norace
//go:nocheckptr
func setAll(t Table, n int) int {
	for i := uint32(0); i < t.Count; i++ {
		if uint(n) >= maxEnv-1 {
			return maxEnv
		}
		envp[n] = p(text(strAt(t, i)))
		n++
	}
	return n
}

//go:norace
//go:nocheckptr
func dropped(h *Header, e *byte) bool {
	if h.EnvKeep.Count > 0 && !named(h.EnvKeep, e) || named(h.EnvDrop, e) {
		return true
	}
	for i := uint32(0); i < h.EnvSet.Count; i++ {
		w := text(strAt(h.EnvSet, i))
		for j := 0; ; j++ {
			a := at(e, j)
			if a != at(w, j) || a == 0 {
				break
			}
			if a == '=' {
				return true
			}
		}
	}
	return false
}

// named reports whether a table of "NAME" and "PREFIX*" has the variable e.
//
//go:norace
//go:nocheckptr
func named(t Table, e *byte) bool {
	for i := uint32(0); i < t.Count; i++ {
		w := text(strAt(t, i))
		for j := 0; ; j++ {
			a, b := at(e, j), at(w, j)
			if b == '*' || a == '=' && b == 0 {
				return true
			}
			if a != b || a == 0 {
				break
			}
		}
	}
	return false
}
