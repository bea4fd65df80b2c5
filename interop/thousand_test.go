package interop

// This file has the holders of three nodes in a row pay each other a thousand times at once. Every balance is added up afterwards.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// Amounts are so large, and drawn from so many, that no two sets of packets come to the same sum: the sum of a balance tells which packets are in it.
const (
	thousandPayments = 1000
	holdersPerNode   = 4
	mostUnits        = 2_000_000_000_000 // of one payment
	packetUnits      = 700_000_000_000   // about the most of one packet, so that most payments are several
	neighbourLimit   = -10_000 * mostUnits
)

// row is the nodes a, b and c, linked a–b by BTP and b–c over HTTP, with holders at each.
type row struct {
	t       *testing.T
	nodes   map[string]*gateway
	wire    *wire
	asking  *questions
	holders []*customer
	running map[string]*running
}

// customer is a holder with what it paid in, in the beginning.
type customer struct {
	*holder
	node   string
	funded int
}

// order is a payment that has to be made, and how that was tried.
type order struct {
	from, to *customer
	units    int
	attempts []*attempt
}

// attempt is a request with an Idempotency-Key of its own, for what those before have not sent.
type attempt struct {
	end         time.Time
	key, body   string
	answer      []byte
	delivery    delivery
	interrupted bool // the node says that it was stopped in the middle
	sent        int  // by the history of the account
}

func newRow(t *testing.T) *row {
	ports := map[string]int{"a": freePort(t), "b": freePort(t), "c": freePort(t)}
	w := newWire(t)
	aToB, bToA := hop("btp", "a", "b", ports["a"], w.before("a", "b", ports["b"]))
	cToB, bToC := hop("http", "c", "b", w.before("b", "c", ports["c"]), w.before("c", "b", ports["b"]))
	account := func(name, link string) string {
		return nodeAccount(name, "peer", "USD 9", fmt.Sprintf("%s\n\t\t\tpackets_per_minute 1000000\n\t\t\tmin_balance %d", link, neighbourLimit))
	}
	r := &row{t: t, wire: w, nodes: make(map[string]*gateway), running: make(map[string]*running)}
	for name, config := range map[string]gatewayConfig{
		"a": {accounts: []string{account("b", aToB)}, options: []string{"\t\troute * b"}},
		"b": {accounts: []string{account("a", bToA), account("c", bToC)}, options: []string{"\t\troute test.a a\n\t\troute test.c c"}},
		"c": {accounts: []string{account("b", cToB)}, options: []string{"\t\troute * b"}},
	} {
		config.address, config.nodePort, config.sites, config.handler = "test."+name, ports[name], []string{site}, rustAPI
		r.nodes[name], r.running[name] = newGateway(t, config), newRunning()
	}
	for i := range 3 * holdersPerNode {
		node := []string{"a", "b", "c"}[i/holdersPerNode]
		name := fmt.Sprintf("%s%d", node, i%holdersPerNode)
		r.holders = append(r.holders, &customer{node: node, holder: r.nodes[node].newHolder(name, "USD", 9,
			fmt.Sprintf(`"min_balance":0,"max_packet_amount":%d,"packets_per_minute_limit":1000000`, packetUnits+i*7_919_101_027))})
	}
	r.asking = startQuestions(t, r.nodes)
	return r
}

// plan draws the payments, and pays in for each holder what spare makes of what it is to send and to get.
func (r *row) plan(payments int, spare func(out, in int) int) []*order {
	random := rand.New(rand.NewPCG(7, 11))
	orders := make([]*order, payments)
	out, in := make(map[*customer]int), make(map[*customer]int)
	for i := range orders {
		o := &order{from: r.holders[random.IntN(len(r.holders))], units: 1 + random.IntN(mostUnits)}
		for o.to = o.from; o.to.node == o.from.node; {
			o.to = r.holders[random.IntN(len(r.holders))]
		}
		out[o.from] += o.units
		in[o.to] += o.units
		orders[i] = o
	}
	for _, c := range r.holders {
		c.funded = spare(out[c], in[c])
		c.g.deposit(c.name, "funds", fmt.Sprint(c.funded), 9)
	}
	return orders
}

// pay makes a payment. While a node on the way is down it waits; it asks again with the same key for what became of an attempt, and tries
// again to send what is missing.
func (r *row) pay(o *order) {
	for missing := o.units; missing > 0 && len(o.attempts) < 100; {
		a := &attempt{key: newSecret()}
		a.body = paymentBody(r.asking.pointer(o.to, a.key), missing)
		o.attempts = append(o.attempts, a)
		r.waitFor(o)
		for !a.ask(o.from) {
			r.waitFor(o)
		}
		a.end = time.Now()
		if a.sent = int(a.delivery.Sent - a.delivery.InFlight); a.interrupted {
			a.sent = o.from.sentWith(a.key)
		}
		missing -= a.sent
	}
}

// ask asks for the payment; answered is false when there is no answer yet.
func (a *attempt) ask(from *customer) (answered bool) {
	status, answer, err := from.g.request("POST", "/accounts/"+from.name+"/payments", from.token, a.key, a.body)
	a.answer = answer
	return err == nil && a.read(status, answer)
}

// read takes in the answer to a payment; answered is false when it is that there is none yet.
func (a *attempt) read(status int, answer []byte) (answered bool) {
	var problem struct {
		Detail  string
		Receipt *delivery
	}
	switch status {
	case http.StatusOK:
		return json.Unmarshal(answer, &a.delivery) == nil
	case http.StatusConflict:
		a.interrupted = strings.Contains(string(answer), "was stopped while")
		return a.interrupted
	case http.StatusInternalServerError:
		if json.Unmarshal(answer, &problem) != nil || problem.Receipt == nil {
			return false
		}
		a.delivery = *problem.Receipt
		return true
	}
	return false
}

// askAgain wants the same answers to the same requests, which pay nothing more: the balances are compared afterwards.
func (r *row) askAgain(orders []*order) {
	for i := 0; i < len(orders); i += 10 {
		a := orders[i].attempts[len(orders[i].attempts)-1]
		again := attempt{key: a.key, body: a.body}
		if !again.ask(orders[i].from) || again.delivery != a.delivery || !bytes.Equal(again.answer, a.answer) {
			r.t.Errorf("asked again, the answer to a payment is %s, and was %s", again.answer, a.answer)
		}
	}
}

// outcomes wants all payments made in full, and says how many were not made at once.
func (r *row) outcomes(orders []*order) {
	interrupted, anew := 0, 0
	for _, o := range orders {
		sent, stopped := 0, false
		for _, a := range o.attempts {
			sent += a.sent
			stopped = stopped || a.interrupted
		}
		if sent != o.units {
			r.t.Errorf("of a payment of %d from %s to %s, %d were sent in %d attempts", o.units, o.from.name, o.to.name, sent, len(o.attempts))
		}
		switch {
		case stopped:
			interrupted++
		case len(o.attempts) > 1:
			anew++
		}
	}
	r.t.Logf("of %d payments %d were interrupted and %d others failed at first", len(orders), interrupted, anew)
}

// TestThousandPaymentsAtOnce: the holders have hardly more than their payments leave them in the end, so that limits hold many a packet up.
func TestThousandPaymentsAtOnce(t *testing.T) {
	needTime(t)
	r := newRow(t)
	orders := r.plan(thousandPayments, func(out, in int) int { return max(0, out-in) + 10*mostUnits })
	began := time.Now()
	var paying sync.WaitGroup
	for _, o := range orders {
		paying.Go(func() { r.pay(o) })
	}
	paying.Wait()
	t.Logf("all were answered after %v", time.Since(began).Round(time.Millisecond))
	r.outcomes(orders)
	for _, o := range orders {
		if len(o.attempts) != 1 || o.attempts[0].delivery.Delivered != uint64(o.units) {
			t.Errorf("a payment of %d delivered %d in the first of %d attempts", o.units, o.attempts[0].delivery.Delivered, len(o.attempts))
		}
	}
	r.askAgain(orders)
	r.check(orders)
	want := make(map[*customer]int)
	for _, o := range orders {
		want[o.from] -= o.units
		want[o.to] += o.units
	}
	for _, c := range r.holders {
		c.g.wantOwed(map[string]int{c.name: c.funded + want[c]})
	}
}
