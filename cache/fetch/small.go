package fetch

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// Info is what a server says of a file.
type Info struct {
	URL      string    // where it was found, without any password
	Size     int64     // -1: not known
	Modified time.Time // zero: not known
}

// Head asks whether a file exists, how long it is and when it was published.
// A file that no mirror has is a [NotFoundError].
func (c *Client) Head(ctx context.Context, urls ...string) (info Info, err error) {
	err = c.each(ctx, firstName(urls), urls, nil, func(ctx context.Context, src source) (bool, error) {
		info, err = c.head(ctx, src)
		return false, err
	})
	return info, err
}

func (c *Client) head(ctx context.Context, src source) (Info, error) {
	if src.local() {
		stat, err := os.Stat(src.path)
		if err != nil {
			return Info{}, err
		}
		return Info{URL: src.String(), Size: stat.Size(), Modified: stat.ModTime()}, nil
	}
	resp, err := c.do(ctx, http.MethodHead, src, http.Header{})
	if err != nil {
		return Info{}, err
	}
	defer resp.Body.Close()
	return Info{URL: src.String(), Size: resp.ContentLength, Modified: modified(resp)}, nil
}

// Range reads n bytes from offset off of a file; fewer, where it ends
// before. size is that of the whole file, -1 where the server does not say. A server
// that knows no ranges costs the bytes before off, but no more than off+n.
func (c *Client) Range(ctx context.Context, off, n int64, urls ...string) (data []byte, info Info, err error) {
	err = c.each(ctx, firstName(urls), urls, nil, func(ctx context.Context, src source) (bool, error) {
		if src.local() {
			data, info, err = localRange(src, off, n)
		} else {
			data, info, err = c.remoteRange(ctx, src, off, n)
		}
		return false, err
	})
	return data, info, err
}

func localRange(src source, off, n int64) ([]byte, Info, error) {
	f, stat, err := openRegular(src.path)
	if err != nil {
		return nil, Info{}, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, off, n))
	return data, Info{URL: src.String(), Size: stat.Size(), Modified: stat.ModTime()}, err
}

func (c *Client) remoteRange(ctx context.Context, src source, off, n int64) ([]byte, Info, error) {
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", off, off+n-1)}}
	resp, err := c.do(ctx, http.MethodGet, src, header)
	if err != nil {
		return nil, Info{}, err
	}
	defer resp.Body.Close()
	info := Info{URL: src.String(), Size: -1, Modified: modified(resp)}
	switch resp.StatusCode {
	case http.StatusRequestedRangeNotSatisfiable: // off is at or behind the end
		fmt.Sscanf(resp.Header.Get("Content-Range"), "bytes */%d", &info.Size)
		return nil, info, nil
	case http.StatusPartialContent:
		start, total, err := contentRange(resp.Header.Get("Content-Range"))
		if err != nil || start != off {
			return nil, Info{}, fmt.Errorf("the server gave another range than asked for (%q)", resp.Header.Get("Content-Range"))
		}
		if total > 0 {
			info.Size = total
		}
	default:
		info.Size = resp.ContentLength
		if _, err := io.CopyN(io.Discard, resp.Body, off); err == io.EOF {
			return nil, info, nil
		} else if err != nil {
			return nil, Info{}, err
		}
	}
	if encoding := resp.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" && resp.StatusCode == http.StatusPartialContent {
		return nil, Info{}, &encodingError{encoding}
	}
	want := n
	if info.Size >= 0 {
		want = max(0, min(n, info.Size-off))
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, want))
	if err == nil && int64(len(data)) < want && info.Size >= 0 {
		err = io.ErrUnexpectedEOF
	}
	return data, info, err
}

// Bytes reads a small file, of at most limit bytes, into memory.
func (c *Client) Bytes(ctx context.Context, limit int64, urls ...string) (data []byte, info Info, err error) {
	err = c.each(ctx, firstName(urls), urls, nil, func(ctx context.Context, src source) (bool, error) {
		data, info, err = c.read(ctx, src, limit)
		if err == nil && int64(len(data)) > limit {
			err = &CorruptError{URL: src.String(), Want: fmt.Sprintf("at most %d bytes", limit), Got: "more"}
		}
		return false, err
	})
	return data, info, err
}

func (c *Client) read(ctx context.Context, src source, limit int64) ([]byte, Info, error) {
	if src.local() {
		return localRange(src, 0, limit+1)
	}
	resp, err := c.do(ctx, http.MethodGet, src, http.Header{})
	if err != nil {
		return nil, Info{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, Info{}, &StatusError{Code: resp.StatusCode}
	}
	body, _, err := plain(src, resp.Body, resp.Header.Get("Content-Encoding"))
	if err != nil {
		return nil, Info{}, err
	}
	var buf bytes.Buffer
	_, err = io.Copy(&buf, io.LimitReader(body, limit+1))
	final := src.String()
	if resp.Request != nil && resp.Request.URL != nil {
		final = resp.Request.URL.Redacted()
	}
	return buf.Bytes(), Info{URL: final, Size: int64(buf.Len()), Modified: modified(resp)}, err
}

func firstName(urls []string) string {
	if len(urls) == 0 {
		return "a file"
	}
	src, err := parse(urls[0])
	if err != nil {
		return urls[0]
	}
	return nameOf(src)
}
