package caddymodule

// This file subscribes to the events as another module of a config would.

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyevents"

	"github.com/paydoor/paydoor/ilpcore"
)

func init() { caddy.RegisterModule(new(eventNotes)) }

// eventNotes is an event handler that notes what it hears.
type eventNotes struct{}

// heard is what all of them have heard.
var heard struct {
	mu    sync.Mutex
	lines []string
	slow  chan struct{} // if not nil, handlers wait until it is closed
}

func (*eventNotes) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "events.handlers.paydoor_test_notes", New: func() caddy.Module { return new(eventNotes) }}
}

func (*eventNotes) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }

func (*eventNotes) Handle(_ context.Context, e caddy.Event) error {
	heard.mu.Lock()
	slow := heard.slow
	heard.mu.Unlock()
	if slow != nil {
		<-slow
	}
	heard.mu.Lock()
	defer heard.mu.Unlock()
	heard.lines = append(heard.lines, fmt.Sprint(e.Name(), " ", e.Data))
	return nil
}

var _ caddyevents.Handler = (*eventNotes)(nil)

// listening returns a server whose events are noted.
func listening(t *testing.T) *server {
	s := newServer(t)
	heard.mu.Lock()
	heard.lines, heard.slow = nil, nil
	heard.mu.Unlock()
	s.global = "events {\non paydoor.credited paydoor_test_notes\non paydoor.link_up paydoor_test_notes\non paydoor.link_down paydoor_test_notes\n}"
	return s
}

// awaitHeard waits until an event contains text, and returns all that were heard.
func awaitHeard(t *testing.T, text string) []string {
	t.Helper()
	for range 1000 {
		heard.mu.Lock()
		lines := append([]string(nil), heard.lines...)
		heard.mu.Unlock()
		if strings.Contains(strings.Join(lines, "\n"), text) {
			return lines
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%q was not heard", text)
	return nil
}

func TestPaymentsAreAnnounced(t *testing.T) {
	s := listening(t)
	s.load()
	s.pay("70")
	lines := awaitHeard(t, "amount:70")
	if !strings.Contains(lines[0], "paydoor.credited map[account:") || !strings.Contains(lines[0], "asset:USD") || strings.Contains(lines[0], token) {
		t.Errorf("heard %q", lines)
	}
	s.site += "\nheader X-Other config"
	s.load()
	s.pay("71")
	awaitHeard(t, "amount:71")
}

// TestLinkChangesAreAnnounced has a neighbour that comes, stays over a reload, and goes.
func TestLinkChangesAreAnnounced(t *testing.T) {
	s := listening(t)
	s.options += "\naccount kid {\nrelation child\nbtp listen " + strong + "\n}"
	s.load()
	up := func() float64 {
		series, _ := s.scrape()
		return series[`paydoor_link_up{link="kid",relation="child"}`]
	}
	if up() != 0 {
		t.Error("the link is up before anybody came")
	}
	kid := s.neighbour("/ilp/btp", "", strong, nil)
	awaitHeard(t, "paydoor.link_up map[link:kid]")
	s.site += "\nheader X-Other config"
	s.load()
	if up() != 1 {
		t.Error("the metric says that the link is down")
	}
	if err := kid.Close(); err != nil {
		t.Fatal(err)
	}
	awaitHeard(t, "paydoor.link_down map[link:kid]")
	if up() != 0 {
		t.Error("the metric says that the link is up")
	}
}

// TestLinkThatIsFasterThanItsConfig comes up before there is anybody to tell.
func TestLinkThatIsFasterThanItsConfig(t *testing.T) {
	in := incoming{neighbour: "bob"}
	var told []string
	note := func(neighbour ilpcore.AccountID, up bool) { told = append(told, fmt.Sprint(neighbour, " ", up)) }
	states := 0
	state := in.telling(func(bool) { states++ })
	state(true)
	state(false)
	state(true)
	in.add(&handler{announce: note})
	in.add(&handler{announce: func(ilpcore.AccountID, bool) { told = append(told, "newer") }})
	state(false)
	if got := strings.Join(told, ", "); got != "bob true, newer" || states != 4 {
		t.Errorf("%d states became %q", states, got)
	}
}

// TestSlowHandlersHoldUpNobody has a handler that does not return while payments come.
func TestSlowHandlersHoldUpNobody(t *testing.T) {
	s := listening(t)
	s.load()
	release := make(chan struct{})
	heard.mu.Lock()
	heard.slow = release
	heard.mu.Unlock()
	for range 5 {
		s.pay("1")
	}
	s.want(s.do("GET", "/"), 402, "5")
	close(release)
	lines := awaitHeard(t, "amount:1")
	for i := 0; len(lines) < 5 && i < 100; i++ {
		time.Sleep(10 * time.Millisecond)
		lines = awaitHeard(t, "amount:1")
	}
	if len(lines) != 5 {
		t.Errorf("heard %d of 5 payments", len(lines))
	}
}

// TestUnheardEventsCostNothing wants no work for an event that nobody subscribed to.
func TestUnheardEventsCostNothing(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("1")
	app, _ := activeApp()
	for i := 0; !app.announces.active.Load() && i < 500; i++ {
		time.Sleep(10 * time.Millisecond)
	}
	account := [32]byte{1}
	if n := testing.AllocsPerRun(100, func() { app.announceCredit(account, 1, defaultAsset, "sandbox") }); n > 0 {
		t.Errorf("an unheard event allocates %v times", n)
	}
	if n := len(app.announces.queue); n > 0 {
		t.Errorf("%d events wait for nobody", n)
	}
}
