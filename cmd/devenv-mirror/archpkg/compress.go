package archpkg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// A Compressor gives a writer of compressed bytes to w. Its Close ends the
// stream, not w.
type Compressor func(w io.Writer) (io.WriteCloser, error)

// Fast compresses as fast as it can be done: for a mirror that is made often.
func Fast(w io.Writer) (io.WriteCloser, error) {
	return zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
}

// Level compresses with zstd(1) at a level of 1 to 22, as makepkg does: see
// COMPRESSZST in makepkg.conf(5). Levels from 20 on have windows of 32 MiB and
// more. zstd is killed when ctx ends.
func Level(ctx context.Context, level int) Compressor {
	return func(w io.Writer) (io.WriteCloser, error) {
		p := &program{cmd: exec.CommandContext(ctx, "zstd", "--ultra", "-"+strconv.Itoa(level), "-T1", "-c", "-q", "-")}
		p.cmd.Stdout, p.cmd.Stderr = w, &p.words
		var err error
		if p.WriteCloser, err = p.cmd.StdinPipe(); err != nil {
			return nil, err
		}
		return p, p.cmd.Start()
	}
}

// program is zstd while it runs, and its standard input.
type program struct {
	io.WriteCloser
	cmd   *exec.Cmd
	words bytes.Buffer
}

func (p *program) Close() error {
	err := errors.Join(p.WriteCloser.Close(), p.cmd.Wait())
	if err != nil {
		return fmt.Errorf("zstd: %w: %s", err, bytes.TrimSpace(p.words.Bytes()))
	}
	return nil
}
