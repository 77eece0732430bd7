// Package entry runs an entry plan: it turns the process that the kernel just
// started into the command inside the environment, before the Go runtime has
// begun. Its one input is a plan file (see [Header]), its one effect is a list
// of system calls (see [Op]).
//
// # How a warm entry goes
//
// The linker makes this package's entry function the program's first
// instruction (-ldflags "-E devenv/env/sandbox/entry.entry"). It
//
//  1. looks at the arguments: only "run [--] CMD…" and "enter" are warm forms;
//  2. finds devenv.toml upward of the working directory, and the plan that
//     belongs to it in the cache;
//  3. compares the stat of everything that the plan was made from, and the few
//     variables that it depends on;
//  4. runs the plan's system calls, see below;
//  5. if anything above is missing or different, starts the Go runtime as if
//     nothing had been. Ordinary Go then makes a new plan, or says what is
//     wrong.
//
// # Three processes
//
//	A, the process that was started: makes the user and pid namespaces, waits
//	   for C, passes signals on to it, and exits as it did;
//	B, pid 1 of the new pid namespace: reaps orphans, and ends when A ends,
//	   however that happens. With it the kernel ends every process inside;
//	C, the command: makes the mount namespace, mounts, gives up every
//	   privilege, and executes.
//
// C is a child of A, not of B, so A sees its exit status and its stops as they
// are. B and C share A's memory until C executes: nothing is copied. A plan
// without [FlagPidNS] has only one process, which becomes the command.
//
// A command that has the terminal for itself, as the shell of enter, is the
// leader of a process group of its own, made in its pid namespace, and A gives it
// the terminal and takes it back; any other stays in A's group (terminal.go).
//
// With [FlagAfter] something is left to do when the command has ended. Then A is
// the child of a process that no namespace holds: it does for A what A does for
// C, and the Go runtime starts in it afterwards. If it is killed A dies with it.
//
// Where the Go runtime starts at all, [Caller] keeps what it changes of what the
// caller gave: signals and closed descriptors.
//
// # What may stand here
//
// The code runs without a Go runtime: no allocation, no panic, no map, no
// interface, no goroutine, no import but unsafe. A test reads the machine code
// and names each call that leaves the package.
//
// Where the entry point is not ours (go run, -race, an ordinary go build, a
// machine that there is no assembly for), main calls [Fork] and the same code
// runs in a child, on a copy of the Go program's memory.
//
// # Another machine
//
// Its system calls' numbers and its struct stat are in a file sys_GOARCH.go. That
// is all that [Fork] needs. An entry_GOARCH.s, of three functions, makes the
// entry the program's first instruction.
package entry
