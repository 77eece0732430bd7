// Package sandbox says what an entry into an environment is: which mounts,
// which identity, which variables. It puts that down as an entry [Plan], a
// list of system calls with the stat of all that it was made from, which
// package entry runs, this and every later time, without any Go runtime.
//
// # The order of an entry
//
// [Build] makes the list; read it there step by step. In short, for a user:
// a user namespace with one mapped id, oneself, and a pid namespace; in it a
// mount namespace; a tmpfs that holds what is written; on it an overlay of the
// host layer, the set-up layer and the flattened tree; on that every top-level
// directory of the host that is not the environment's; pivot_root(2), the old
// root detached; no_new_privs, no capability left; the command.
//
// Root with CAP_SYS_ADMIN makes no user namespace and keeps its capabilities.
//
// It is no security boundary against the user's own programs, it is one
// against accidents (docs/architecture.md).
//
// Functions are safe for concurrent use; a Plan is plain data.
package sandbox
