package interop

// This file lets `paydoor fetch` pay every paid server there is: our gateway by PSK2 and STREAM, koa-ilp and cog, all below npm's ilp-connector.
// One unit of the payer's is worth 1000 at the servers, so that something is left.

import "testing"

// soldBy is a paid server.
type soldBy struct {
	url   string
	count func() (charged, held uint64) // by its own count, over all tokens: what requests took, and what is left
}

// olderServer is peers/koa-ilp.js or peers/cog.js.
func olderServer(t *testing.T, script string, conn *connector, price uint64) soldBy {
	t.Helper()
	var ready struct{ URL string }
	p := startPeer(t, script, map[string]any{"server": conn.Gateways, "price": price}, &ready)
	return soldBy{ready.URL, func() (charged, held uint64) {
		var count struct{ Charged, Held uint64 }
		p.ask("count", &count)
		return count.Charged, count.Held
	}}
}

// buying is a request, and what has to come of it. Amounts are of this request alone.
type buying struct {
	name    string
	other   bool     // from a new wallet, with another token
	args    []string // before the URL
	path    string
	status  int
	exit    int
	body    string
	sent    uint64
	charged uint64
	balance string // Pay-Balance
}

func TestFetchCommandPaysOlderServers(t *testing.T) {
	needNode(t)
	conn := startConnector(t, connectorOptions{PayerScale: 6})
	t.Run("koa-ilp", func(t *testing.T) {
		testBuying(t, conn, olderServer(t, "koa-ilp.js", conn, 1400), []buying{
			{name: "above the maximum", args: []string{"--max", "1"}, exit: 4},
			{name: "paid", args: []string{"--max", "2", "-d", "twice"}, status: 200, body: "POST twice", sent: 2, charged: 1400, balance: "600"},
			{name: "with what was left", status: 200, body: "GET ", sent: 1, charged: 1400, balance: "200"},
			{name: "fails", path: "fail", status: 500, exit: 3, body: "Internal Server Error", sent: 2, charged: 1400},
			{name: "breaks", path: "break", exit: 2, sent: 1, charged: 1400},
			{name: "after all that", args: []string{"--method", "psk2"}, status: 200, body: "GET ", sent: 1, charged: 1400, balance: "0"},
		})
	})
	t.Run("cog", func(t *testing.T) {
		testBuying(t, conn, olderServer(t, "cog.js", conn, 2000), []buying{
			{name: "no maximum", status: 402, exit: 5, body: "Payment Required"},
			{name: "paid", args: []string{"--max", "5", "-d", "twice"}, status: 200, body: "POST paid", sent: 2, charged: 2000},
			{name: "again", status: 200, body: "GET paid"}, // it forgets to forget the connection of a token
			{name: "fails", other: true, args: []string{"--max", "2"}, path: "fail", status: 500, exit: 3, body: "Internal Server Error", sent: 2, charged: 2000},
			{name: "less than it wants", other: true, args: []string{"--max", "1", "-m", "2"}, exit: 2, sent: 1, charged: 1000},
		})
	})
}

func TestFetchCommandPaysTheGateway(t *testing.T) {
	needNode(t)
	conn := startConnector(t, connectorOptions{PayerScale: 6})
	g := newGateway(t, gatewayConfig{sites: []string{paidSite(1400, newBackend(t))}, accounts: []string{dialledUplink(conn)}})
	for _, method := range []string{"stream", "psk2"} {
		t.Run(method, func(t *testing.T) {
			testBuying(t, conn, soldBy{url: g.url(0)}, []buying{
				{name: "above the maximum", args: []string{"--max", "1", "--method", method}, exit: 4},
				{name: "paid", args: []string{"--max", "2", "--method", method, "-d", "twice"}, path: "echo", status: 200, body: "POST twice", sent: 2, charged: 1400, balance: "600"},
				{name: "with what was left", args: []string{"--method", method}, path: "echo", status: 200, body: "GET ", sent: 1, charged: 1400, balance: "200"},
				{name: "fails", args: []string{"--method", method}, path: "reset", status: 502, exit: 3, sent: 2, balance: "2200"},
				{name: "with what the failure left", path: "echo", status: 200, body: "GET ", charged: 1400, balance: "800"},
				{name: "a body that is sent once", args: []string{"--method", method, "--data-binary", "@-"}, path: "echo", status: 200, body: "POST ", sent: 1, charged: 1400, balance: "400"},
			})
		})
	}
	checkLedger(t, g, countCrossed(conn), 8, 1400)
}

// testBuying makes the requests from one wallet. The wallet, the answers, the connector and the server have to agree about each.
func testBuying(t *testing.T, conn *connector, server soldBy, requests []buying) {
	s := newPurse(t, conn)
	var spent, charged, held uint64
	payments := 0
	for _, b := range requests {
		if b.other {
			s, spent, payments = newPurse(t, conn), 0, 0
		}
		before, _ := conn.delivered()
		got := s.fetch(append(b.args, server.url+b.path)...)
		after, _ := conn.delivered()
		if got.Status != b.status || got.Exit != b.exit || b.body != "" && got.Body != b.body || got.Balance != b.balance {
			t.Errorf("%s: got %+v, want %+v", b.name, got, b)
		}
		sent, delivered := got.sent()
		if sent != b.sent || delivered != after-before || delivered != sent*1000 {
			t.Errorf("%s: %d was sent and %d delivered, want %d; the connector counts %d: %+v", b.name, sent, delivered, b.sent, after-before, got)
		}
		if spent += b.sent; b.sent > 0 {
			payments++
		}
		if b.exit == 5 {
			continue // the wallet has nothing to say yet
		}
		if sum, n, balance := s.spent(); sum != spent || n != payments || b.balance != "" && balance != b.balance {
			t.Errorf("%s: the wallet says that %d was spent in %d payments, and %s is left; want %d in %d, and %s", b.name, sum, n, balance, spent, payments, b.balance)
		}
		if server.count == nil {
			continue
		}
		hadCharged, hadHeld := charged, held
		if charged, held = server.count(); charged != hadCharged+b.charged || charged+held != hadCharged+hadHeld+delivered {
			t.Errorf("%s: the server has charged %d and holds %d, before it was %d and %d; want %d charged of %d that came", b.name, charged, held, hadCharged, hadHeld, b.charged, delivered)
		}
	}
}
