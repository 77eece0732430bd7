package main_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestWhere enters projects and caches wherever they may lie.
func TestWhere(t *testing.T) {
	everyone(t, func(t *testing.T) {
		base := newPlace(t, "busybox")
		for _, name := range []string{"two words", "co:lon", "com,ma", `back\slash`, "new\nline", "ümläut-日本", "quo'te\"s", "=", "a=b,c:d", "-dash", "$HOME", "*", " ", strings.Repeat("long", 60)} {
			t.Run(name, func(t *testing.T) {
				dir := t.TempDir() + "/" + name
				// Project, home and cache below it.
				p := placeAt(t, dir, dir+"/home/my project", "busybox")
				for _, flags := range [][]string{nil, nil, {"--ephemeral"}, {"--without", "xattr"}, {"--without", "overlay"}, {"--read-only-project"}} {
					args := append(append([]string{"run"}, flags...), "--", "sh", "-c", `pwd; echo "$DEVENV_PROJECT"; ls devenv.toml; echo x >/etc/x; cat /etc/x`)
					if r := p.try(args...); r.code != 0 || r.out != p.project+"\n"+p.project+"\ndevenv.toml\nx\n" {
						t.Errorf("%v: %v", flags, r)
					}
				}
			})
		}
		t.Run("behind a symlink", func(t *testing.T) {
			p := *base
			p.t = t
			os.Symlink(p.project, p.dir+"/link")
			p.set("PWD=" + p.dir + "/link")
			if got := p.must("run", "--", "sh", "-c", "echo $PWD; pwd -P"); got != p.dir+"/link\n"+p.project {
				t.Errorf("%q", got)
			}
		})
		t.Run("cache behind a symlink", func(t *testing.T) {
			dir := t.TempDir()
			p := placeAt(t, dir, dir+"/project", "busybox")
			os.MkdirAll(dir+"/disk", 0o700)
			os.MkdirAll(p.home+"/.cache", 0o755)
			os.Symlink(dir+"/disk", p.home+"/.cache/devenv")
			for range 2 {
				p.must("run", "--", "true")
			}
			if r := p.try("run", "--", "sh", "-c", "echo x >~/.cache/devenv/x"); r.code == 0 {
				t.Error("the cache can be written")
			}
		})
		t.Run("in a git worktree", func(t *testing.T) {
			if _, err := exec.LookPath("git"); err != nil {
				t.Skip("git is missing")
			}
			p := *base
			p.t = t
			for _, c := range []string{"git init -q .", "git add devenv.toml", "git -c user.name=x -c user.email=x@x commit -qm x", "git worktree add -q ../tree"} {
				if out, err := p.host("sh", "-c", c).CombinedOutput(); err != nil {
					t.Fatalf("%s: %s", c, out)
				}
			}
			p.cwd = p.dir + "/tree"
			if got := p.must("run", "--", "sh", "-c", "pwd; cat .git | wc -l; ls -d ../project/.git/worktrees/tree"); got != p.cwd+"\n1\n../project/.git/worktrees/tree" {
				t.Errorf("%q", got)
			}
		})
		t.Run("in a git submodule", func(t *testing.T) {
			if _, err := exec.LookPath("git"); err != nil {
				t.Skip("git is missing")
			}
			p := *newPlace(t, "busybox")
			p.t = t
			git := "git -c user.name=x -c user.email=x@x -c protocol.file.allow=always "
			for _, c := range []string{"git init -q .", "git add devenv.toml", git + "commit -qm x", "mkdir ../outer", "cd ../outer && git init -q . && " + git + "submodule --quiet add ../project part"} {
				if out, err := p.host("sh", "-c", c).CombinedOutput(); err != nil {
					t.Fatalf("%s: %s", c, out)
				}
			}
			p.cwd = p.dir + "/outer/part"
			for _, flags := range [][]string{nil, nil, {"--ephemeral"}, {"--read-only-project"}} {
				args := append(append([]string{"run"}, flags...), "--", "sh", "-c", "pwd; cat .git; ls ../.git/modules/part/HEAD; echo written >../.git/modules/part/of-git")
				if got := p.must(args...); got != p.cwd+"\ngitdir: ../.git/modules/part\n../.git/modules/part/HEAD" {
					t.Errorf("%v: %q", flags, got)
				}
				// what git writes belongs to the project
				if err := os.Remove(p.dir + "/outer/.git/modules/part/of-git"); err != nil {
					t.Errorf("%v: %v", flags, err)
				}
			}
		})
		t.Run("a working directory that is gone", func(t *testing.T) {
			p := *base
			p.t = t
			r := resultOf(t, p.host("sh", "-c", "mkdir gone; cd gone; rmdir ../gone; exec "+shared.devenv+" run -- true"))
			if r.code == 0 || !strings.Contains(r.err, "the working directory is no more") {
				t.Errorf("%v", r)
			}
		})
		t.Run("no HOME", func(t *testing.T) {
			p := *base
			p.t = t
			p.set("HOME")
			if r := p.try("run", "--", "true"); r.code == 0 || !strings.Contains(r.err, "HOME is not set") {
				t.Errorf("%v", r)
			}
		})
		t.Run("no PATH, odd TERM", func(t *testing.T) {
			p := *base
			p.t = t
			p.set("PATH", "TERM=no such terminal/../..")
			p.must("run", "--", "true")
			if r := p.try("run", "--pure", "--", "sh", "-c", "echo $PATH"); r.out != "/usr/local/sbin:/usr/local/bin:/usr/bin\n" {
				t.Errorf("%v", r)
			}
		})
	})
}

// TestWhereOnlyRootCan puts projects and homes where the environment's own
// directories are.
func TestWhereOnlyRootCan(t *testing.T) {
	h := newBusyHost(t)
	for _, dir := range []string{"/opt/work/project", "/usr/local/src/project", "/var/lib/project", "/srv/project", "/scratch/a/project"} {
		os.MkdirAll(h.path(dir), 0o755)
		os.WriteFile(h.path(dir+"/devenv.toml"), []byte("[packages]\nbusybox = \"*\"\n"), 0o644)
		os.Chown(h.path(dir), hostUser, hostUser)
		for _, flags := range []string{"", "", "--ephemeral", "--without overlay", "--without xattr"} {
			r := h.sh("cd " + dir + " && devenv run " + flags + " -- sh -c 'pwd; echo x >made && ls made; rm made; echo x >/usr/x; echo x >/opt/x; echo x >/etc/x; cat /etc/x' 2>/dev/null")
			if r.out != dir+"\nmade\nx\n" {
				t.Errorf("%s %s: %v", dir, flags, r)
			}
		}
	}
	os.MkdirAll(h.path("/data/people/me/.config/devenv"), 0o755)
	os.Rename(h.path("/home/me/.config/devenv/config.toml"), h.path("/data/people/me/.config/devenv/config.toml"))
	output(t, "chown", "-R", "1000:1000", h.path("/data/people/me"))
	for _, home := range []string{"/data/people/me", "/var/home/me", "/usr/home/me"} {
		if home != "/data/people/me" {
			os.MkdirAll(h.path(home), 0o755)
			output(t, "cp", "-r", h.path("/data/people/me")+"/.config", h.path(home))
			output(t, "chown", "-R", "1000:1000", h.path(home))
		}
		r := h.sh("export HOME=" + home + "; cd /srv/project; devenv run -- sh -c 'echo x >~/x; cat ~/x'; devenv run -- sh -c 'cd; pwd'; cat ~/x")
		if r.out != "x\n"+home+"\nx\n" {
			t.Errorf("home %s: %v", home, r)
		}
	}
}
