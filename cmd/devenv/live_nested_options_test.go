package main_test

import (
	"strings"
	"testing"
)

// TestNestedOptions: from inside one can enter as devenv.toml says, and no other
// way: an option would need a plan, and the cache is only read there. What is
// refused is so in one sentence with the way out, and nothing is run.
func TestNestedOptions(t *testing.T) {
	everyone(t, func(t *testing.T) {
		p := newPlace(t, "busybox")
		other := *p
		other.project, other.cwd = p.dir+"/other", p.dir+"/other"
		p.write(other.project+"/devenv.toml", "[packages]\nbusybox = \"*\"\ntool = \"*\"\n[tasks]\nsay = \"echo said\"\n")
		other.must("run", "--", "true")
		p.must("run", "--", "true")
		for _, flags := range []string{"--pure", "--ephemeral", "--no-network", "--read-only-project", "--keep-processes", "--without overlay", "--pure --no-network"} {
			for _, dir := range []string{".", "../other"} {
				for _, word := range []string{"run " + flags + " -- echo ran", "enter " + flags + " </dev/null"} {
					r := p.try("run", "--", "sh", "-c", "cd "+dir+"; devenv "+word)
					if r.out != "" || r.code != 1 || strings.Count(strings.TrimSpace(r.err), "\n") != 1 ||
						!strings.Contains(r.err, "only `run` and `enter` without options work") || !strings.Contains(r.err, "\nhint: leave the environment of "+p.project+" first") {
						t.Errorf("%s in %s: %v", word, dir, r)
					}
				}
			}
		}
		// What the outer entry was given holds for the inner one as well.
		for _, c := range []struct{ flags, script, want string }{
			{"--no-network", "busybox wc -l </proc/net/route", "0"},
			{"--read-only-project", "touch x 2>/dev/null || echo refused", "refused"},
			{"--pure", "echo =$SECRET=", "=="},
			{"--ephemeral", "echo x >~/gone; cat ~/gone", "x"},
			{"--keep-processes", "echo in $DEVENV_NAME", "in project"},
		} {
			q := *p
			q.set("SECRET=1")
			args := append([]string{"run"}, c.flags, "--", "sh", "-c", `devenv run -- sh -c "$1"; :`, "sh", c.script)
			if got := q.try(args...); strings.TrimSpace(got.out) != c.want {
				t.Errorf("inside of %s: %v, want %q", c.flags, got, c.want)
			}
		}
		if r := resultOf(t, p.host("cat", p.home+"/gone")); r.code == 0 {
			t.Error("an inner entry has written to a home that was private")
		}
		// Another project from a private one, its tasks, and three levels.
		for _, flags := range []string{"", "--pure", "--no-network", "--read-only-project"} {
			args := append(append([]string{"run"}, strings.Fields(flags)...), "--", "sh", "-c", "cd ../other; devenv run tool; devenv run say; cd ../project; devenv run -- sh -c 'echo $DEVENV_NAME'; :")
			if r := p.try(args...); r.out != "tool new\nsaid\nproject\n" {
				t.Errorf("another project from %q: %v", flags, r)
			}
		}
	})
}
