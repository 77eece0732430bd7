package mirror

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"devenv/cmd/devenv-mirror/debian"
)

// state is what a mirror remembers of itself, so that the next run need not
// look into packages.
type state struct {
	// Controls of .debs by their SHA-256.
	Controls map[string]*debian.Control `json:"controls"`
	// Packages by file name.
	Packages map[string]made `json:"packages"`
	// Repos by directory relative to the mirror: file name → SHA-256.
	Repos map[string]map[string]string `json:"repos"`
}

// made is one package that was built.
type made struct {
	Key    string `json:"key"` // of all that it was made from
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

func readState(dir string) (*state, error) {
	s := &state{Controls: map[string]*debian.Control{}, Packages: map[string]made{}, Repos: map[string]map[string]string{}}
	text, err := os.ReadFile(filepath.Join(dir, ".state.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, s); err != nil {
		return nil, fmt.Errorf("%s/.state.json: %w; remove it to build all anew", dir, err)
	}
	return s, nil
}

func (s *state) write(dir string) error {
	text, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, ".state.json"), text, 0o644)
}

// writeFile replaces a file in one step.
func writeFile(name string, data []byte, mode fs.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(name, data, mode)
}
