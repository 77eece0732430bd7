// Package native runs single programs of a tree on the host as it is: without
// any privilege or namespace, with true user ids, and free to trace the host's
// processes.
//
// [Spec.Write] fills a directory with launchers, one for each program of the
// tree. A launcher starts the program under the tree's own dynamic linker, with
// the tree's libraries and the few arguments and variables that make the program
// find its data (table.go). No variable tells the linker anything: what a
// program starts in its turn is the host's, and must not get our libraries.
//
//	HOME/bin/           on PATH: the commands of the packages that were asked for
//	HOME/fs/usr/bin/    a launcher for every program of the tree
//	HOME/fs/usr/lib/…   the tree's directories; those that hold programs, as
//	                    git-core does, with launchers in them, else links
//	HOME/fs/usr/share   a link into the tree
//
// So HOME/fs/usr is a prefix like any other: a program that looks for its data
// beside itself, as python, gdb and fish do, finds launchers and data there.
//
// # The launcher
//
// On x86-64 it is a program of some two kilobytes. It does not execute the
// dynamic linker, it maps it as the kernel would have done and jumps to it: no
// second execve(2), and /proc/PID/exe, comm and cmdline are the launcher's, so
// that ps(1) and pkill(1) see "gdb -p 42", and a program that executes
// /proc/self/exe comes through the launcher again. Elsewhere it is a script for
// /bin/sh, which executes the dynamic linker.
//
// It follows ld.so(8) and getauxval(3).
//
// What is here is safe for concurrent use, as long as no two calls write into
// one directory. A directory is of no use before Write has returned: make it
// aside, and rename it.
package native
