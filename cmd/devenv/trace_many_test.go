package main_test

import (
	"fmt"
	"testing"
)

// crowd runs so many entries at the same moment, each of which sees its own.
func crowd(n int, flags string) string {
	return fmt.Sprintf(`for i in $(seq %d); do
	{ got=$(devenv -q run %s -- sh -c 'echo '$i' >/etc/mine; sleep 0.2; cat /etc/mine' 2>&1); [ "${got##*
}" = $i ] || echo "$i: $got"; } &
done
wait`, n, flags)
}

// TestManyAtOnce enters 100 times at the same moment: first of all with
// nothing built, then without plans, then warm; and kills them all.
func TestManyAtOnce(t *testing.T) {
	asEach(t, func(t *testing.T, h *runningHost) {
		project := "file " + h.who.home + "/project"
		for _, c := range []struct {
			name, script string
			left         []string
		}{
			{"cold", crowd(100, ""), []string{project, project + "/devenv.lock"}},
			{"without plans", "rm -r ~/.cache/devenv/plans ~/.cache/devenv/hosts; " + crowd(100, ""), nil},
			{"warm", crowd(100, ""), nil},
			{"ephemeral", crowd(100, "--ephemeral"), nil},
		} {
			if h.who.uid == 0 && c.name != "cold" {
				continue // the same code; and another user's hundreds take their time
			}
			t.Run(c.name, func(t *testing.T) {
				h.traceless(t, func(h *runningHost) {
					if r := h.do(c.script); r.code != 0 || r.out != "" {
						t.Errorf("%.3000v", r)
					}
				}, c.left...)
			})
		}
		t.Run("killed", func(t *testing.T) {
			h.traceless(t, func(h *runningHost) {
				before := h.take()
				h.must(`for i in $(seq 100); do devenv run -- sh -c '` + writes + `; setsid sleep 1000 & sleep 1001' >/dev/null 2>&1 & done
					until [ $(pidof sleep | wc -w) -ge 150 ]; do sleep 0.05; done
					killall -9 devenv; wait`)
				h.expect(before, gone)
			})
		})
	})
}
