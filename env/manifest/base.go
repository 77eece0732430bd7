package manifest

// defaultBase is what every environment has unless `base` says otherwise: Arch
// packages take these for granted and do not name them as dependencies.
var defaultBase = [...]string{
	"bash", "ca-certificates", "coreutils", "diffutils", "file", "filesystem", "findutils", "gawk",
	"grep", "gzip", "less", "procps-ng", "sed", "tar", "which", "xz",
}

// DefaultBase is the base set of an environment whose devenv.toml does not
// choose one, sorted.
func DefaultBase() []Item {
	items := make([]Item, len(defaultBase))
	for i, name := range defaultBase {
		items[i].Name = name
	}
	return items
}
