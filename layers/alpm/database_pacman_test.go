package alpm

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// showInfo writes packages as "pacman -Si" does, so that every field that it
// shows can be compared with its block.
func showInfo(repo string, p *Package, block string) string {
	var b strings.Builder
	one := func(field, value string) {
		if value == "" {
			value = "None"
		}
		fmt.Fprintf(&b, "%-16s: %s\n", field, value)
	}
	list := func(field string, values []string) { one(field, strings.Join(values, "  ")) }
	deps := func(field string, deps []Dep) {
		var values []string
		for _, d := range deps {
			values = append(values, d.String())
		}
		list(field, values)
	}
	one("Repository", repo)
	one("Name", p.Name)
	one("Version", p.Version)
	one("Description", p.Desc)
	one("Architecture", p.Arch)
	one("URL", p.URL)
	list("Licenses", p.Licenses)
	list("Groups", p.Groups)
	deps("Provides", p.Provides)
	deps("Depends On", p.Depends)
	one("Optional Deps", strings.Join(p.OptDepends, "\n"+strings.Repeat(" ", 18)))
	deps("Conflicts With", p.Conflicts)
	deps("Replaces", p.Replaces)
	one("Download Size", sizeIn(block, "Download Size", p.Size))
	one("Installed Size", sizeIn(block, "Installed Size", p.InstalledSize))
	one("Packager", p.Packager)
	one("Build Date", time.Unix(p.BuildDate, 0).UTC().Format(time.ANSIC))
	validated := "MD5 Sum"
	if p.SHA256 != "" {
		validated += "  SHA-256 Sum"
	}
	if p.PGPSig != "" {
		validated += "  Signature"
	}
	one("Validated By", validated)
	return b.String()
}

// sizeIn writes a size in the unit that pacman chose for it in its block.
func sizeIn(block, field string, n int64) string {
	_, text, _ := strings.Cut(block, "\n"+field)
	text, _, _ = strings.Cut(text, "\n")
	unit := text[strings.LastIndexByte(text, ' ')+1:]
	size := float64(n)
	for _, u := range []string{"B", "KiB", "MiB", "GiB"} {
		if u == unit {
			break
		}
		size /= 1024
	}
	return fmt.Sprintf("%.2f %s", size, unit)
}

// pacmanDir makes a directory in which pacman takes the databases of a day for
// synced ones.
func pacmanDir(t *testing.T, day, arch string, repos []string) (config, dbpath string) {
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sync"), 0o755); err != nil {
		t.Fatal(err)
	}
	text := "[options]\nArchitecture = " + arch + "\nSigLevel = Never\n"
	for _, repo := range repos {
		data, err := os.ReadFile(testData(t, day, repo+".db"))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "sync", repo+".db"), data, 0o644); err != nil {
			t.Fatal(err)
		}
		text += "[" + repo + "]\nServer = file:///nonexistent\n"
	}
	config = filepath.Join(dir, "pacman.conf")
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return config, dir
}

func TestReadDatabaseAgreesWithPacman(t *testing.T) {
	pacman, err := exec.LookPath("pacman")
	if err != nil {
		t.Skip("pacman is not installed (Debian: pacman-package-manager): no peer to compare with")
	}
	for _, set := range []struct {
		day, arch string
		repos     []string
	}{
		{"2014-08-x86_64", "x86_64", []string{"core", "extra", "community"}},
		{"2015-06-armv7h", "armv7h", []string{"core", "extra", "community", "alarm", "aur"}},
		{"2021-01-aarch64", "aarch64", []string{"core", "extra", "archlinuxcn"}},
	} {
		t.Run(set.day, func(t *testing.T) {
			config, dbpath := pacmanDir(t, set.day, set.arch, set.repos)
			cmd := exec.Command(pacman, "--config", config, "--dbpath", dbpath, "-Si")
			cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8", "TZ=UTC")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("pacman -Si: %v\n%s", err, stderr.String())
			}
			blocks := strings.Split(strings.TrimSuffix(string(out), "\n\n"), "\n\n")
			agreed := 0
			for _, repo := range set.repos {
				for _, p := range readAll(t, set.day, repo) {
					if len(blocks) == 0 {
						t.Fatalf("pacman does not know %s and what follows", p.Name)
					}
					if got, want := showInfo(repo, p, blocks[0]), blocks[0]+"\n"; got != want {
						t.Errorf("read\n%s\npacman shows\n%s", got, want)
					} else {
						agreed++
					}
					blocks = blocks[1:]
				}
			}
			t.Logf("agreed on %d packages, %d left over", agreed, len(blocks))
		})
	}
}
