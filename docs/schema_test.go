package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"devenv/docs"
	"devenv/env/manifest"
)

const schemaFile = "devenv.schema.json"

// load reads a devenv.toml as the program does.
func load(t *testing.T, text string) error {
	t.Helper()
	path := filepath.Join(t.TempDir(), manifest.FileName)
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := manifest.Load(path, manifest.Options{Getenv: func(string) string { return "" }})
	return err
}

// validate holds a devenv.toml against the schema.
func validate(s *jsonschema.Schema, text string) error {
	var v map[string]any
	if _, err := toml.Decode(text, &v); err != nil {
		return fmt.Errorf("not TOML: %w", err)
	}
	b, err := json.Marshal(v) // a date becomes a string, as editors have it
	if err != nil {
		return err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(string(b)))
	if err != nil {
		return err
	}
	return s.Validate(doc)
}

// node is what the schema allows in one place of a devenv.toml.
type node struct {
	path   string // as reference.md calls it
	header string // a TOML header below which it stands; "" for none
	keys   []string
	schema map[string]any
}

func rawSchema(t *testing.T) map[string]any {
	t.Helper()
	text, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	var root map[string]any
	if err := json.Unmarshal(text, &root); err != nil {
		t.Fatal(err)
	}
	return root
}

// nodes are all places that the schema knows, those of hosts left out.
func nodes(root map[string]any) (all []node) {
	var walk func(n node)
	walk = func(n node) {
		if ref, ok := n.schema["$ref"].(string); ok {
			n.schema = root["definitions"].(map[string]any)[filepath.Base(ref)].(map[string]any)
		}
		all = append(all, n)
		if n.path == "host" {
			return
		}
		below := func(name, key string, child any) {
			next := node{strings.TrimPrefix(n.path+"."+name, "."), n.header, append(slices.Clone(n.keys), key), child.(map[string]any)}
			walk(next)
		}
		properties := func(s any) {
			m, _ := s.(map[string]any)
			p, _ := m["properties"].(map[string]any)
			for _, name := range slices.Sorted(maps.Keys(p)) {
				below(name, name, p[name])
			}
		}
		properties(n.schema)
		if child, ok := n.schema["additionalProperties"].(map[string]any); ok {
			if strings.HasSuffix(n.path, ".files") {
				below("PATH", `"/etc/x"`, child)
			} else {
				below("NAME", "n", child)
			}
		}
		alternatives, _ := n.schema["anyOf"].([]any)
		for _, a := range alternatives {
			properties(a)
		}
		if items, ok := n.schema["items"].(map[string]any); ok && items["properties"] != nil {
			n.header, n.keys = "[["+strings.Join(n.keys, ".")+"]]\n", nil
			properties(items)
		}
	}
	walk(node{schema: root})
	return all
}

// object is the part of a place's schema that is about a table of fixed keys.
func (n node) object() (properties map[string]any, is bool) {
	alternatives, _ := n.schema["anyOf"].([]any)
	for _, s := range append(alternatives, n.schema, n.schema["items"]) {
		m, _ := s.(map[string]any)
		if p, ok := m["properties"].(map[string]any); ok && m["additionalProperties"] == false {
			return p, true
		}
	}
	return nil, false
}

// set is a devenv.toml in which the place has a value.
func (n node) set(value string) string {
	return n.header + strings.Join(n.keys, ".") + " = " + value + "\n"
}

var knownHere = regexp.MustCompile(`known here: (.*)`)

// The keys that the decoder names when it meets one that it does not know are
// those of the schema.
func TestSchemaKeysAreTheDecoders(t *testing.T) {
	for _, n := range nodes(rawSchema(t)) {
		properties, ok := n.object()
		if !ok {
			continue
		}
		inside := n
		if n.schema["items"] != nil {
			inside.header, inside.keys = "[["+n.path+"]]\n", nil
		}
		inside.keys = append(slices.Clone(inside.keys), "zz9-no-such-key")
		err := load(t, inside.set("1"))
		if err == nil {
			t.Errorf("%q: accepted", inside.set("1"))
			continue
		}
		m := knownHere.FindStringSubmatch(err.Error())
		if m == nil {
			t.Errorf("%q: %v", inside.set("1"), err)
			continue
		}
		if got, want := strings.Join(slices.Sorted(maps.Keys(properties)), ", "), m[1]; got != want {
			t.Errorf("%q: the schema has %s\nthe decoder %s", n.path, got, want)
		}
	}
}

func TestSchemaKeysOfHosts(t *testing.T) {
	root := rawSchema(t)
	all := root["properties"].(map[string]any)
	host := all["host"].(map[string]any)["additionalProperties"].(map[string]any)["properties"].(map[string]any)
	for key := range all {
		err := load(t, "host.h."+key+" = {}\n")
		refused := err != nil && strings.Contains(err.Error(), "cannot differ by host")
		if _, allowed := host[key]; allowed == refused {
			t.Errorf("host.h.%s: the schema allows it: %v; the decoder: %v", key, allowed, err)
		}
	}
}

// Where the two differ about what kind a value may be, one of them is wrong.
func TestSchemaKindsAreTheDecoders(t *testing.T) {
	s := jsonschema.NewCompiler().MustCompile(schemaFile)
	for _, n := range nodes(rawSchema(t)) {
		if n.path == "" || strings.HasPrefix(n.path, "host") {
			continue
		}
		for _, value := range []string{`"x"`, `1`, `1.5`, `true`, `["x"]`, `[1]`, `{}`} {
			text := n.set(value)
			invalid, decoded := validate(s, text), load(t, text)
			if invalid != nil && decoded == nil {
				t.Errorf("%q: the decoder takes it, the schema does not: %v", text, invalid)
			}
			if wrong := regexp.MustCompile(` (must be|is) (a|an|in) .*, not `); decoded != nil && wrong.MatchString(decoded.Error()) && invalid == nil {
				t.Errorf("%q: the schema takes it, the decoder does not: %v", text, decoded)
			}
		}
		if words, ok := n.schema["enum"].([]any); ok {
			for _, w := range words {
				if err := load(t, n.set(fmt.Sprintf("%q", w))); err != nil && !strings.Contains(n.header, "[[") {
					t.Errorf("%s: %v: %v", n.path, w, err)
				}
			}
			if err := load(t, n.set(`"zz9"`)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("write one of %s", join(words))) {
				t.Errorf("%s: want one of %s: %v", n.path, join(words), err)
			}
		}
	}
}

func join(words []any) string {
	return strings.Trim(strings.ReplaceAll(fmt.Sprint(words), " ", ", "), "[]")
}

// Whatever the program takes, the schema takes: the examples, the manifests of
// tests, and that of the reference.
func TestSchemaTakesWhatTheProgramTakes(t *testing.T) {
	s := jsonschema.NewCompiler().MustCompile(schemaFile)
	texts := map[string]string{}
	for _, pattern := range []string{"../examples/*/devenv.toml", "../env/manifest/testdata/*/*.toml", "../env/manifest/testdata/*/*/*.toml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 && strings.Contains(pattern, "examples") {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			texts[f] = string(b)
		}
	}
	pages := []string{"reference.md", "guide.md", "../README.md"}
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, block := range docs.Blocks(string(text)) {
			if block[0] == "```toml" {
				text := strings.Join(block[1:len(block)-1], "\n")
				texts[fmt.Sprintf("%s, block %d", page, i)] = text
				if err := load(t, text); err != nil {
					t.Errorf("%s: %v", page, err)
				}
			}
		}
	}
	texts["devenv init"] = string(manifest.Template("2026-11-20"))
	taken := 0
	for name, text := range texts {
		if load(t, text) != nil {
			continue // it is one that must be refused, or one that includes others
		}
		taken++
		if err := validate(s, text); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if taken < 12 {
		t.Errorf("only %d manifests were tried", taken)
	}
	if err := validate(s, "[packages]\nmake = 1\n"); err == nil {
		t.Error("a number is no version")
	}
}

// Every key of the reference is one of the schema, and every key has its words.
func TestSchemaIsExplained(t *testing.T) {
	topic, _ := docs.Find("toml")
	rows := map[string]bool{}
	for _, block := range docs.Blocks(topic.Markdown) {
		if strings.HasPrefix(block[0], "| key") {
			for _, row := range docs.Rows(block)[1:] {
				rows[strings.Trim(row[0], "`")] = true
			}
		}
	}
	known := map[string]bool{"host.NAME": true}
	for _, n := range nodes(rawSchema(t)) {
		known[n.path] = true
		parent := n.path[:max(0, strings.LastIndex(n.path, "."))]
		explained := rows[n.path] || rows[parent] && (strings.HasSuffix(n.path, ".NAME") || strings.HasSuffix(n.path, ".PATH"))
		for row := range rows {
			explained = explained || strings.HasPrefix(row, n.path+".")
		}
		if n.path != "" && !explained {
			t.Errorf("%s has no row in reference.md", n.path)
		}
	}
	for row := range rows {
		if !known[row] {
			t.Errorf("%s is in reference.md and not in the schema", row)
		}
	}
}
