package main

import (
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress is a bar on stderr for a person who waits. The zero value shows nothing.
type progress struct {
	bars *mpb.Progress
	bar  *mpb.Bar
}

// newProgress returns a bar where stderr is a terminal.
func (a *app) newProgress(name string) *progress {
	if !isTerminal(a.stderr) {
		return &progress{}
	}
	bars := mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(40))
	bar := bars.AddBar(0, mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.Name(name+" ")),
		mpb.AppendDecorators(decor.CountersNoUnit("%d of %d")))
	return &progress{bars, bar}
}

// set shows that so many of total are done; total is 0 while it is not known.
func (p *progress) set(done, total int) {
	if p.bar == nil {
		return
	}
	p.bar.SetTotal(int64(total), false)
	p.bar.SetCurrent(int64(done))
}

// done takes the bar away.
func (p *progress) done() {
	if p.bar == nil {
		return
	}
	p.bar.Abort(true)
	p.bars.Wait()
}
