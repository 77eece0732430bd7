package sandbox_test

import (
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestStops: a shell with job control sees devenv stop as the command stops.
func TestStops(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.plan()
		cmd := w.command("run", "sh", "-c", "kill -STOP $$; exit 7")
		if cmd.SysProcAttr == nil {
			cmd.SysProcAttr = new(syscall.SysProcAttr)
		}
		cmd.SysProcAttr.Setpgid = true
		must(t, cmd.Start())
		var status syscall.WaitStatus
		_, err := syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
		if err != nil || !status.Stopped() {
			t.Fatalf("%v: not stopped: %x", err, status)
		}
		must(t, cmd.Process.Signal(syscall.SIGCONT))
		done := make(chan error, 1)
		go func() { done <- cmd.Wait() }()
		select {
		case err = <-done:
		case <-time.After(time.Minute):
			cmd.Process.Kill()
			err = <-done
		}
		if cmd.ProcessState.ExitCode() != 7 {
			t.Errorf("continued: %v", err)
		}
	})
}

// TestLimit: the command has the caller's limit of open files, which package
// syscall raises for the program itself.
func TestLimit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.plan()
		cmd := w.command()
		cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `ulimit -Sn 57; exec "$0" run sh -c 'ulimit -n'`, w.probe}
		if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != "57" {
			t.Errorf("%v: %s", err, out)
		}
	})
}
