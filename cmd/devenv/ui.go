package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/fatih/color"
	"golang.org/x/term"
)

// The rules of all output, in one place:
//
//   - what a command was asked for goes to standard output, everything else to
//     standard error;
//   - an error is "devenv: what happened", then lines that begin with "hint: "
//     and say what to do; no capital, no full stop at the end;
//   - colour and progress bars on a terminal alone, and not with NO_COLOR;
//   - --quiet leaves errors; --json writes one JSON value to standard output;
//   - exit codes: 0 fine, 1 failed, 2 misuse or bad input; run gives the
//     command's own.
type ui struct {
	out, err io.Writer
	quiet    bool
	verbose  bool
	json     bool
	terminal bool // err is one
	bars     *bars

	bold, red, faint func(...any) string
}

func newUI(out, err *os.File, getenv func(string) string) *ui {
	u := &ui{out: &answer{file: out}, err: err, terminal: term.IsTerminal(int(err.Fd())) && getenv("TERM") != "dumb"}
	paint := func(a ...color.Attribute) func(...any) string {
		c := color.New(a...)
		if u.terminal && getenv("NO_COLOR") == "" {
			c.EnableColor()
		} else {
			c.DisableColor()
		}
		return c.SprintFunc()
	}
	u.bold, u.red, u.faint = paint(color.Bold), paint(color.FgRed, color.Bold), paint(color.Faint)
	return u
}

// answer is standard output. It remembers what could not be written: an answer
// that is cut off must not pass for a whole one.
type answer struct {
	file *os.File
	err  error
}

func (a *answer) Write(b []byte) (int, error) {
	n, err := a.file.Write(b)
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("cannot write the answer: %w", err)
	}
	return n, err
}

// unwritten is what became of the answer: nil if all of it was written.
func (u *ui) unwritten() error {
	if a, ok := u.out.(*answer); ok {
		return a.err
	}
	return nil
}

// say tells what is being done.
func (u *ui) say(format string, args ...any) {
	if !u.quiet {
		fmt.Fprintf(u.err, "devenv: "+format+"\n", args...)
	}
}

// detail tells what only --verbose wants to know.
func (u *ui) detail(format string, args ...any) {
	if u.verbose {
		u.say(format, args...)
	}
}

// value writes the answer of a listing command: v with --json, else text.
func (u *ui) value(v any, text func(w io.Writer)) error {
	if !u.json {
		text(u.out)
		return nil
	}
	e := json.NewEncoder(u.out)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// failure is an error with its exit code and what to do about it.
type failure struct {
	err   error
	code  int
	hints []string
}

func (f *failure) Error() string {
	if f.err == nil {
		return "" // said already
	}
	return f.err.Error()
}
func (f *failure) Unwrap() error { return f.err }

// misuse is a failure of the caller's making: exit code 2.
func misuse(format string, args ...any) *failure {
	return &failure{err: fmt.Errorf(format, args...), code: 2}
}

func (f *failure) hint(format string, args ...any) *failure {
	f.hints = append(f.hints, fmt.Sprintf(format, args...))
	return f
}

// report prints an error and gives its exit code.
func (u *ui) report(err error) int {
	if err == nil {
		return 0
	}
	if errors.Is(err, context.Canceled) {
		fmt.Fprintf(u.err, "%s interrupted; what was downloaded and built is kept\n", u.red("devenv:"))
		return 130
	}
	code := exitCode(err)
	var f *failure
	silent := errors.As(err, &f) && f.err == nil
	if u.json && !silent && u.reportJSON(err) {
		return code
	}
	if !silent {
		text, hints, _ := strings.Cut(err.Error(), "\nhint: ")
		fmt.Fprintf(u.err, "%s %s\n", u.red("devenv:"), text)
		if hints != "" {
			fmt.Fprintf(u.err, "%s %s\n", u.bold("hint:"), hints)
		}
	}
	if f != nil {
		for _, h := range f.hints {
			fmt.Fprintf(u.err, "%s %s\n", u.bold("hint:"), h)
		}
	}
	return code
}
