package native

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// settings of fontconfig that show the tree's fonts
const fontsName = "fonts.conf"

// fontSettings writes what makes fontconfig find the tree's fonts, for a host
// that has no settings of its own (fonts-conf(5)). They are known as those in
// /usr/share/fonts, as which set-up has described them in its cache.
func (w *writer) fontSettings() error {
	const settings, dir, caches = "/etc/fonts/fonts.conf", "/usr/share/fonts", "/var/cache/fontconfig"
	if _, ok := w.real(settings); !ok {
		return nil
	}
	text := func(path string) string {
		var b strings.Builder
		xml.EscapeText(&b, []byte(path)) // into memory
		return b.String()
	}
	var b strings.Builder
	fmt.Fprintf(&b, "<?xml version=\"1.0\"?>\n<!DOCTYPE fontconfig SYSTEM \"urn:fontconfig:fonts.dtd\">\n<fontconfig>\n\t<include>%s</include>\n", text(w.inHome(settings)))
	if _, ok := w.real(dir); ok {
		fmt.Fprintf(&b, "\t<remap-dir as-path=\"%s\">%s</remap-dir>\n", dir, text(w.inHome(dir)))
	}
	if _, ok := w.real(caches); ok {
		fmt.Fprintf(&b, "\t<cachedir>%s</cachedir>\n", text(w.inHome(caches)))
	}
	b.WriteString("</fontconfig>\n")
	w.fonts = filepath.Join(w.Home, fontsName)
	return os.WriteFile(filepath.Join(w.dir, fontsName), []byte(b.String()), 0o644)
}
