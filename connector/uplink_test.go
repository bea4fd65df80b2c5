package connector

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/ilpcore"
)

// parent is a link to a parent that a test controls.
type parent struct {
	mu       sync.Mutex
	up       bool
	asked    []time.Time
	answer   func() ilpcore.Reply
	incoming ilpcore.Handler
	state    func(bool)
	closed   bool
}

func (p *parent) open(incoming ilpcore.Handler, state func(bool)) (OpenLink, error) {
	p.incoming, p.state = incoming, state
	return p, nil
}

func (p *parent) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	p.mu.Lock()
	up, give := p.up, p.answer
	p.mu.Unlock()
	if !up {
		return ilpcore.Reject(ilpcore.T01, "", "down", nil)
	}
	if string(in.Destination) != ilpcore.PeerConfig {
		return ilpcore.Fulfill(testFulfillment, []byte("parent"))
	}
	p.mu.Lock()
	p.asked = append(p.asked, time.Now())
	p.mu.Unlock()
	if give == nil { // silent until the end
		<-ctx.Done()
		return ilpcore.Reject(ilpcore.R00, "", "timed out", nil)
	}
	return give()
}

func (p *parent) Up() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up
}

func (p *parent) Close() error {
	p.closed = true
	return nil
}

func (p *parent) set(up bool, answer func() ilpcore.Reply) {
	p.mu.Lock()
	p.up, p.answer = up, answer
	p.mu.Unlock()
	p.state(up)
	synctest.Wait()
}

func (p *parent) requests() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.asked)
}

func says(address ilpcore.Address, asset ilpcore.Asset) func() ilpcore.Reply {
	return func() ilpcore.Reply {
		reply, err := ilpcore.ILDCP{Address: address, Asset: asset}.Reply()
		if err != nil {
			panic(err)
		}
		return reply
	}
}

// inBubble runs test with an Uplink over a parent that is down, in fake time.
func inBubble(t *testing.T, asset ilpcore.Asset, test func(*testing.T, *parent, *Uplink, *observer.ObservedLogs)) {
	synctest.Test(t, func(t *testing.T) {
		core, logs := observer.New(zap.DebugLevel)
		p := new(parent)
		u, err := NewUplink(UplinkConfig{
			Account: "up", Asset: asset, Open: p.open, Logger: zap.New(core), Random: bytes.NewReader(make([]byte, 1<<16)),
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		test(t, p, u, logs)
		if err := u.Close(); err != nil || !p.closed {
			t.Errorf("close: %v, link closed: %v", err, p.closed)
		}
	})
}

func TestUplinkLearnsAtConnectAndEveryTenMinutes(t *testing.T) {
	inBubble(t, usd9, func(t *testing.T, p *parent, u *Uplink, _ *observer.ObservedLogs) {
		var told []ilpcore.Address
		u.SetChanged(func(a ilpcore.Address, asset ilpcore.Asset) { told = append(told, a) })
		n, err := NewNode(Config{Receiver: named("receiver"), Accounts: []Account{{ID: "up", Relation: Parent, Link: u}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, ok := n.Address(); ok {
			t.Error("an address before the first answer")
		}
		p.set(true, says("test.a.us", usd9))
		if a, asset, ok := n.Address(); !ok || a != "test.a.us" || asset != usd9 {
			t.Errorf("address %q %v %v", a, asset, ok)
		}
		p.set(true, says("test.b.us", usd9)) // a second connect
		if a, _, _ := n.Address(); a != "test.b.us" || p.requests() != 2 {
			t.Errorf("address %q after %d requests", a, p.requests())
		}
		time.Sleep(10*time.Minute + time.Second)
		if p.requests() != 3 {
			t.Errorf("%d requests after ten minutes", p.requests())
		}
		if rest, ok := n.Suffix([]byte("test.a.us.token")); !ok || string(rest) != "token" {
			t.Error("the former address is forgotten")
		}
		time.Sleep(24 * time.Hour)
		if _, ok := n.Suffix([]byte("test.a.us.token")); ok {
			t.Error("the former address is honoured for ever")
		}
		if len(told) != 2 || told[0] != "test.a.us" || told[1] != "test.b.us" {
			t.Errorf("told %v", told)
		}
	})
}

func TestUplinkSurvivesAChangeOfConfiguration(t *testing.T) {
	inBubble(t, usd9, func(t *testing.T, p *parent, u *Uplink, _ *observer.ObservedLogs) {
		in := func() ilpcore.Incoming {
			in := packet("up", "test.us.token")
			in.ExpiresAt = time.Now().Add(time.Minute)
			return in
		}
		if got := outcome(p.incoming.HandlePrepare(t.Context(), in())); got != "T01" {
			t.Errorf("before the first node: %s", got)
		}
		for _, name := range []string{"first", "second"} {
			n, err := NewNode(Config{Receiver: named(name), Accounts: []Account{{ID: "up", Relation: Parent, Link: u}}})
			if err != nil {
				t.Fatal(err)
			}
			u.SetHandler(n)
			if name == "first" {
				if got := outcome(p.incoming.HandlePrepare(t.Context(), in())); got != "T01" {
					t.Errorf("before there is an address: %s", got)
				}
				p.set(true, says("test.us", usd9))
			}
			if got := outcome(p.incoming.HandlePrepare(t.Context(), in())); got != "by "+name {
				t.Errorf("%s: %s", name, got)
			}
		}
		if p.requests() != 1 {
			t.Errorf("%d requests", p.requests())
		}
	})
}

func TestUplinkWithTheWrongAssetIsDown(t *testing.T) {
	inBubble(t, usd9, func(t *testing.T, p *parent, u *Uplink, logs *observer.ObservedLogs) {
		n, err := NewNode(Config{
			Address: "test.own", Asset: usd9, Receiver: named("receiver"), Routes: []Route{{"g", "up"}},
			Accounts: []Account{{ID: "up", Relation: Parent, Link: u}, {ID: "kid", Relation: Child}},
		})
		if err != nil {
			t.Fatal(err)
		}
		p.set(true, says("test.us", eur2))
		send := func(from ilpcore.AccountID, to string) string {
			in := packet(from, to)
			in.ExpiresAt = time.Now().Add(time.Minute)
			return outcome(n.HandlePrepare(t.Context(), in))
		}
		if got := send("up", "test.own.token"); got != "T01" {
			t.Errorf("from the parent: %s", got)
		}
		if got := send("kid", "g.x"); got != "T01" {
			t.Errorf("to the parent: %s", got)
		}
		if got := outcome(u.HandlePrepare(t.Context(), packet("up", "g.x"))); got != "T01" {
			t.Errorf("over the link itself: %s", got)
		}
		if _, _, ok := n.Address(); ok || u.Up() || !errors.Is(u.Err(), ErrAsset) {
			t.Errorf("ready %v, up %v, error %v", ok, u.Up(), u.Err())
		}
		problem := n.Status().Accounts[0].Problem
		if !strings.Contains(problem, "EUR 2") || !strings.Contains(problem, "USD 9") {
			t.Errorf("the problem is %q", problem)
		}
		time.Sleep(time.Hour)
		if got := logs.FilterLevelExact(zap.ErrorLevel).Len(); got != 1 {
			t.Errorf("%d error lines", got)
		}
		p.set(true, says("test.us", usd9))
		if got := send("up", "test.own.token"); got != "by receiver" || !u.Up() || u.Err() != nil {
			t.Errorf("after it was mended: %s, %v", got, u.Err())
		}
	})
}

func TestUplinkAsksAgain(t *testing.T) {
	bad := func(edit func(*ilpcore.Reply)) func() ilpcore.Reply {
		return func() ilpcore.Reply {
			r := says("test.us", usd9)()
			edit(&r)
			return r
		}
	}
	for name, answer := range map[string]func() ilpcore.Reply{
		"silent":           nil,
		"reject":           func() ilpcore.Reply { return ilpcore.Reject(ilpcore.F00, "g.up", "not a child", nil) },
		"wrong fulfilment": bad(func(r *ilpcore.Reply) { r.Fulfillment[0] = 1 }),
		"no data":          bad(func(r *ilpcore.Reply) { r.Data = nil }),
		"peer. address":    says("peer.us", usd9),
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, usd9, func(t *testing.T, p *parent, u *Uplink, logs *observer.ObservedLogs) {
				p.set(true, answer)
				time.Sleep(5 * time.Minute)
				if _, _, ok := u.Learned(); ok || u.Err() == nil {
					t.Errorf("learned %v, error %v", ok, u.Err())
				}
				if got := p.requests(); got < 5 || got > 20 {
					t.Errorf("%d requests in five minutes", got)
				}
				if got := logs.FilterLevelExact(zap.WarnLevel).Len(); got != 1 {
					t.Errorf("%d warnings", got)
				}
				p.set(true, says("test.us", usd9))
				time.Sleep(time.Minute)
				if a, _, ok := u.Learned(); !ok || a != "test.us" || u.Err() != nil {
					t.Errorf("learned %q %v, error %v", a, ok, u.Err())
				}
			})
		})
	}
}

func TestUplinkKeepsItsAddressWhileTheParentIsAway(t *testing.T) {
	inBubble(t, usd9, func(t *testing.T, p *parent, u *Uplink, _ *observer.ObservedLogs) {
		p.set(true, says("test.us", usd9))
		p.set(false, nil)
		time.Sleep(48 * time.Hour)
		if a, _, ok := u.Learned(); !ok || a != "test.us" || u.Up() {
			t.Errorf("learned %q %v, up %v", a, ok, u.Up())
		}
	})
}

func TestNewUplinkReportsTheFactorysError(t *testing.T) {
	broken := errors.New("no such link")
	_, err := NewUplink(UplinkConfig{Account: "up", Open: func(ilpcore.Handler, func(bool)) (OpenLink, error) { return nil, broken }})
	if !errors.Is(err, broken) {
		t.Error(err)
	}
}

func TestStatus(t *testing.T) {
	n := newTestNode(t, func(c *Config) { c.Accounts[4].Link = &testLink{down: true} })
	s := n.Status()
	if !s.Ready || s.Address != "test.gw" || s.Asset != usd9 || len(s.Accounts) != 7 {
		t.Fatalf("%+v", s)
	}
	for i, want := range []AccountStatus{
		{ID: "up", Relation: "parent", Asset: usd9, HasLink: true, Up: true},
		{ID: "kid", Relation: "child", Asset: usd9, HasLink: true, Up: true},
		{ID: "mute", Relation: "child", Asset: usd9, Up: true},
		{ID: "wallet", Relation: "local", Asset: usd9, Up: true},
		{ID: "bob", Relation: "peer", Asset: usd9, HasLink: true},
		{ID: "euro", Relation: "peer", Asset: eur2, HasLink: true, Up: true},
	} {
		if s.Accounts[i] != want {
			t.Errorf("got %+v, want %+v", s.Accounts[i], want)
		}
	}
}
