package tomlfile

import (
	"fmt"
	"strings"
)

// Quote writes a string as TOML has it.
func Quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// Key writes a key as TOML has it: in quotes where it needs them.
func Key(key string) string {
	bare := "-_0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	if key == "" || strings.Trim(key, bare) != "" {
		return Quote(key)
	}
	return key
}
