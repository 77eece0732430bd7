package main_test

import (
	"strings"
	"testing"
)

// TestNested enters from inside: the same project, another one, one that is
// not built yet.
func TestNested(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		other := *p
		other.project, other.cwd = p.dir+"/other", p.dir+"/other"
		p.write(other.project+"/devenv.toml", "[packages]\nbusybox = \"*\"\ntool = \"*\"\n")
		third := p.dir + "/third"
		p.write(third+"/devenv.toml", "[packages]\nbusybox = \"*\"\ngadget = \"*\"\n")
		other.must("run", "--", "true")
		p.must("run", "--", "true")

		inside := `echo $DEVENV_NAME $DEVENV_PROJECT; pwd; ls /proc | grep -c '^[0-9]*$'; command -v tool`
		want := func(name string) string { return name + " " + p.dir + "/" + name + "\n" + p.dir + "/" + name }
		check := func(what, got, want string) {
			t.Helper()
			if !strings.HasPrefix(got, want+"\n") {
				t.Errorf("%s: %q, want %q…", what, got, want)
			}
		}
		check("the same project", p.must("run", "--", "sh", "-c", `devenv run -- sh -c "$1"; :`, "sh", inside), want("project"))
		got := p.must("run", "--", "sh", "-c", `cd ../other && devenv run -- sh -c "$1"`, "sh", inside)
		check("another project", got, want("other"))
		if !strings.HasSuffix(got, "/usr/bin/tool") {
			t.Errorf("another project has not its own tools: %q", got)
		}
		check("three deep", p.must("run", "--", "sh", "-c", `cd ../other && devenv run -- sh -c 'cd ../project; devenv run -- sh -c "$1"; :' sh "$1"`, "sh", inside), want("project"))
		if got := p.sh(`cd ../other; echo 'echo $DEVENV_NAME; exit 3' | devenv enter; echo $?; echo $DEVENV_NAME; sleep 0`); got != "other\n3\nproject" {
			t.Errorf("enter inside: %q", got)
		}
		if got := p.sh("echo x >/etc/outer; cd ../other; devenv run -- sh -c 'ls /etc/outer; echo y >/etc/inner; cat /etc/inner' 2>/dev/null; ls /etc/inner 2>/dev/null; cat /etc/outer"); got != "y\nx" {
			t.Errorf("what is written goes with each: %q", got)
		}
		r := p.try("run", "--", "sh", "-c", "cd ../third; devenv run -- true")
		if r.code != 1 || !strings.Contains(r.err, "has not been entered yet") || !strings.Contains(r.err, "hint: leave the environment of "+p.project) {
			t.Errorf("not built: %v", r)
		}
		if r := p.try("run", "--keep-processes", "--", "sh", "-c", "cd ../other; devenv run -- tool"); r.out != "tool new\n" {
			t.Errorf("without a pid namespace: %v", r)
		}
		// the cache cannot be written from inside, by nobody's slip
		if r := p.try("run", "--", "sh", "-c", "touch $DEVENV_CACHE_DIR/x"); r.code == 0 {
			t.Error("the cache can be written from inside")
		}
	})
}
