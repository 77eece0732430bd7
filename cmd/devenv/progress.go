package main

import (
	"fmt"
	"sync"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"devenv/env"
)

// bars draws what a build does: one line a download on a terminal, one line a
// step elsewhere.
type bars struct {
	u    *ui
	mu   sync.Mutex
	pool *mpb.Progress
	bar  map[string]*mpb.Bar
	said map[env.Step]bool
}

// progress gives the function that a project reports to.
func (u *ui) progress() func(env.Event) {
	if u.bars == nil {
		u.bars = &bars{u: u, bar: map[string]*mpb.Bar{}, said: map[env.Step]bool{}}
	}
	return u.bars.report
}

// settle ends all bars: what follows on the terminal is somebody else's.
func (u *ui) settle() {
	if u.bars == nil {
		return
	}
	u.bars.mu.Lock()
	defer u.bars.mu.Unlock()
	if u.bars.pool == nil {
		return
	}
	for _, b := range u.bars.bar {
		b.Abort(true)
	}
	u.bars.pool.Wait()
	u.bars.pool, u.bars.bar = nil, map[string]*mpb.Bar{}
}

func (b *bars) report(e env.Event) {
	switch e.Step {
	case env.Warning:
		b.line("%s %s", b.u.bold("warning:"), e.Text)
		return
	case env.Note:
		if !b.u.quiet {
			b.line("devenv: %s", e.Text)
		}
		return
	case env.Detail:
		if b.u.verbose {
			b.line("devenv: %s", e.Text)
		}
		return
	}
	if b.u.quiet {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.u.terminal {
		if e.Name == "" && !b.said[e.Step] {
			b.said[e.Step] = true
			fmt.Fprintf(b.u.err, "devenv: %s\n", e.Text)
		}
		return
	}
	b.draw(e)
}

// line prints above the bars.
func (b *bars) line(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pool != nil {
		fmt.Fprintf(b.pool, format+"\n", args...)
		return
	}
	fmt.Fprintf(b.u.err, format+"\n", args...)
}

func (b *bars) draw(e env.Event) {
	if b.pool == nil {
		b.pool = mpb.New(mpb.WithOutput(b.u.err), mpb.WithWidth(30), mpb.WithAutoRefresh())
	}
	key := string(e.Step) + " " + e.Name
	bar := b.bar[key]
	if bar == nil {
		if e.End {
			return
		}
		bar = b.add(e)
		b.bar[key] = bar
	}
	if e.Total > 0 {
		bar.SetTotal(e.Total, false)
	}
	bar.SetCurrent(e.Done)
	if e.End {
		bar.Abort(true)
		delete(b.bar, key)
	}
}

func (b *bars) add(e env.Event) *mpb.Bar {
	name := e.Name
	count := decor.Counters(decor.SizeB1024(0), "% .1f / % .1f", decor.WCSyncWidth)
	if name == "" { // a step over all packages
		name = string(e.Step)
		count = decor.CountersNoUnit("%d / %d", decor.WCSyncWidth)
	}
	return b.pool.AddBar(e.Total, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
		mpb.AppendDecorators(count))
}
