package manifest

// Mirrors says where packages come from and who must have signed them.
type Mirrors struct {
	Servers      []Item // URL templates with $repo and $arch, or directories made into file:// URLs
	Archive      string // URL without trailing slash
	ArchivePos   Pos
	Repos        []Item // in order of preference; see ReposFor
	ReposDefault bool
	Keyring      string // URL or path; "" for the archlinux-keyring package
	KeyringPos   Pos
	// KeyringOptional: use Keyring only if it exists (a DEVENV_MIRROR that is
	// a URL may have one).
	KeyringOptional bool
	SigLevel        string
	SigLevelPos     Pos
	Extra           []ExtraRepo // in the order written
	FromEnv         string      // the DEVENV_MIRROR that replaced servers, archive and keyring; or ""
}

// ExtraRepo is a [[mirrors.repo]].
type ExtraRepo struct {
	Name     string
	Servers  []Item
	Keyring  string // "" for the main one
	SigLevel string // of the main one if not given
	Pos      Pos
}

// The values of SigLevel.
const (
	SigRequired = "required"
	SigOptional = "optional"
	SigNever    = "never"
)
