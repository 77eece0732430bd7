// Command manual makes what is made of the documentation, from two sources: what
// the program says of its own commands (`devenv --json help`) and reference.md.
//
//	-man DIR        the man pages: devenv.1, devenv-COMMAND.1, devenv.toml.5, devenv.lock.5
//	-schema FILE    the descriptions in devenv.schema.json
//
// It is for those who build devenv; nothing of it is in the program.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"time"
)

func main() {
	program := flag.String("devenv", "bin/devenv", "the `program` that is documented")
	man := flag.String("man", "", "write the man pages into `DIR`")
	schema := flag.String("schema", "", "bring the descriptions in `FILE` up to date")
	flag.Parse()
	var err error
	if *man != "" {
		err = makeMan(*man, *program)
	}
	if err == nil && *schema != "" {
		err = describeSchema(*schema)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "manual:", err)
		os.Exit(1)
	}
}

func makeMan(dir, program string) error {
	cmd := exec.Command(program, "--json", "help")
	cmd.Stderr = os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("asking %s for its commands: %w", program, err)
	}
	var a app
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("the answer of %s: %w", program, err)
	}
	date, err := day(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	return writeMan(dir, &a, date)
}

// day is the date of the pages: today, or that of a reproducible build.
func day(epoch string) (string, error) {
	t := time.Now()
	if epoch != "" {
		n, err := strconv.ParseInt(epoch, 10, 64)
		if err != nil {
			return "", fmt.Errorf("SOURCE_DATE_EPOCH: %w", err)
		}
		t = time.Unix(n, 0)
	}
	return t.UTC().Format(time.DateOnly), nil
}

// app is what `devenv --json help` answers.
type app struct {
	Version     string
	Usage       string
	Description []string
	Options     []option
	Groups      []struct {
		Name     string
		Commands []string
	}
	Commands []command
}

type command struct {
	Name     string
	Aliases  []string
	Usage    string
	Synopsis []string
	Options  []option
	Examples []string
	Commands []command
}

type option struct {
	Names   []string
	Value   string
	Usage   string
	Default string
}

func (a *app) command(name string) command {
	for _, c := range a.Commands {
		if c.Name == name {
			return c
		}
	}
	return command{}
}
