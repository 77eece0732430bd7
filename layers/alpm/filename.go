package alpm

import "strings"

// SplitNameVersion takes NAME-PKGVER-PKGREL apart at its last two dashes, as
// the directories of databases are called.
func SplitNameVersion(s string) (name, version string, ok bool) {
	rel := strings.LastIndexByte(s, '-')
	if rel <= 0 {
		return "", "", false
	}
	ver := strings.LastIndexByte(s[:rel], '-')
	if ver <= 0 || ver+1 == rel || rel+1 == len(s) {
		return "", "", false
	}
	return s[:ver], s[ver+1:], true
}

// ParseFilename takes a package file's name apart: NAME-VERSION-ARCH with or
// without .pkg.tar, a compression's suffix and .sig. The archive's index has
// the form without.
func ParseFilename(file string) (name, version, arch string, ok bool) {
	if i := strings.LastIndex(file, ".pkg.tar"); i >= 0 {
		if !isPackageSuffix(file[i:]) {
			return "", "", "", false
		}
		file = file[:i]
	}
	dash := strings.LastIndexByte(file, '-')
	if dash < 0 || dash+1 == len(file) || strings.ContainsAny(file, "/\x00\n") {
		return "", "", "", false
	}
	name, version, ok = SplitNameVersion(file[:dash])
	return name, version, file[dash+1:], ok
}

// isPackageSuffix knows .pkg.tar, its compressions, and signatures of those.
func isPackageSuffix(s string) bool {
	s = strings.TrimSuffix(strings.TrimPrefix(s, ".pkg.tar"), ".sig")
	return s == "" || s[0] == '.' && !strings.ContainsAny(s[1:], "./-") && len(s) > 1
}
