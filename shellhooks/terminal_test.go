package shellhooks

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/charmbracelet/x/vt"
	"github.com/creack/pty"
)

// terminal is a program on a pty, and the screen that a person would see.
type terminal struct {
	t       *testing.T
	cmd     *exec.Cmd
	pty     *os.File
	mu      sync.Mutex
	screen  *vt.Emulator
	asked   int
	printed int // line breaks
	dir     string
	ps1     string // the prompt, where it is known
	ended   chan struct{}
}

const patience = 20 * time.Second

func onTerminal(t *testing.T, cmd *exec.Cmd) *terminal {
	t.Helper()
	p, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	x := &terminal{t: t, cmd: cmd, pty: p, screen: vt.NewEmulator(100, 30), dir: t.TempDir(), ended: make(chan struct{})}
	answered := make(chan struct{})
	go x.answer(answered)
	go io.Copy(x, p)
	go func() {
		cmd.Wait()
		close(x.ended)
	}()
	t.Cleanup(func() {
		x.pty.Close()
		cmd.Process.Kill()
		<-x.ended
		go io.WriteString(x.screen.InputPipe(), " ") // wakes answer, if it still reads
		<-answered
	})
	return x
}

// Write shows what the program printed.
func (x *terminal) Write(b []byte) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.printed += bytes.Count(b, []byte("\n"))
	return x.screen.Write(b)
}

// answer gives the program the answers of a terminal that is asked something.
func (x *terminal) answer(done chan struct{}) {
	defer close(done)
	b := make([]byte, 256)
	for {
		n, err := x.screen.Read(b)
		select {
		case <-x.ended:
			return
		default:
		}
		if err != nil {
			return
		}
		x.pty.Write(b[:n])
	}
}

// text is what is on the screen.
func (x *terminal) text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.screen.String()
}

func (x *terminal) lines() []string {
	lines := strings.Split(x.text(), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \r")
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}

// line is the last line of the screen.
func (x *terminal) line() string {
	lines := x.lines()
	if len(lines) == 0 {
		return ""
	}
	return lines[len(lines)-1]
}

func (x *terminal) send(s string) {
	x.t.Helper()
	if _, err := io.WriteString(x.pty, s); err != nil {
		x.t.Fatalf("typing %q: %v\n%s", s, err, strings.Join(x.lines(), "\n"))
	}
}

// until waits for something to come true.
func (x *terminal) until(what string, cond func() bool) {
	x.t.Helper()
	for deadline := time.Now().Add(patience); !cond(); {
		if time.Now().After(deadline) {
			x.t.Fatalf("%s did not happen; the screen:\n%s", what, strings.Join(x.lines(), "\n"))
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// prompt waits until the last line is the prompt and nothing else.
func (x *terminal) prompt(want string) {
	x.t.Helper()
	x.ps1 = want
	x.until("the prompt "+strconv.Quote(want), func() bool { return x.line() == strings.TrimRight(want, " ") })
}

// not asserts that a text is not on the screen.
func (x *terminal) not(text string) {
	x.t.Helper()
	if strings.Contains(x.text(), text) {
		x.t.Errorf("the screen has %q:\n%s", text, strings.Join(x.lines(), "\n"))
	}
}

func (x *terminal) shows(text string) {
	x.t.Helper()
	x.until("the text "+strconv.Quote(text), func() bool { return strings.Contains(x.text(), text) })
}

// do types a command at the prompt, and waits for the next prompt.
func (x *terminal) do(command string) {
	x.t.Helper()
	x.prompt(x.ps1)
	x.enter(command)
	x.prompt(x.ps1)
}

// enter types a command and waits until its line has ended on the screen: or the
// prompt that it is typed at would be taken for the next one.
func (x *terminal) enter(command string) {
	x.t.Helper()
	before := x.newlines()
	x.send(command + "\r")
	x.until("the echo of "+command, func() bool { return x.newlines() > before })
}

func (x *terminal) newlines() int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.printed
}

// ask types a command and gives what it printed, without the last line break.
func (x *terminal) ask(command string) string {
	x.t.Helper()
	if x.ps1 != "" { // what is typed before may be thrown away
		x.prompt(x.ps1)
	}
	x.asked++
	file := fmt.Sprintf("%s/%d", x.dir, x.asked)
	x.enter(command + " > " + file + ".part; /bin/mv " + file + ".part " + file)
	x.until("the answer of "+command, func() bool { _, err := os.Stat(file); return err == nil })
	b, err := os.ReadFile(file)
	if err != nil {
		x.t.Fatal(err)
	}
	return strings.TrimSuffix(string(b), "\n")
}

// end types a command that ends the program, and waits for that.
func (x *terminal) end(command string) int {
	x.t.Helper()
	x.send(command + "\r")
	select {
	case <-x.ended:
	case <-time.After(patience):
		x.t.Fatalf("%s did not end the shell; the screen:\n%s", command, strings.Join(x.lines(), "\n"))
	}
	return x.cmd.ProcessState.ExitCode()
}
