// Package manifest reads devenv.toml and all that belongs to it. The language
// is the one of the manual's page on devenv.toml; TOML is read by tomlfile.
//
// Its main type is Manifest: plain data, in which everything that an error
// could point at has its Pos. Load goes on after a fault and reports all of a
// file's; every fault is an *Error with file:line:column, the source line, a
// caret and what to do.
//
// # Where values come from
//
// The files, the least important first:
//
//	$XDG_CONFIG_HOME/devenv/config.toml   the user's; no packages
//	what a file includes                  in the order named, before the file itself
//	devenv.toml                           the project's
//	devenv.local.toml                     beside it, not shared
//	$DEVENV_MIRROR                        servers, archive and keyring together
//
// Each file's [host.*] sections lie over the rest of that file, the general
// ones (build-*) below the special ones (build-7), and below the next file. A
// machine is in every section that matches its name, full or up to the first
// dot.
//
// They are laid over each other so:
//
//   - Tables are merged by key, to any depth. So a file may add one variable,
//     or one configured file to a package that another file pins.
//   - Everything else, arrays among it, is replaced: a later `repos` or
//     `no-extract` stands alone.
//   - A package's version is a value like any other: the more important file's
//     pin holds, and no error arises from what it replaces.
//   - A task and a configured file are replaced as a whole.
//   - [[mirrors.repo]] is merged by name; the more important file's come first.
//
// A relative path begins at the file it stands in; a task's cwd and the command
// of a shell begin at the project.
//
// # Hosts and the lock
//
// One lock serves every machine, so Variants gives the manifest as each kind of
// machine sees it. The kind of a machine is the most special section that names
// it. If two sections name a machine and neither is part of the other, ForHost
// asks for a section of its own rather than choosing.
//
// # Promises
//
// A Manifest is never changed after Load and may be read by any number of
// goroutines. Load writes nothing and uses no network. Add, Set and Remove
// change the text of a devenv.toml in memory, keep every byte they need not
// touch, and check what they made before they return it.
package manifest
