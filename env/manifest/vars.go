package manifest

import (
	"fmt"
	"slices"
	"strings"
)

// A value in [env] may refer to variables: $NAME, ${NAME}, and $$ for a
// dollar sign. A $ before anything else stays.

// Expand replaces the references in a value by what lookup gives.
func Expand(value string, lookup func(name string) string) string {
	if !strings.Contains(value, "$") {
		return value
	}
	var b strings.Builder
	scan(value, func(text string) { b.WriteString(text) }, func(name string) { b.WriteString(lookup(name)) })
	return b.String()
}

// References lists the variables that a value refers to, in order.
func References(value string) []string {
	var names []string
	scan(value, func(string) {}, func(name string) { names = append(names, name) })
	return names
}

// scan walks over the texts and references of a value. It returns the
// character (from 1) at which a reference is not one, or 0.
func scan(value string, text, reference func(string)) (fault int) {
	at := 1
	for value != "" {
		dollar := strings.IndexByte(value, '$')
		if dollar < 0 {
			text(value)
			return fault
		}
		text(value[:dollar])
		at += len([]rune(value[:dollar]))
		rest := value[dollar+1:]
		name := leadingName(rest)
		used := len(name)
		switch {
		case name != "":
			reference(name)
		case strings.HasPrefix(rest, "$"):
			text("$")
			used = 1
		case strings.HasPrefix(rest, "{"):
			name = leadingName(rest[1:])
			if name == "" || !strings.HasPrefix(rest[1+len(name):], "}") {
				if fault == 0 {
					fault = at
				}
				text("$")
				break
			}
			reference(name)
			used = len(name) + 2
		default:
			text("$")
		}
		at += 1 + used
		value = rest[used:]
	}
	return fault
}

func leadingName(s string) string {
	n := 0
	for n < len(s) && (isAlnum(rune(s[n])) || s[n] == '_') && (n > 0 || s[n] > '9') {
		n++
	}
	return s[:n]
}

func validVarName(s string) bool { return s != "" && leadingName(s) == s }

// sortVars puts each variable after those it refers to, otherwise leaves the
// order as it is. A reference of a variable to itself means the value it has
// outside and is no cycle. For a cycle it returns the names on it.
func sortVars(vars []Var) (sorted []Var, cycle []string) {
	byName := make(map[string]int, len(vars))
	for i, v := range vars {
		byName[v.Name] = i
	}
	next := func(i int) []int {
		var out []int
		for _, name := range References(vars[i].Value) {
			if j, ok := byName[name]; ok && j != i {
				out = append(out, j)
			}
		}
		return out
	}
	order, loop := topological(len(vars), next)
	for _, i := range order {
		sorted = append(sorted, vars[i])
	}
	for _, i := range loop {
		cycle = append(cycle, vars[i].Name)
	}
	return sorted, cycle
}

// topological orders 0…n-1 so that each comes after its next ones. For a
// cycle it returns the nodes on it, the first one also at the end.
func topological(n int, next func(int) []int) (order, cycle []int) {
	const (
		unseen = iota
		open
		done
	)
	state := make([]uint8, n)
	var path []int
	var visit func(int) bool
	visit = func(i int) bool {
		switch state[i] {
		case done:
			return true
		case open:
			cycle = append(slices.Clone(path[slices.Index(path, i):]), i)
			return false
		}
		state[i] = open
		path = append(path, i)
		for _, j := range next(i) {
			if !visit(j) {
				return false
			}
		}
		path = path[:len(path)-1]
		state[i] = done
		order = append(order, i)
		return true
	}
	for i := range n {
		if !visit(i) {
			return nil, cycle
		}
	}
	return order, nil
}

func chain(names []string) string { return strings.Join(names, " → ") }

// varFault checks the references of a value.
func varFault(value string) (col int, msg string) {
	if strings.ContainsRune(value, 0) {
		return 1, "a variable cannot hold a NUL character"
	}
	if at := scan(value, func(string) {}, func(string) {}); at > 0 {
		return at, fmt.Sprintf("%q is no reference to a variable", "${")
	}
	return 0, ""
}
