package manifest

import "devenv/env/manifest/tomlfile"

// Template is the devenv.toml that `devenv init` writes, for a machine's day
// ("" for the mirrors of today).
func Template(day string) []byte {
	snapshot := `# snapshot = "2026-11-20"`
	if day != "" {
		snapshot = "snapshot = " + tomlfile.Quote(day)
	}
	return []byte(`# The tools of this project. ` + "`devenv enter`" + ` starts a shell that has them.
# ` + "`devenv search WORD`" + ` finds packages by what they do.

# A day of the Arch Linux Archive: the same versions for everybody, for ever.
# Without it the versions of devenv.lock hold until ` + "`devenv update`" + `.
` + snapshot + `

[packages]
# make  = "*"
# gcc   = "14.2.1"
# cmake = ">=3.28, <4"

[env]
# CC = "gcc"

[tasks]
# build = "make -j"
`)
}
