package fetch

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// receive asks one server once for what the part still lacks.
func (t *transfer) receive(ctx context.Context, src source) error {
	t.report.send(Event{State: Asking, Done: t.part.n, Total: t.req.Size})
	header := make(http.Header)
	if !t.resume(src, header) && t.stored != nil {
		t.stored.ask(src, header)
	}
	resp, err := t.c.do(ctx, http.MethodGet, src, header)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		if header.Get("If-None-Match") == "" && header.Get("If-Modified-Since") == "" {
			return errors.New("the server answered 304 (not modified) to a plain question")
		}
		t.res = Result{URL: src.String()}
		return nil
	}
	body, total, err := t.accept(src, resp)
	if err != nil {
		return err
	}
	if err := t.copy(src, body, total); err != nil {
		return err
	}
	if err := t.check(src); err != nil {
		return err
	}
	t.res = Result{URL: src.String(), Changed: true, Modified: modified(resp)}
	if t.stored != nil {
		t.stored.from = validatorsOf(src, resp)
	}
	return nil
}

// resume asks for the rest of the part, where something vouches for its
// beginning: a hash that will be checked, or the same server's validators.
func (t *transfer) resume(src source, header http.Header) bool {
	p := t.part
	if p.n == 0 {
		return false
	}
	same := p.from.URL == src.String() && p.from.ifRange() != ""
	if !same && t.req.SHA256 == "" || t.req.SHA256 == "" && p.from.Boot != bootID() {
		return false
	}
	if t.req.Size > 0 && p.n >= t.req.Size {
		return false // as long as it should be, and wrong
	}
	header.Set("Range", fmt.Sprintf("bytes=%d-", p.n))
	if same {
		header.Set("If-Range", p.from.ifRange())
	}
	return true
}

// accept readies the part for an answer's body. total is the length of the
// whole file, 0 where the server does not say.
func (t *transfer) accept(src source, resp *http.Response) (body io.Reader, total int64, err error) {
	encoding := resp.Header.Get("Content-Encoding")
	switch resp.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable:
		return nil, 0, t.again(errors.New("the server's file is shorter than what was received before; starting over"))
	case http.StatusPartialContent:
		start, total, err := contentRange(resp.Header.Get("Content-Range"))
		if err != nil || start != t.part.n || encoding != "" && encoding != "identity" {
			return nil, 0, t.again(fmt.Errorf("the server gave another range than asked for (%q); starting over", resp.Header.Get("Content-Range")))
		}
		if err := t.checkLength(src, total); err != nil {
			return nil, 0, err
		}
		t.mixed = true
		return resp.Body, total, t.part.room(total)
	}
	body, encoded, err := plain(src, resp.Body, encoding)
	if err != nil {
		return nil, 0, err
	}
	if body, err = t.refuseWebPage(src, resp, body); err != nil {
		return nil, 0, err
	}
	if total = resp.ContentLength; encoded || total < 0 {
		total = 0
	}
	if err := t.checkLength(src, total); err != nil {
		return nil, 0, err
	}
	t.mixed = false
	return body, total, t.part.begin(validatorsOf(src, resp), total)
}

// checkLength refuses a file of the wrong length before its first byte.
func (t *transfer) checkLength(src source, total int64) error {
	switch {
	case total <= 0:
		return nil
	case t.req.Size > 0 && total != t.req.Size:
		return t.corrupt(src, fmt.Sprintf("%d bytes", t.req.Size), fmt.Sprintf("%d bytes", total))
	case total > t.req.limit():
		return t.corrupt(src, fmt.Sprintf("at most %d bytes", t.req.limit()), fmt.Sprintf("%d bytes", total))
	}
	return nil
}

// copy moves a body into the part, and not one byte more than may come.
func (t *transfer) copy(src source, body io.Reader, total int64) error {
	if total == 0 {
		total = t.req.Size
	}
	buf := make([]byte, copySize)
	for {
		n, err := body.Read(buf)
		if t.part.n+int64(n) > t.req.limit() {
			return t.corrupt(src, fmt.Sprintf("at most %d bytes", t.req.limit()), "more")
		}
		if n > 0 {
			if _, err := t.part.Write(buf[:n]); err != nil {
				return err
			}
			t.report.bytes(t.part.n, total)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the connection broke after %d bytes: %w", t.part.n, err)
		}
	}
}

// refuseWebPage finds the login page that a hotel's network gives in place of every file.
func (t *transfer) refuseWebPage(src source, resp *http.Response, body io.Reader) (io.Reader, error) {
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || isPage(src) {
		return body, nil
	}
	buffered := bufio.NewReaderSize(body, 4096)
	head, _ := buffered.Peek(64)
	if !bytes.HasPrefix(bytes.TrimLeft(head, " \t\r\n\ufeff"), []byte("<")) {
		return buffered, nil
	}
	return nil, t.corrupt(src, "a file", "a web page (is there a login page between this machine and the network?)")
}

func isPage(src source) bool {
	return strings.HasSuffix(src.url.Path, "/") || strings.HasSuffix(src.url.Path, ".html")
}

// plain undoes a Content-Encoding, which we asked the server not to use. There are
// servers that name a gzip file's own compression as its encoding; then
// the bytes as they come are the file.
func plain(src source, body io.Reader, encoding string) (r io.Reader, encoded bool, err error) {
	switch encoding {
	case "", "identity":
		return body, false, nil
	case "gzip", "x-gzip":
	default:
		return nil, false, &encodingError{encoding}
	}
	raw := bufio.NewReaderSize(body, 64<<10)
	head, _ := raw.Peek(raw.Size())
	inside, err := gunzipHead(head)
	if err != nil || ownGzip(nameOf(src)) && !compressed(inside) {
		return raw, false, nil
	}
	decoded, err := gzip.NewReader(raw)
	return decoded, true, err
}

type encodingError struct{ encoding string }

func (e *encodingError) Error() string {
	return fmt.Sprintf("the server compresses its answer (%.20s) although asked not to", e.encoding)
}

// gunzipHead is the first bytes of what head, the beginning of a gzip file, holds.
func gunzipHead(head []byte) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(head))
	if err != nil {
		return nil, err
	}
	inside := make([]byte, 8)
	n, err := io.ReadFull(zr, inside)
	if n == 0 {
		return nil, err
	}
	return inside[:n], nil
}

// ownGzip reports whether a file of that name is itself gzip-compressed.
func ownGzip(name string) bool {
	for _, suffix := range []string{".gz", ".tgz", ".db", ".files"} {
		if strings.HasSuffix(name, suffix) {
			return true
		}
	}
	return false
}

// compressed knows gzip, zstd, xz and bzip2 by their first bytes.
func compressed(head []byte) bool {
	for _, magic := range []string{"\x1f\x8b", "\x28\xb5\x2f\xfd", "\xfd7zXZ\x00", "BZh"} {
		if bytes.HasPrefix(head, []byte(magic)) {
			return true
		}
	}
	return false
}

// contentRange reads "bytes START-END/TOTAL"; total is 0 where it is "*".
func contentRange(value string) (start, total int64, err error) {
	var end int64
	var rest string
	if _, err := fmt.Sscanf(value, "bytes %d-%d/%s", &start, &end, &rest); err != nil {
		return 0, 0, fmt.Errorf("bad Content-Range %q", value)
	}
	if rest != "*" {
		if _, err := fmt.Sscanf(rest, "%d", &total); err != nil {
			return 0, 0, fmt.Errorf("bad Content-Range %q", value)
		}
	}
	if start < 0 || end < start || total < 0 || total > 0 && end >= total {
		return 0, 0, fmt.Errorf("bad Content-Range %q", value)
	}
	return start, total, nil
}

func validatorsOf(src source, resp *http.Response) validators {
	return validators{
		URL:      src.String(),
		ETag:     resp.Header.Get("ETag"),
		Modified: resp.Header.Get("Last-Modified"),
	}
}

func modified(resp *http.Response) time.Time {
	date, err := http.ParseTime(resp.Header.Get("Last-Modified"))
	if err != nil {
		return time.Time{}
	}
	return date
}
