package interop

// This file reloads a gateway under load: prices and links change, some configs are wrong, and no money and no link is lost over it.

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// pricedBackend adds up what the gateway says its requests cost. A request for /held waits there until something is put into held, which is
// unbuffered: whoever puts it knows that the request has arrived.
type pricedBackend struct {
	*httptest.Server
	served atomic.Int64
	earned atomic.Uint64
	held   chan struct{}
}

func newPricedBackend(t *testing.T) *pricedBackend {
	b := &pricedBackend{held: make(chan struct{})}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		price, err := amount.Parse(r.Header.Get("Paydoor-Price"))
		if err != nil {
			t.Errorf("a request came with Paydoor-Price %q", r.Header.Get("Paydoor-Price"))
		}
		b.served.Add(1)
		b.earned.Add(uint64(price))
		if r.URL.Path == "/held" {
			for range 2 { // it has arrived, and may go on
				select {
				case <-b.held:
				case <-r.Context().Done():
				}
			}
		}
		io.WriteString(w, "worth it")
	}))
	t.Cleanup(b.Close)
	return b
}

// tally is what one kind of client got.
type tally struct {
	ok, payment, other, failed atomic.Int64
	why                        atomic.Pointer[error] // the last failed one did
}

func (c *tally) count(a answer, err error) {
	switch {
	case err != nil:
		c.failed.Add(1)
		c.why.Store(&err)
	case a.status == http.StatusOK:
		c.ok.Add(1)
	case a.status == http.StatusPaymentRequired:
		c.payment.Add(1)
	default:
		c.other.Add(1)
	}
}

// load runs clients of one site until the returned function is called.
func (c *tally) load(t *testing.T, over transport, site int, tokens []string) (stop func()) {
	ended := make(chan struct{})
	var clients sync.WaitGroup
	for _, token := range tokens {
		client := over.open(t)
		clients.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
					c.count(send(client, http.MethodGet, over.url(site), token, nil))
				}
			}
		})
	}
	return func() {
		close(ended)
		clients.Wait()
	}
}

// reload posts a Caddyfile to the admin endpoint, and returns the status.
func (g *gateway) reload(caddyfile string) int {
	g.t.Helper()
	request, err := http.NewRequest(http.MethodPost, fmt.Sprintf("http://127.0.0.1:%d/load", g.admin), strings.NewReader(caddyfile))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "text/caddyfile")
	request.Header.Set("Cache-Control", "must-revalidate") // an unchanged config is loaded, too
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Fatalf("reloading: %v", err)
	}
	defer response.Body.Close()
	io.Copy(io.Discard, response.Body)
	return response.StatusCode
}

func TestReloadsUnderLoad(t *testing.T) {
	needTime(t)
	for i, name := range []string{"HTTP 1.1", "HTTP 2 without TLS", "HTTP 2", "HTTP 3"} {
		t.Run(name, func(t *testing.T) { testReloads(t, i) })
	}
}

// testReloads puts load on by the transport of that number.
func testReloads(t *testing.T, over int) {
	const funds = 1_000_000
	backend := newPricedBackend(t)
	token := newSecret()
	parent := newGateway(t, gatewayConfig{
		address:  "test.parent",
		accounts: []string{"\t\taccount kid {\n\t\t\trelation child\n\t\t\tasset USD 9\n\t\t\tbtp listen " + token + "\n\t\t}"},
		sites:    []string{"\tpaywall 10\n\trespond fine"},
	})
	unpriced := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "free") }))
	t.Cleanup(unpriced.Close)
	neighbour := newLink(t, "neighbour")
	uplink := fmt.Sprintf("\t\taccount uplink {\n\t\t\trelation parent\n\t\t\tasset USD 9\n\t\t\tbtp btp+ws://kid:%s@127.0.0.1:%d/accounts/kid/ilp/btp\n\t\t}", token, parent.node)
	config := gatewayConfig{
		accounts: []string{uplink, neighbour.account()},
		sites:    []string{"\tpaywall 10\n\treverse_proxy " + backend.Listener.Addr().String(), "\treverse_proxy " + unpriced.Listener.Addr().String()},
		secure:   true,
	}
	g := newGateway(t, config)
	plain := g.caddyfile(config)
	dearer := strings.ReplaceAll(plain, "paywall 10", "paywall 20")
	config.accounts = append(config.accounts, newLink(t, "another").account())
	linked := g.caddyfile(config)

	var tokens []string
	for range 6 {
		tokens = append(tokens, newToken())
		neighbour.credit(t, g, tokens[len(tokens)-1], funds)
	}
	var paid, control tally
	stopPaid := paid.load(t, g.transports(t)[over], 0, tokens)
	stopControl := control.load(t, g.transports(t)[over], 1, tokens)
	for i := range 50 {
		want, next := http.StatusOK, plain
		switch i % 5 {
		case 1:
			next = dearer
		case 2:
			next = linked
		case 4:
			want, next = http.StatusBadRequest, strings.ReplaceAll(plain, "paywall 10", "paywall ten")
		}
		if got := g.reload(next); got != want {
			t.Fatalf("reload %d: status %d, want %d", i, got, want)
		}
		time.Sleep(60 * time.Millisecond)
	}
	stopPaid()
	stopControl()
	g.holdOverReload(plain, backend, g.transports(t)[over], tokens[0])
	left := amount.Amount(0)
	for _, token := range tokens {
		left += ask(t, g.url(0), token).balance
	}
	spent := uint64(len(tokens)*funds) - uint64(left)
	t.Logf("paid: %d times 200, %d times 402, %d others, %d broken; control: %d times 200, %d others, %d broken; backend %d, spent %d",
		paid.ok.Load(), paid.payment.Load(), paid.other.Load(), paid.failed.Load(), control.ok.Load(), control.other.Load()+control.payment.Load(),
		control.failed.Load(), backend.served.Load(), spent)
	for who, c := range map[string]*tally{"paid": &paid, "control": &control} {
		if why := c.why.Load(); why != nil {
			t.Logf("%s: the last broken one: %v", who, *why)
		}
	}
	if paid.other.Load() != 0 || paid.payment.Load() != 0 || paid.ok.Load() < 200 {
		t.Error("answers other than 200, or too few of them")
	}
	// Whatever the paywall did to a request under way, 40 reloads would do to more than a few. What a closing connection does, it does to both.
	if failed := paid.failed.Load(); failed > control.failed.Load()+10 {
		t.Errorf("%d paid requests broke, and %d of the control", failed, control.failed.Load())
	}
	if lost := backend.served.Load() - 1 - paid.ok.Load(); lost < 0 || lost > paid.failed.Load() {
		t.Errorf("%d requests were served and not answered with 200, where %d broke", lost, paid.failed.Load())
	}
	if spent != backend.earned.Load() {
		t.Errorf("the ledger charged %d for requests worth %d", spent, backend.earned.Load())
	}
	if n := logLines(t, g, "opened the ledger"); n != 1 {
		t.Errorf("the ledger was opened %d times", n)
	}
	if n := logLines(t, g, "the BTP link is up"); n != 1 {
		t.Errorf("the uplink came up %d times", n)
	}
}

// holdOverReload reloads while a paid request is in the backend: it ends with its answer.
func (g *gateway) holdOverReload(caddyfile string, b *pricedBackend, over transport, token string) {
	g.t.Helper()
	client, ended := over.open(g.t), make(chan string)
	go func() {
		a, err := send(client, http.MethodGet, over.url(0)+"held", token, nil)
		ended <- fmt.Sprint(a.status, " ", err)
	}()
	select {
	case b.held <- struct{}{}:
	case said := <-ended:
		g.t.Fatalf("the held request never reached the backend: %s", said)
	}
	if status := g.reload(caddyfile); status != http.StatusOK {
		g.t.Errorf("reloading around a held request: status %d", status)
	}
	select {
	case said := <-ended:
		g.t.Fatalf("the held request ended with the reload: %s", said)
	case b.held <- struct{}{}:
	}
	if said := <-ended; said != "200 <nil>" {
		g.t.Errorf("the held request ended with %s", said)
	}
}

// logLines counts the lines of the gateway's log that contain text.
func logLines(t *testing.T, g *gateway, text string) (n int) {
	t.Helper()
	log, err := os.ReadFile(g.logFile.Name())
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(log) {
		if bytes.Contains(line, []byte(text)) {
			n++
		}
	}
	return n
}
