//go:build amd64 || arm64 || riscv64

package entry

// entry is what the linker makes the program's first instruction.
func entry()

// sys6 makes a system call. The result is its own, or a negated errno.
//
//go:noescape
func sys6(nr, a0, a1, a2, a3, a4, a5 uintptr) uintptr

// clone is clone(2). The child has the stack that ends at stack, and never
// returns: it calls begin.
func clone(flags, stack, role uintptr) uintptr
