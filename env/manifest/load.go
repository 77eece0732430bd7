package manifest

// Options are the things outside the files that Load depends on. The zero
// Options asks the process and the machine.
type Options struct {
	Getenv   func(string) string // os.Getenv if nil
	Home     string              // the user's home directory
	Hostname string
	Arch     string // the machine's, in Arch's words
	WorkDir  string // what a relative DEVENV_MIRROR is relative to
}

// Variant is the manifest as one kind of machine sees it.
type Variant struct {
	Host     string // the [host.*] section's name; AnyHost for machines that no section names
	Manifest *Manifest
}

// AnyHost is the name of the variant for machines that no section names.
const AnyHost = "*"

// whole is what every view of a manifest is made from.
type whole struct {
	opt Options
}
