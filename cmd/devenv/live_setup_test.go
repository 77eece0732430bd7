package main_test

import (
	"bytes"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestSetUpWorks builds one environment from the local mirror, whose packages
// are real ones, and uses what only set-up makes, as an unprivileged user.
func TestSetUpWorks(t *testing.T) {
	mirror := os.Getenv("DEVENV_TEST_MIRROR")
	if mirror == "" {
		t.Skip("DEVENV_TEST_MIRROR names no mirror: make mirror makes one")
	}
	for _, name := range []string{"git", "gdb", "pacman", "gtk3", "xorg-server-xvfb"} {
		if found, _ := filepath.Glob(mirror + "/*/os/x86_64/" + name + "-[0-9]*.pkg.tar.*"); len(found) == 0 {
			t.Skipf("the mirror %s has no %s: it is a small one", mirror, name)
		}
	}
	if !asNobody(t) {
		return
	}
	dir := t.TempDir()
	project := filepath.Join(dir, "project")
	if err := os.MkdirAll(project, 0o755); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewTLSServer(http.FileServer(http.Dir(project)))
	defer server.Close()
	ca := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	toml := fmt.Sprintf(`[packages]
gdb = "*"
gcc = "*"
make = "*"
pacman = "*"
fakeroot = "*"
util-linux = "*"
gtk3 = "*"
fontconfig = "*"
xorg-server-xvfb = "*"
[packages.libcap]
version = "*"
files = { "/etc/pacman.d/hooks/caps.hook" = "[Trigger]\nType = Package\nOperation = Install\nTarget = gdb\n[Action]\nWhen = PostTransaction\nExec = /usr/bin/setcap cap_net_raw+ep /usr/bin/gdb\n" }
[packages.git]
version = "*"
files = { "/etc/ca-certificates/trust-source/anchors/test.crt" = %q, "/etc/gitconfig" = "[user]\n\tname = me\n\temail = me@example.org\n" }
[locale]
generate = ["de_DE.UTF-8"]
`, ca)
	if err := os.WriteFile(project+"/devenv.toml", []byte(toml), 0o644); err != nil {
		t.Fatal(err)
	}
	inside := func(t *testing.T, script string) string {
		t.Helper()
		cmd := exec.Command(shared.devenv, "run", "--", "bash", "-c", "set -e; "+script)
		cmd.Dir = project
		cmd.Env = []string{"HOME=" + dir, "PATH=/nonexistent", "DEVENV_MIRROR=" + mirror, "DEVENV_CACHE_DIR=" + dir + "/cache", "NO_COLOR=1"}
		var out, words bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &words
		if err := cmd.Run(); err != nil {
			t.Fatalf("%s: %v\n%s%s", script, err, out.String(), words.String())
		}
		return out.String()
	}
	inside(t, "true")
	t.Run("git clone over TLS", func(t *testing.T) {
		inside(t, "git init -q work; cd work; echo hello > f; git add f; git commit -q -m f; cd ..; git clone -q --bare work bare.git; git -C bare.git update-server-info")
		if got := inside(t, "git clone -q "+server.URL+"/bare.git clone; cat clone/f"); got != "hello\n" {
			t.Errorf("cloned %q", got)
		}
	})
	t.Run("gdb has its Python", func(t *testing.T) {
		if got := inside(t, "gdb -batch -ex 'python print(6*7)'"); got != "42\n" {
			t.Errorf("%q", got)
		}
	})
	t.Run("fonts and locales", func(t *testing.T) {
		if got := inside(t, "fc-list; locale -a; LC_ALL=de_DE.UTF-8 locale decimal_point"); !strings.Contains(got, ".ttf") || !strings.Contains(got, "de_DE.utf8") || !strings.HasSuffix(got, "\n,\n") {
			t.Errorf("%q", got)
		}
	})
	t.Run("a GTK program under Xvfb", func(t *testing.T) {
		source := "#include <gtk/gtk.h>\nstatic gboolean q(gpointer w) { puts(gtk_widget_get_mapped(w) ? \"mapped\" : \"not\"); gtk_main_quit(); return 0; }\n" +
			"int main(int c, char **v) { gtk_init(&c, &v); GtkWidget *w = gtk_window_new(0); gtk_container_add(GTK_CONTAINER(w), gtk_image_new_from_icon_name(\"edit-copy\", GTK_ICON_SIZE_DIALOG)); gtk_widget_show_all(w); g_timeout_add(500, q, w); gtk_main(); }\n"
		if err := os.WriteFile(project+"/w.c", []byte(source), 0o644); err != nil {
			t.Fatal(err)
		}
		script := `command -v pkg-config >/dev/null && pkg-config --exists gtk+-3.0 && gcc w.c -o w $(pkg-config --cflags --libs gtk+-3.0) || { echo no headers; exit 0; }
		exec 3>&1; Xvfb -displayfd 9 -screen 0 640x480x24 9>display 2>/dev/null & for i in $(seq 100); do [ -s display ] && break; sleep 0.1; done
		DISPLAY=:$(cat display) ./w; kill %1`
		if got := inside(t, script); got != "mapped\n" && got != "no headers\n" {
			t.Errorf("%q", got)
		} else if got == "no headers\n" {
			t.Skip("the mirror's gtk3 has no headers to compile against")
		}
	})
	t.Run("pacman", func(t *testing.T) {
		if got := inside(t, "pacman -Qo /usr/bin/git; pacman -Qi git | grep Reason; pacman -Qi expat | grep Reason; pacman -Qqe | grep -x -e git -e expat; pacman -Qk git"); !strings.Contains(got, "/usr/bin/git is owned by git ") ||
			!strings.Contains(got, "Explicitly installed") || !strings.Contains(got, "Installed as a dependency") || strings.Contains(got, "\nexpat\n") || !strings.Contains(got, ", 0 missing files") {
			t.Errorf("%q", got)
		}
	})
	t.Run("setcap", func(t *testing.T) {
		if got := inside(t, "getcap /usr/bin/gdb"); !strings.Contains(got, "cap_net_raw=ep") {
			t.Errorf("%q", got)
		}
	})
	t.Run("makepkg", func(t *testing.T) {
		got := inside(t, `mkdir mk; cd mk; printf 'pkgname=hello\npkgver=1\npkgrel=1\narch=(any)\npackage() { install -Dm755 /dev/stdin "$pkgdir/usr/bin/hello" <<< "echo hi"; chown 0:0 "$pkgdir/usr/bin/hello"; }\n' > PKGBUILD
		makepkg -f >&2; tar tvf hello-1-1-any.pkg.tar* | grep bin/hello`)
		if !strings.Contains(got, "root/root") {
			t.Errorf("%q", got)
		}
	})
}
