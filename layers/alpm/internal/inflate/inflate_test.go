package inflate

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// samples are texts of different kinds, at sizes around those of buffers.
func samples() [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	list := [][]byte{nil, {'a'}, bytes.Repeat([]byte{0}, 700_000)}
	for _, size := range []int{10, 300, window - 1, window, 100_000, outSize, outSize + 2*window} {
		noise, words, runs := make([]byte, size), make([]byte, 0, size), make([]byte, 0, size)
		for i := range noise {
			noise[i] = byte(rnd.Uint32())
		}
		for len(words) < size {
			words = append(words, "%DEPENDS%\nglibc>=2.38-1 pkg"[:1+rnd.IntN(26)]...)
		}
		for len(runs) < size {
			unit := noise[:1+rnd.IntN(min(9, size))]
			runs = append(runs, bytes.Repeat(unit, 1+rnd.IntN(400))...)
		}
		list = append(list, noise, words, runs)
	}
	return list
}

func compress(t testing.TB, data []byte, level int) []byte {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, level)
	if err != nil {
		t.Fatal(err)
	}
	w.Name, w.Comment, w.Extra = "name", "comment", []byte("extra")
	w.Write(data)
	w.Close()
	return b.Bytes()
}

func inflate(r io.Reader) ([]byte, error) {
	z, err := NewReader(r)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

func TestReadsWhatGzipWrites(t *testing.T) {
	for i, data := range samples() {
		for _, level := range []int{gzip.NoCompression, gzip.BestSpeed, gzip.DefaultCompression, gzip.BestCompression, gzip.HuffmanOnly} {
			packed := compress(t, data, level)
			readers := []io.Reader{bytes.NewReader(packed), iotest.DataErrReader(bytes.NewReader(packed))}
			if len(packed) < inSize { // more says nothing new, slowly
				readers = append(readers, iotest.OneByteReader(bytes.NewReader(packed)))
			}
			for _, r := range readers {
				got, err := inflate(r)
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("sample %d at level %d: %d bytes of %d, %v", i, level, len(got), len(data), err)
				}
			}
		}
	}
}

func TestReadsMembersInTurn(t *testing.T) {
	packed := append(compress(t, []byte("one "), 6), compress(t, []byte("two"), 1)...)
	if got, err := inflate(bytes.NewReader(packed)); string(got) != "one two" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := inflate(bytes.NewReader(append(packed, "rubbish that follows"...))); err == nil {
		t.Error("rubbish after the last member is not seen")
	}
}

func TestEveryTruncationIsSeen(t *testing.T) {
	for _, data := range [][]byte{bytes.Repeat([]byte("glibc gcc-libs bash "), 200), samples()[9][:700]} {
		for _, level := range []int{0, 1, 9, gzip.HuffmanOnly} {
			packed := compress(t, data, level)
			for n := range packed {
				got, err := inflate(bytes.NewReader(packed[:n]))
				if !errors.Is(err, io.ErrUnexpectedEOF) {
					t.Fatalf("level %d cut to %d of %d bytes: %v", level, n, len(packed), err)
				}
				if !bytes.HasPrefix(data, got) {
					t.Fatalf("level %d cut to %d of %d bytes: other bytes come out", level, n, len(packed))
				}
			}
		}
	}
}

func TestEveryFlippedByteIsSeen(t *testing.T) {
	data := bytes.Repeat([]byte("glibc gcc-libs bash "), 100)
	packed := compress(t, data, 9)
	for i := 10 + 7 + 5 + 8; i < len(packed); i++ { // behind the header
		damaged := bytes.Clone(packed)
		damaged[i] ^= 0x55
		if got, err := inflate(bytes.NewReader(damaged)); err == nil {
			t.Errorf("byte %d: no error, equal: %v", i, bytes.Equal(got, data))
		}
	}
}

func TestSourceErrorComesThrough(t *testing.T) {
	packed := compress(t, samples()[10], 6)
	boom := errors.New("boom")
	r := io.MultiReader(bytes.NewReader(packed[:len(packed)/2]), iotest.ErrReader(boom))
	if _, err := inflate(r); !errors.Is(err, boom) {
		t.Errorf("%v, wanted %v", err, boom)
	}
}

// FuzzInflate compares with the standard library: what it reads, we read alike;
// what it refuses, we refuse.
func FuzzInflate(f *testing.F) {
	for i, data := range samples()[:10] {
		f.Add(compress(f, data[:min(len(data), 2000)], i%10))
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		got, err := inflate(bytes.NewReader(packed))
		var want []byte
		z, wantErr := gzip.NewReader(bytes.NewReader(packed))
		if wantErr == nil {
			want, wantErr = io.ReadAll(z)
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, the standard library says %v", err, wantErr)
		}
		if err == nil && !bytes.Equal(got, want) {
			t.Fatalf("other bytes than the standard library's")
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	data := samples()[len(samples())-2]
	packed := compress(b, data, 6)
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		z, err := NewReader(bytes.NewReader(packed))
		if err != nil {
			b.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, z); err != nil {
			b.Fatal(err)
		}
	}
}
