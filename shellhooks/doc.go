// Package shellhooks knows the shells: how each is started inside an
// environment, how it activates one when a directory is entered, and how it is
// told to set a variable. One file a shell, behind [Shell]; what a shell reads
// stands in scripts/ as the shell itself would have it.
//
// # Inside an environment
//
// The user's own start-up files run as always. Afterwards the shell settles:
// PATH is the environment's again, and of what the files put there only
// directories below the home directory stay, at its end; the environment's
// variables have their values again; aliases are defined; the prompt begins
// with "(NAME) "; and in the first shell of an entry the on-enter commands run,
// in the shell itself and in its own language. One that fails is told and ends
// nothing.
//
// Shells that are started later (a bash in a zsh, a window of tmux, a script of
// zsh or fish) settle too, from the values that they were started with: a
// variable that was changed on purpose stays changed. They find the way through
// the files that a shell of that kind always reads, which is why a [File] may
// have to be put behind one of the environment's own.
//
// # Outside: the hook
//
// The hook compares, at each prompt and without starting a process, the working
// directory and the modification times of the files that mattered. Only if one
// of them changed does it run "devenv _export SHELL", whose answer sets and
// unsets variables ([Diff]) and names the files to watch. What was changed, with
// the values from before, travels in one variable, as with direnv. A project is
// activated only after its owner allowed it.
//
// Everything here is plain functions on plain data and safe for concurrent use.
// The allow store is written by rename: a crash leaves a decision made or not
// made.
package shellhooks
