package cli

// This file is the bar on a terminal, for payments, for long bodies of requests, and for those of answers that do not go to the terminal themselves.

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// download returns the body of a response, whose way is shown if it does not go to the terminal itself.
func (d *display) download(response *http.Response, toFile bool) io.Reader {
	if !d.bar || !toFile && !d.piped {
		return response.Body
	}
	return &watched{in: response.Body, show: d, what: "receiving", total: response.ContentLength}
}

// upload shows the way of a long body of a request, until it is answered.
func (d *display) upload(r *http.Request) (answered func()) {
	if !d.bar || r.Body == nil || r.ContentLength >= 0 && r.ContentLength < waitFrom {
		return func() {}
	}
	var over atomic.Bool
	watch := func(b io.ReadCloser) io.ReadCloser {
		return struct {
			io.Reader
			io.Closer
		}{&watched{in: b, show: d, what: "sending", total: r.ContentLength, over: &over}, b}
	}
	r.Body = watch(r.Body)
	if open := r.GetBody; open != nil {
		r.GetBody = func() (io.ReadCloser, error) {
			b, err := open()
			if err != nil {
				return nil, err
			}
			return watch(b), nil
		}
	}
	return func() { over.Store(true) }
}

// watched is a body that is watched.
type watched struct {
	in    io.Reader
	show  *display
	what  string       // happens to it
	over  *atomic.Bool // nothing is shown any more, if not nil
	read  uint64
	total int64 // -1: unknown
}

func (w *watched) Read(b []byte) (int, error) {
	n, err := w.in.Read(b)
	w.read += uint64(n)
	total := uint64(0)
	if w.total > 0 {
		total = uint64(w.total)
	}
	if w.over != nil && w.over.Load() {
		return n, err
	}
	w.show.draw(w.what, w.read, total, size(w.read))
	return n, err
}

// size says a number of bytes in the unit that fits.
func size(n uint64) string {
	for _, unit := range []string{"B", "KiB", "MiB", "GiB"} {
		if n < 10_000 {
			return fmt.Sprintf("%d %s", n, unit)
		}
		n /= 1024
	}
	return fmt.Sprintf("%d TiB", n)
}

const (
	drawEvery = 100 * time.Millisecond
	barWidth  = 30
)

// draw shows a bar, ten times a second at most. A total of 0 is unknown.
func (d *display) draw(what string, done, total uint64, text string) {
	if !d.bar {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); now.Sub(d.drawn) < drawEvery && d.what == what {
		return
	}
	d.drawn, d.what = d.now(), what
	bar := ""
	if total > 0 {
		full, _, _ := amount.Amount(min(done, total)).MulDiv(barWidth, total)
		bar = "[" + strings.Repeat("#", int(full)) + strings.Repeat(" ", barWidth-int(full)) + "] "
	}
	_, _ = fmt.Fprintf(d.out, "\r\x1b[K%s %s%s", what, bar, text)
	d.shown = true
}

// clear takes the bar away.
func (d *display) clear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wipe()
}

func (d *display) wipe() {
	if d.shown {
		_, _ = fmt.Fprint(d.out, "\r\x1b[K")
		d.shown = false
	}
}
