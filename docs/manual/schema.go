package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"devenv/docs"
)

// describeSchema fills in the descriptions of a JSON schema's keys: they are
// those of reference.md. It fails if one of the two has a key that the other has
// not. What a key may be is the schema's own to say.
func describeSchema(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	s := schema{root: root, keys: keys(), seen: map[string]bool{}}
	s.walk("", root)
	for key := range s.keys {
		if !s.seen[key] {
			s.faults = append(s.faults, fmt.Sprintf("%s is in reference.md and not in the schema", key))
		}
	}
	if len(s.faults) > 0 {
		slices.Sort(s.faults)
		return fmt.Errorf("%s:\n%s", path, strings.Join(s.faults, "\n"))
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(root); err != nil {
		return err
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}

// keys are the rows of reference.md's table of keys: what each means.
func keys() map[string]string {
	out := map[string]string{}
	for _, block := range docs.Blocks(topic("toml")) {
		if !strings.HasPrefix(block[0], "| key") {
			continue
		}
		for _, row := range docs.Rows(block)[1:] {
			text := docs.Plain(row[1])
			if row[2] != "" {
				text += "\nDefault: " + docs.Plain(row[2])
			}
			out[strings.Trim(row[0], "`")] = text
		}
	}
	return out
}

type schema struct {
	root   map[string]any
	keys   map[string]string
	seen   map[string]bool
	faults []string
}

// walk describes what a path of keys leads to, and what is below it.
func (s *schema) walk(path string, node map[string]any) {
	if ref, ok := node["$ref"].(string); ok {
		_, name, _ := strings.Cut(ref, "#/definitions/")
		s.walk(path, s.root["definitions"].(map[string]any)[name].(map[string]any))
		return
	}
	if text, ok := s.keys[path]; ok {
		node["description"] = text
		s.seen[path] = true
	} else if path != "" && !s.explained(path) {
		s.faults = append(s.faults, fmt.Sprintf("%s is in the schema and not in reference.md", path))
	}
	if s.seen[path] && strings.HasPrefix(path, "host.") {
		return // what it holds is explained where it stands for all
	}
	below := func(name string) string { return strings.TrimPrefix(path+"."+name, ".") }
	for name, child := range object(node["properties"]) {
		s.walk(below(name), child.(map[string]any))
	}
	if child := object(node["additionalProperties"]); child != nil {
		s.walk(below(placeholder(path)), child)
	}
	if child := object(node["items"]); child["properties"] != nil {
		for name, c := range object(child["properties"]) {
			s.walk(below(name), c.(map[string]any))
		}
	}
	alternatives, _ := node["anyOf"].([]any)
	for _, a := range alternatives {
		for name, c := range object(object(a)["properties"]) {
			s.walk(below(name), c.(map[string]any))
		}
	}
}

// explained reports whether a key needs no row of its own: rows below it, or the
// one above it, say what it is.
func (s *schema) explained(path string) bool {
	parent := path[:max(0, strings.LastIndex(path, "."))]
	if s.seen[parent] && strings.HasSuffix(path, placeholder(parent)) {
		return true
	}
	for key := range s.keys {
		if strings.HasPrefix(key, path+".") {
			return true
		}
	}
	return false
}

// placeholder is what reference.md calls a key that a person chooses.
func placeholder(path string) string {
	if strings.HasSuffix(path, ".files") {
		return "PATH"
	}
	return "NAME"
}

func object(v any) map[string]any {
	m, _ := v.(map[string]any)
	return m
}
