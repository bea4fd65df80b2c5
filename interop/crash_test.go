package interop

// This file kills the gateway under load, again and again: what it has acknowledged is there afterwards, and nothing else.

import (
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

const (
	crashCredit = amount.Amount(7)
	crashPrice  = amount.Amount(10)
	crashFunds  = amount.Amount(1_000_000_000)
)

// depositor pays for its own token, one packet after the other.
type depositor struct {
	token        string
	quote        quote
	acknowledged amount.Amount // sum of what was fulfilled
	unknown      *payment      // sent, but not answered before the crash
}

// spender uses up its own token, one request after the other.
type spender struct {
	token   string
	balance amount.Amount // what must be left if the last request did not reach the gateway
	unknown bool          // whether a request was sent and not answered before the crash
	served  int
}

func TestKillUnderLoad(t *testing.T) {
	needTime(t)
	rounds := setting(t, "PAYDOOR_INTEROP_KILLS", 50)
	neighbour := newLink(t, "neighbour")
	g := newGateway(t, gatewayConfig{
		address:  "test.gateway",
		accounts: []string{neighbour.account()},
		sites:    []string{paidSite(uint64(crashPrice), newBackend(t))},
	})
	var depositors [4]depositor
	for i := range depositors {
		token := newToken()
		depositors[i] = depositor{token: token, quote: ask(t, g.url(0), token)}
	}
	var spenders [4]spender
	for i := range spenders {
		spenders[i] = spender{token: newToken(), balance: crashFunds}
		neighbour.credit(t, g, spenders[i].token, crashFunds)
	}

	for round := range rounds {
		crashUnderLoad(t, g, neighbour, depositors[:], spenders[:])
		g.start()
		for i := range depositors {
			depositors[i].check(t, g, neighbour, round)
		}
		for i := range spenders {
			spenders[i].check(t, g, round)
		}
	}
	logCrashTotals(t, rounds, depositors[:], spenders[:])
}

// crashUnderLoad lets everyone work for a short random time, kills the gateway and waits until everyone has noticed.
func crashUnderLoad(t *testing.T, g *gateway, l *link, depositors []depositor, spenders []spender) {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: len(spenders)}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	var wait sync.WaitGroup
	for i := range depositors {
		wait.Go(func() { depositors[i].work(t, g, l) })
	}
	for i := range spenders {
		wait.Go(func() { spenders[i].work(t, g, client) })
	}
	timer := time.NewTimer(time.Duration(50+rand.IntN(250)) * time.Millisecond) // the moment of the crash is what varies
	<-timer.C
	g.kill()
	wait.Wait()
	l.client.CloseIdleConnections()
}

// work pays until the gateway is gone. A reject under load would be a failure: nothing here is wrong with any packet.
func (d *depositor) work(t *testing.T, g *gateway, l *link) {
	for {
		p := newPayment(t, d.quote, crashCredit)
		d.unknown = &p
		reply, err := l.send(g, p.bytes(t))
		if err != nil {
			return
		}
		if !reply.Fulfilled {
			t.Errorf("a payment was rejected with %v %q", reply.Code, reply.Message)
			return
		}
		d.acknowledged, d.unknown = d.acknowledged+crashCredit, nil
	}
}

// check sends the unanswered payment once more: whether it was credited before the crash or not, it is credited once now.
func (d *depositor) check(t *testing.T, g *gateway, l *link, round int) {
	t.Helper()
	before := ask(t, g.url(0), d.token).balance
	if before != d.acknowledged && (d.unknown == nil || before != d.acknowledged+crashCredit) {
		t.Fatalf("round %d: the balance is %v after payments of %v were acknowledged (one more unanswered: %v)",
			round, before, d.acknowledged, d.unknown != nil)
	}
	if d.unknown == nil {
		return
	}
	reply, err := l.sendByPath(g, d.unknown.bytes(t))
	if err != nil {
		t.Fatal(err)
	}
	wantFulfilled(t, reply, *d.unknown)
	d.acknowledged, d.unknown = d.acknowledged+crashCredit, nil
	wantBalance(t, g.url(0), d.token, d.acknowledged)
}

// work spends until the gateway is gone.
func (s *spender) work(t *testing.T, g *gateway, client *http.Client) {
	for {
		s.unknown = true
		a, err := send(client, http.MethodGet, g.url(0)+"echo", s.token, nil)
		if err != nil {
			return
		}
		if a.status != http.StatusOK {
			t.Errorf("a paid request was answered with %d: %.200s", a.status, a.body)
			return
		}
		s.unknown = false
		s.served++
		s.balance -= crashPrice
	}
}

// check wants every answered request charged, and of the unanswered ones at most the last.
func (s *spender) check(t *testing.T, g *gateway, round int) {
	t.Helper()
	balance := ask(t, g.url(0), s.token).balance
	if balance != s.balance && (!s.unknown || balance != s.balance-crashPrice) {
		t.Fatalf("round %d: the balance is %v, want %v (one more request unanswered: %v)", round, balance, s.balance, s.unknown)
	}
	s.balance, s.unknown = balance, false
}

func logCrashTotals(t *testing.T, rounds int, depositors []depositor, spenders []spender) {
	t.Helper()
	var payments, served int
	for _, d := range depositors {
		payments += int(d.acknowledged / crashCredit)
	}
	for _, s := range spenders {
		served += s.served
	}
	t.Logf("%d crashes; %d payments and %d paid answers were acknowledged and are all there", rounds, payments, served)
	if payments == 0 || served == 0 {
		t.Error("there was no load")
	}
}
