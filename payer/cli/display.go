package cli

// This file is what a fetch says on stderr: the steps with -v, and what was paid.

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/payer"
)

// display writes to stderr.
type display struct {
	out     io.Writer
	now     func() time.Time
	quiet   bool // of -s
	verbose bool
	bar     bool // stderr is a terminal
	piped   bool // stdout is none

	mu    sync.Mutex
	drawn time.Time // the bar
	what  string    // it shows
	shown bool
}

func newDisplay(cmd *cobra.Command, e Environment) *display {
	terminal := e.Terminal
	if terminal == nil {
		terminal = func(io.Writer) bool { return false }
	}
	quiet := chosen(cmd, "silent")
	return &display{
		out: cmd.ErrOrStderr(), now: e.Now, quiet: quiet, verbose: chosen(cmd, "verbose"),
		bar: terminal(cmd.ErrOrStderr()) && !quiet, piped: !terminal(cmd.OutOrStdout()),
	}
}

// name is a URL without what may be secret in it.
func (d *display) name(u *url.URL) string { return clean(u.Scheme + "://" + u.Host + u.EscapedPath()) }

// say writes a line, unless -s was given. There is nowhere else to say that it cannot be written.
func (d *display) say(format string, values ...any) {
	if d.quiet {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wipe()
	_, _ = fmt.Fprintf(d.out, "paydoor: %s\n", cleanLines(fmt.Sprintf(format, values...)))
}

// step writes a line with -v.
func (d *display) step(mark, format string, values ...any) {
	if !d.verbose {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wipe()
	_, _ = fmt.Fprintf(d.out, "%s %s\n", mark, cleanLines(fmt.Sprintf(format, values...)))
}

// payment shows how far a payment is.
func (d *display) payment(p payer.Progress) {
	switch {
	case p.Done && p.Err != nil:
		d.step("*", "the payment to %s ended: %s", clean(p.Host), clean(p.Err.Error()))
	case p.Done:
		d.step("*", "%s sent, %s delivered", p.Sent, p.Delivered)
	case p.Cost == 0: // nobody has approved it yet
	case p.Sent == 0 && p.Delivered == 0 && p.Unknown == 0 && p.Due > 0:
		d.step("*", "paying %s to %s by %s, which costs %s", p.Due, clean(p.Host), p.Method, p.Cost)
	case p.Sent == 0 && p.Unknown == 0:
		d.step("*", "paying %s what it takes while it answers, up to %s", clean(p.Host), p.Cost)
	}
	if !p.Done && p.Cost > 0 {
		d.draw(fmt.Sprintf("paying %s", clean(p.Host)), uint64(p.Sent), uint64(p.Cost), fmt.Sprintf("%s of %s", p.Sent, p.Cost))
	}
}

// waits says why nothing happens.
func (d *display) waits(host string, atMost time.Duration) {
	if atMost == 0 {
		d.say("waiting until another program has paid %s", clean(host))
		return
	}
	d.say("waiting for up to %s: an earlier payment to %s may still arrive, and is asked for before another is made", atMost.Round(time.Second), clean(host))
}

// paid says what an answer has cost.
func (d *display) paid(payments []payer.Progress, response *http.Response) {
	left := ""
	if balance := response.Header.Get("Pay-Balance"); balance != "" {
		left = ", where " + clean(balance) + " are left"
	}
	d.sent(payments, left)
}

// unanswered says what was paid for an answer that did not come.
func (d *display) unanswered(payments []payer.Progress) {
	d.sent(payments, ", where it is left unless the request was charged")
}

func (d *display) sent(payments []payer.Progress, left string) {
	for _, p := range payments {
		if p.Sent == 0 && p.Unknown == 0 {
			continue
		}
		text := fmt.Sprintf("paid %s to %s", p.Sent, clean(p.Host))
		if p.Unknown > 0 {
			text += fmt.Sprintf(", and perhaps %s more", p.Unknown)
		}
		d.say("%s%s", text, left)
	}
}
