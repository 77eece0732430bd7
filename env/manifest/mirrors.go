package manifest

import (
	"slices"
	"strings"
)

// The mirrors of Arch Linux, where a manifest names none.
const (
	DefaultServer  = "https://geo.mirror.pkgbuild.com/$repo/os/$arch"
	DefaultArchive = "https://archive.archlinux.org"
)

// mergedCommunity is the first day without the repository community: its
// packages went into extra.
const mergedCommunity = "2023-05-21"

// The values of SigLevel.
const (
	SigRequired = "required"
	SigOptional = "optional"
	SigNever    = "never"
)

// Mirrors says where packages come from and who must have signed them. Where a
// URL can stand, an absolute directory can, too.
type Mirrors struct {
	Servers      []Item // with $repo and $arch; see ServerURL
	Archive      string // without trailing slash
	ArchivePos   Pos
	Repos        []Item // in order of preference
	ReposDefault bool   // nobody chose Repos
	Keyring      string // URL or absolute path; "" for the archlinux-keyring package
	KeyringPos   Pos
	// KeyringOptional: a DEVENV_MIRROR that is a URL has a keyring if Keyring
	// can be fetched; if it does not exist, the archlinux-keyring package is
	// meant.
	KeyringOptional bool
	SigLevel        string
	SigLevelPos     Pos
	Extra           []ExtraRepo
	FromEnv         string // the DEVENV_MIRROR that replaced servers, archive and keyring; or ""
}

// ExtraRepo is a [[mirrors.repo]]: somebody's own repository.
type ExtraRepo struct {
	Name     string
	Pos      Pos
	Servers  []Item // as in Mirrors
	Keyring  string // "" for the one of Mirrors
	SigLevel string // that of Mirrors if it has none of its own
}

// Repository is one repository to look in.
type Repository struct {
	Name            string
	Pos             Pos
	Servers         []Item
	Keyring         string // as in Mirrors
	KeyringOptional bool
	SigLevel        string
	Extra           bool // has servers of its own and no archive
}

// ReposFor is Arch's own repositories as they were on a day, "" for today.
func ReposFor(day string) []string {
	if day != "" && day < mergedCommunity {
		return []string{"core", "extra", "community"}
	}
	return []string{"core", "extra"}
}

// Repositories is where to look on a day ("" for today), in order of
// preference: those of Repos, of which an ExtraRepo may be one, then the other
// ExtraRepos.
func (m *Mirrors) Repositories(day string) []Repository {
	names := m.Repos
	if m.ReposDefault {
		names = nil
		for _, name := range ReposFor(day) {
			names = append(names, Item{Name: name})
		}
	}
	var out []Repository
	for _, r := range names {
		if i := slices.IndexFunc(m.Extra, func(x ExtraRepo) bool { return x.Name == r.Name }); i >= 0 {
			out = append(out, m.Extra[i].repository(m))
			continue
		}
		out = append(out, Repository{Name: r.Name, Pos: r.Pos, Servers: m.Servers, Keyring: m.Keyring, KeyringOptional: m.KeyringOptional, SigLevel: m.SigLevel})
	}
	for i := range m.Extra {
		if !slices.ContainsFunc(names, func(r Item) bool { return r.Name == m.Extra[i].Name }) {
			out = append(out, m.Extra[i].repository(m))
		}
	}
	return out
}

func (x *ExtraRepo) repository(m *Mirrors) Repository {
	r := Repository{Name: x.Name, Pos: x.Pos, Servers: x.Servers, Keyring: x.Keyring, SigLevel: x.SigLevel, Extra: true}
	if r.Keyring == "" {
		r.Keyring, r.KeyringOptional = m.Keyring, m.KeyringOptional
	}
	return r
}

// ServerURL fills in a server's $repo and $arch.
func ServerURL(server, repo, arch string) string {
	return strings.NewReplacer("$repo", repo, "$arch", arch).Replace(server)
}

// setDefaults fills in what no file says.
func (m *Mirrors) setDefaults() {
	if m.Servers == nil {
		m.Servers = []Item{{Name: DefaultServer}}
	}
	if m.Archive == "" {
		m.Archive = DefaultArchive
	}
	if m.Repos == nil {
		m.ReposDefault = true
		for _, name := range ReposFor("") {
			m.Repos = append(m.Repos, Item{Name: name})
		}
	}
	if m.SigLevel == "" {
		m.SigLevel = SigRequired
	}
	for i := range m.Extra {
		if m.Extra[i].SigLevel == "" {
			m.Extra[i].SigLevel = m.SigLevel
		}
	}
}
