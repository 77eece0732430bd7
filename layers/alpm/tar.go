package alpm

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
)

// tarScanner walks a tar whose entries are small files, as databases are, and
// allocates nothing per entry: archive/tar would cost as much as all the rest
// of reading a database. It knows ustar names, the path and size of pax and
// GNU long names, which is all that libarchive writes for plain files.
type tarScanner struct {
	r    io.Reader
	buf  []byte // unread bytes are buf[pos:end]
	pos  int
	end  int
	done bool // r is exhausted

	name     []byte // of the current entry; valid until the next call of next
	regular  bool
	size     int64
	rest     int64 // of the current entry, with its padding
	offset   int64 // of the next unread byte
	maxEntry int64
}

const (
	blockSize = 512
	// maxName bounds pax and GNU records, which are read whole.
	maxName = 64 << 10
)

var errTruncated = fmt.Errorf("in the middle of an entry: %w", io.ErrUnexpectedEOF)

func newTarScanner(r io.Reader, maxEntry int64) *tarScanner {
	return &tarScanner{r: r, buf: make([]byte, 256<<10), maxEntry: maxEntry}
}

// next goes to the next entry that is not a record about another; io.EOF is the
// end of the archive.
func (t *tarScanner) next() error {
	var longName []byte
	longSize := int64(-1)
	for {
		if err := t.skip(t.rest); err != nil {
			return err
		}
		t.rest = 0
		header, err := t.header()
		if err != nil {
			return err
		}
		kind := header[156]
		switch kind {
		case 'x', 'g', 'L', 'K':
			record, err := t.record()
			if err != nil {
				return err
			}
			switch kind {
			case 'x':
				longName, longSize = paxRecord(record, longName, longSize)
			case 'L':
				longName = bytes.Clone(bytes.TrimRight(record, "\x00"))
			}
			continue
		}
		t.regular = kind == '0' || kind == 0 || kind == '7'
		if longName != nil {
			t.name = longName
		}
		switch {
		case !t.regular && kind != '5': // links and the like have no body
			return t.setSize(0)
		case longSize >= 0:
			return t.setSize(longSize)
		}
		return nil
	}
}

func (t *tarScanner) setSize(n int64) error {
	if n > t.maxEntry {
		return &LimitError{What: fmt.Sprintf("bytes in entry %q", t.name), Limit: t.maxEntry}
	}
	t.size = n
	t.rest = (n + blockSize - 1) / blockSize * blockSize
	return nil
}

// header reads one header block into name and size.
func (t *tarScanner) header() ([]byte, error) {
	b, err := t.peek(blockSize)
	if err != nil {
		if err == errTruncated && t.pos == t.end {
			return nil, io.EOF // no end mark, as some writers do
		}
		return nil, err
	}
	if b[0] == 0 && isZero(b) {
		return nil, io.EOF
	}
	if !checksumHolds(b) {
		return nil, fmt.Errorf("byte %d: not a tar header: the file is damaged or no tar archive", t.offset)
	}
	size, ok := tarNumber(b[124:136])
	if !ok {
		return nil, fmt.Errorf("byte %d: the tar header's size is no number", t.offset)
	}
	t.name = t.name[:0]
	if prefix := cString(b[345:500]); len(prefix) > 0 && string(b[257:263]) == "ustar\x00" {
		t.name = append(append(t.name, prefix...), '/')
	}
	t.name = append(t.name, cString(b[:100])...)
	t.consume(blockSize)
	return b, t.setSize(size)
}

// record reads the body of a pax or GNU record.
func (t *tarScanner) record() ([]byte, error) {
	if t.size > maxName {
		return nil, &LimitError{What: "bytes in a tar record", Limit: maxName}
	}
	return t.body()
}

// body returns the whole current entry, valid until the next call.
func (t *tarScanner) body() ([]byte, error) {
	size := int(t.size)
	b, err := t.peek(int(t.rest))
	if err != nil {
		return nil, err
	}
	t.consume(int(t.rest))
	t.rest = 0
	return b[:size], nil
}

// peek returns the next n bytes without consuming them. Names read before stay
// valid only while the buffer is not moved, so callers keep what they need.
func (t *tarScanner) peek(n int) ([]byte, error) {
	if t.end-t.pos < n {
		if err := t.fill(n); err != nil {
			return nil, err
		}
	}
	return t.buf[t.pos : t.pos+n], nil
}

func (t *tarScanner) fill(n int) error {
	into := t.buf
	if n > len(into) {
		into = make([]byte, n+n/2)
	}
	t.end = copy(into, t.buf[t.pos:t.end])
	t.buf, t.pos = into, 0
	for t.end < n {
		if t.done {
			return errTruncated
		}
		read, err := t.r.Read(t.buf[t.end:])
		t.end += read
		if err == io.EOF {
			t.done = true
		} else if err != nil {
			return err
		}
	}
	return nil
}

func (t *tarScanner) consume(n int) {
	t.pos += n
	t.offset += int64(n)
}

func (t *tarScanner) skip(n int64) error {
	for n > 0 {
		step := min(n, int64(len(t.buf)))
		if _, err := t.peek(int(step)); err != nil {
			return err
		}
		t.consume(int(step))
		n -= step
	}
	return nil
}

// drain reads what follows the end mark, so that the decompressor gets to check
// its own end mark and checksum.
func (t *tarScanner) drain() error {
	for !t.done {
		read, err := t.r.Read(t.buf)
		if err == io.EOF {
			t.done = true
		} else if err != nil {
			return err
		}
		t.offset += int64(read)
	}
	return nil
}

func checksumHolds(b []byte) bool {
	want, ok := tarNumber(b[148:156])
	if !ok {
		return false
	}
	// The field itself counts as blanks.
	sum := byteSum(b[:blockSize]) - byteSum(b[148:156]) + 8*' '
	return int64(sum) == want
}

// byteSum adds bytes up, eight at a time: headers are half of a database.
func byteSum(b []byte) uint64 {
	const lanes = 0x00ff00ff00ff00ff
	var sum uint64 // four lanes of 16 bits: enough for 2 × 128 words
	for ; len(b) >= 8; b = b[8:] {
		word := binary.LittleEndian.Uint64(b)
		sum += word&lanes + word>>8&lanes
	}
	return sum&0xffff + sum>>16&0xffff + sum>>32&0xffff + sum>>48
}

// tarNumber reads octal digits, or the base-256 form of large numbers.
func tarNumber(b []byte) (int64, bool) {
	if b[0] == 0x80 {
		var n int64
		for _, c := range b[1:] {
			if n >= 1<<54 {
				return 0, false
			}
			n = n<<8 | int64(c)
		}
		return n, true
	}
	b = bytes.Trim(b, " \x00")
	var n int64
	for _, c := range b {
		if c-'0' > 7 {
			return 0, false
		}
		n = n<<3 | int64(c-'0')
	}
	return n, true
}

// paxRecord picks path and size out of "LENGTH KEY=VALUE\n" records.
func paxRecord(b, name []byte, size int64) ([]byte, int64) {
	for len(b) > 0 {
		length, blank := 0, 0
		for blank < len(b) && isDigit(b[blank]) && length < maxName {
			length = length*10 + int(b[blank]-'0')
			blank++
		}
		if length <= blank+1 || length > len(b) {
			return name, size
		}
		key, value, _ := strings.Cut(strings.TrimSuffix(string(b[blank+1:length]), "\n"), "=")
		switch key {
		case "path":
			name = []byte(value)
		case "size":
			size = decimal(value)
		}
		b = b[length:]
	}
	return name, size
}

// decimal reads a number as strtoll does: what is no digit ends it.
func decimal(s string) int64 {
	var n int64
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !isDigit(c) || n > (1<<63-10)/10 {
			break
		}
		n = n*10 + int64(c-'0')
	}
	return n
}

func cString(b []byte) []byte {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		return b[:i]
	}
	return b
}

func isZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
