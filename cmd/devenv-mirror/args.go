package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"
)

// flagsFirst moves a command's flags before its arguments, where cli/v2 wants
// them: "from-debian DIR --days 3" is how people write it.
func flagsFirst(app *cli.App, args []string) []string {
	if len(args) < 3 {
		return args
	}
	command := app.Command(args[1])
	if command == nil {
		return args
	}
	takesValue := map[string]bool{}
	for _, f := range command.Flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			takesValue[name] = !isBool
		}
	}
	flags, rest := []string{}, []string{}
	for i := 2; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			rest = append(rest, args[i:]...)
			break
		}
		if !strings.HasPrefix(a, "-") || a == "-" {
			rest = append(rest, a)
			continue
		}
		flags = append(flags, a)
		if takesValue[strings.TrimLeft(a, "-")] && i+1 < len(args) {
			i++
			flags = append(flags, args[i])
		}
	}
	return append(append(args[:2:2], flags...), rest...)
}

// onlyArgument is the one argument that a command takes.
func onlyArgument(c *cli.Context, name string) (string, error) {
	if c.NArg() != 1 {
		return "", usageError{fmt.Sprintf("%s takes one argument, %s, and got %d; see devenv-mirror %[1]s --help", c.Command.Name, name, c.NArg())}
	}
	return c.Args().First(), nil
}

// usageError is misuse: exit code 2.
type usageError struct{ text string }

func (e usageError) Error() string { return e.text }
