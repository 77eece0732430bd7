package setup

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Record is what is kept of a set-up beside its files.
type Record struct {
	Failed    []Outcome   `json:"failed,omitempty"`
	Skipped   []string    `json:"skipped,omitempty"`  // hooks that make no sense in a shell
	Warnings  []string    `json:"warnings,omitempty"` // what was odd and passed over
	Pretended []Pretended `json:"pretended,omitempty"`
}

// Outcome is how a step that failed ended.
type Outcome struct {
	Step    string        `json:"step"` // "post_install of glibc 2.40-1"
	Package string        `json:"package,omitempty"`
	Problem string        `json:"problem"` // "exit status 1", "took longer than 2m0s"
	Output  string        `json:"output,omitempty"`
	Took    time.Duration `json:"-"`
}

func (o *Outcome) String() string {
	s := o.Step + ": " + o.Problem
	if out := strings.TrimRight(o.Output, "\n"); out != "" {
		s += "\n" + out
	}
	return s
}

// Pretended is something that was answered with success and not done.
type Pretended struct {
	Path  string `json:"path"`
	Kind  string `json:"kind"` // one of the Kind constants
	UID   int    `json:"uid,omitempty"`
	GID   int    `json:"gid,omitempty"`   // -1: as it was, for both
	Name  string `json:"name,omitempty"`  // of an attribute
	Value []byte `json:"value,omitempty"` // of an attribute
	Mode  uint32 `json:"mode,omitempty"`  // of a device, st_mode
	Dev   uint64 `json:"dev,omitempty"`
}

// Kinds of Pretended.
const (
	KindOwner     = "owner"
	KindAttribute = "attribute"
	KindDevice    = "device"
)

const recordFile = "record.json"

func readRecord(dir string) (*Record, error) {
	text, err := os.ReadFile(filepath.Join(dir, recordFile))
	if err != nil {
		return nil, err
	}
	r := new(Record)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("record of set-up %s: %w", filepath.Base(dir), err)
	}
	return r, nil
}

func (r *Record) write(dir string) error {
	text, err := json.MarshalIndent(r, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, recordFile), append(text, '\n'), 0o644)
}
