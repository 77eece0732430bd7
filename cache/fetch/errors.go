package fetch

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"path"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Try is one URL that was tried in vain. URL shows no password.
type Try struct {
	URL string
	Err error
}

// NotFoundError says that every place was asked and none has the file.
// errors.Is finds fs.ErrNotExist in it.
type NotFoundError struct {
	Name string
	URLs []string
}

func (e *NotFoundError) Error() string {
	if len(e.URLs) == 1 {
		return e.URLs[0] + " does not exist"
	}
	return fmt.Sprintf("no mirror has %s:\n\t%s", e.Name, strings.Join(e.URLs, "\n\t"))
}

func (e *NotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// UnreachableError says that a file could not be had, with each mirror's
// reason. errors.As and errors.Is look into the reasons.
type UnreachableError struct {
	Name  string
	Tries []Try
}

func (e *UnreachableError) Error() string {
	var b strings.Builder
	if len(e.Tries) == 1 {
		fmt.Fprintf(&b, "cannot get %s: %v", e.Tries[0].URL, e.Tries[0].Err)
	} else {
		fmt.Fprintf(&b, "cannot get %s from any of %d mirrors:", e.Name, len(e.Tries))
		for _, try := range e.Tries {
			fmt.Fprintf(&b, "\n\t%s: %v", try.URL, try.Err)
		}
	}
	if advice := e.advice(); advice != "" {
		b.WriteString("\n" + advice)
	}
	return b.String()
}

func (e *UnreachableError) Unwrap() []error {
	errs := make([]error, len(e.Tries))
	for i, try := range e.Tries {
		errs[i] = try.Err
	}
	return errs
}

// advice is what to do next, by what went wrong.
func (e *UnreachableError) advice() string {
	var dns *net.DNSError
	switch {
	case isCertificate(e):
		return "look at the machine's clock, and whether it has ca-certificates (SSL_CERT_FILE names another set), then at the server's certificate"
	case errors.As(e, &dns), errors.Is(e, unix.ENETUNREACH), errors.Is(e, unix.EHOSTUNREACH):
		return "look at the network connection and at https_proxy; without a network, DEVENV_OFFLINE=1 uses what is in the cache"
	case errors.Is(e, fs.ErrPermission):
		return "make it readable for you, or name another server under [mirrors] in devenv.toml"
	}
	return "try again later, or name another server under [mirrors] in devenv.toml"
}

// CorruptError says that a server gave other bytes than those asked for. Nothing
// of them was kept.
type CorruptError struct {
	URL  string
	Want string // a hash, a size, a kind of file
	Got  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s is not what was asked for: want %s, got %s; nothing was kept: try another mirror, or run \"devenv update\" if it was published anew",
		e.URL, e.Want, e.Got)
}

// OfflineError says that a file is not in the cache and the network was refused.
type OfflineError struct{ URL string }

func (e *OfflineError) Error() string {
	return fmt.Sprintf("%s is needed but not in the cache, and DEVENV_OFFLINE is set: unset it, or fetch once with a network", e.URL)
}

// StatusError is an HTTP answer that is no success.
type StatusError struct {
	Code       int
	RetryAfter time.Duration // what the server asked for; 0: nothing
}

func (e *StatusError) Error() string {
	text := http.StatusText(e.Code)
	if text == "" {
		text = "unknown status"
	}
	return fmt.Sprintf("the server answered %d (%s)", e.Code, strings.ToLower(text))
}

// retryable reports whether asking again may help.
func (e *StatusError) retryable() bool {
	switch e.Code {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	return e.Code >= 500
}

// StallError says that a server gave nothing for too long.
type StallError struct{ After time.Duration }

func (e *StallError) Error() string { return fmt.Sprintf("no byte for %v", e.After) }

// localError is a failure on our side of a transfer, the destination's.
type localError struct{ err error }

func (e *localError) Error() string { return e.err.Error() }
func (e *localError) Unwrap() error { return e.err }

func isCertificate(err error) bool {
	var verify *tls.CertificateVerificationError
	var unknown x509.UnknownAuthorityError
	return errors.As(err, &verify) || errors.As(err, &unknown)
}

// errMissing is 404, 410 or ENOENT at one place.
var errMissing = errors.New("not there")

// outcome gathers what was tried into the one error that says it best.
func outcome(name string, tries []Try) error {
	missing, offline := 0, 0
	urls := make([]string, len(tries))
	for i, try := range tries {
		urls[i] = try.URL
		var off *OfflineError
		switch {
		case errors.Is(try.Err, errMissing):
			missing++
		case errors.As(try.Err, &off):
			offline++
		}
	}
	var corrupt *CorruptError
	switch {
	case len(tries) == 0:
		return fmt.Errorf("no server is known for %s: name one under [mirrors] in devenv.toml", name)
	case missing == len(tries):
		return &NotFoundError{Name: name, URLs: urls}
	case offline > 0 && offline+missing == len(tries):
		return &OfflineError{URL: firstOffline(tries)}
	case len(tries) == 1 && errors.As(tries[0].Err, &corrupt):
		return corrupt
	}
	return &UnreachableError{Name: name, Tries: tries}
}

func firstOffline(tries []Try) string {
	for _, try := range tries {
		var off *OfflineError
		if errors.As(try.Err, &off) {
			return off.URL
		}
	}
	return ""
}

// nameOf is the last element of a URL's or path's path, for messages.
func nameOf(src source) string {
	if src.local() {
		return path.Base(src.path)
	}
	return path.Base(src.url.Path)
}
