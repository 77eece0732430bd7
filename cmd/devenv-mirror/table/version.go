package table

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

var (
	repacked = regexp.MustCompile(`[.+~]?(?:dfsg|ds|repack|orig)[.~]?\d*(?:\.\d+)*`)
	updates  = regexp.MustCompile(`(?:[+~]deb\d+u|\+b|ubuntu|build)(\d+)(?:\.(\d+))?`)
	notValid = regexp.MustCompile(`[^A-Za-z0-9.+_]`)
)

// archVersion turns a Debian version into pkgver-pkgrel. Debian's epoch goes:
// it says nothing about Arch's. The revision becomes the pkgrel, and updates
// and rebuilds of it its decimals ("12.2.0-14+deb12u1" is 12.2.0-14.1), so
// that different files never have the same name.
func archVersion(debian string) string {
	if _, rest, ok := strings.Cut(debian, ":"); ok {
		debian = rest
	}
	upstream, revision := debian, ""
	if i := strings.LastIndexByte(debian, '-'); i >= 0 {
		upstream, revision = debian[:i], debian[i+1:]
	}
	if revision == "" {
		if loc := updates.FindStringIndex(upstream); loc != nil {
			upstream, revision = upstream[:loc[0]], "1"+upstream[loc[0]:]
		}
	}
	upstream = repacked.ReplaceAllString(upstream, "")
	upstream = strings.ReplaceAll(upstream, "~", "")
	upstream = notValid.ReplaceAllString(upstream, "_")
	return upstream + "-" + pkgrel(revision)
}

var leadingNumber = regexp.MustCompile(`^(\d+)(?:\.(\d+))?`)

func pkgrel(revision string) string {
	main, decimal := 1, 0
	if m := leadingNumber.FindStringSubmatch(revision); m != nil {
		main, _ = strconv.Atoi(m[1])
		decimal, _ = strconv.Atoi(m[2])
		main = max(main, 1)
	}
	for _, m := range updates.FindAllStringSubmatch(revision, -1) {
		for _, digits := range m[1:] {
			if digits != "" {
				n, _ := strconv.Atoi(digits)
				decimal = decimal*100 + n
			}
		}
	}
	if decimal == 0 {
		return strconv.Itoa(main)
	}
	return fmt.Sprintf("%d.%d", main, decimal)
}

// withEpochAndSuffix applies an entry's wishes to pkgver-pkgrel.
func withEpochAndSuffix(version string, epoch int, suffix string) string {
	if suffix != "" {
		pkgver, rel, _ := strings.Cut(version, "-")
		version = pkgver + suffix + "-" + rel
	}
	if epoch > 0 {
		version = fmt.Sprintf("%d:%s", epoch, version)
	}
	return version
}
