package unpack

import (
	"errors"
	"fmt"
	"io"
)

// refusal is a reason that completes the sentence "archive entry X …".
type refusal string

func (r refusal) Error() string { return string(r) }

// What an archive can be refused for; errors.Is tells them apart.
const (
	ErrEscape       = refusal("would leave the package's directory")
	ErrSymlink      = refusal("leads through a symbolic link")
	ErrSpecial      = refusal("is neither file, directory nor link")
	ErrDuplicate    = refusal("comes twice")
	ErrName         = refusal("has a name that no package may have")
	ErrParent       = refusal("lies under something that is no directory")
	ErrTarget       = refusal("is a hard link to what the package does not have before it")
	ErrNotExtracted = refusal("is a hard link to what was not extracted; leave out both or neither")
	ErrExists       = refusal("is there already")
	ErrCase         = refusal("differs only in case from another, which the file system does not tell apart; use one that does")
	ErrTooMany      = refusal("is one of more than any real package has, so it is taken for damaged or hostile")
)

// ErrNoPackage is an archive without the one file that every package has.
var ErrNoPackage = errors.New("there is no .PKGINFO: it is no package")

// ErrDamaged is a package that is not as it was made.
var ErrDamaged = errors.New("package is damaged; fetch it anew")

var errTruncated = fmt.Errorf("%w: it is truncated: %w", ErrDamaged, io.ErrUnexpectedEOF)

// EntryError is an error that one entry of the archive is to blame for.
type EntryError struct {
	Entry string // as the archive has it
	Other string // the other path involved, if any
	Err   error
}

func (e *EntryError) Error() string {
	text := fmt.Sprintf("archive entry %q: %v", e.Entry, e.Err)
	var r refusal
	if errors.As(e.Err, &r) {
		text = fmt.Sprintf("archive entry %q %v", e.Entry, e.Err)
	}
	if e.Other != "" {
		text += fmt.Sprintf(": %q", e.Other)
	}
	return text
}

func (e *EntryError) Unwrap() error { return e.Err }
