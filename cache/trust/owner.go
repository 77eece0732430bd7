package trust

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

// Owner trust in the numbers of gpg --export-ownertrust, which archlinux-trusted
// is written in: how far a key's owner is believed about other people's keys.
const (
	ownerMarginal = 4
	ownerFull     = 5
	ownerUltimate = 6
)

// What it takes to be valid: GnuPG's --completes-needed and --marginals-needed.
const (
	completesNeeded = 1
	marginalsNeeded = 3
)

// parseOwners reads lines "FINGERPRINT:LEVEL:". All keys listed are trusted to be
// whose they say, whatever their level: pacman-key signs them locally.
func parseOwners(data []byte) (map[Fingerprint]int, error) {
	owners := map[Fingerprint]int{}
	err := eachLine(data, func(n int, line string) error {
		name, rest, _ := strings.Cut(line, ":")
		fpr, ok := parseFingerprint(name)
		level := strings.TrimSpace(strings.TrimSuffix(rest, ":"))
		if !ok || len(level) != 1 || level[0] < '2' || level[0] > '6' {
			return fmt.Errorf("line %d: %q is not FINGERPRINT:LEVEL: with a level from 2 to 6", n, printable(line))
		}
		owners[fpr] = int(level[0] - '0')
		return nil
	})
	return owners, err
}

// parseRevoked reads one fingerprint a line.
func parseRevoked(data []byte) (map[Fingerprint]bool, error) {
	revoked := map[Fingerprint]bool{}
	err := eachLine(data, func(n int, line string) error {
		fpr, ok := parseFingerprint(line)
		if !ok {
			return fmt.Errorf("line %d: %q is not a fingerprint", n, printable(line))
		}
		revoked[fpr] = true
		return nil
	})
	return revoked, err
}

// eachLine calls f for each line that is neither blank nor a comment.
func eachLine(data []byte, f func(n int, line string) error) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if err := f(n, line); err != nil {
			return err
		}
	}
	return lines.Err()
}
