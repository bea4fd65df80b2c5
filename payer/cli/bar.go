package cli

// This file is the bar on a terminal, for payments and for bodies that do not go to the terminal themselves.

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// download returns the body of a response, whose way is shown if it does not go to the terminal itself.
func (d *display) download(response *http.Response, toFile bool) io.Reader {
	if !d.bar || !toFile && !d.piped {
		return response.Body
	}
	return &watched{in: response.Body, show: d, total: response.ContentLength}
}

// watched is a body that is watched.
type watched struct {
	in    io.Reader
	show  *display
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
	w.show.draw("receiving", w.read, total, size(w.read))
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
