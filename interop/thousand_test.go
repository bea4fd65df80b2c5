package interop

// This file has the holders of three nodes in a row pay each other a thousand times at once, and two hundred at a time while one node after the
// other is killed. Every balance is added up afterwards.

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const (
	thousandPayments = 1000
	holdersPerNode   = 4
	mostUnits        = 2000 // of one payment
	packetUnits      = 700  // the most of one packet, so that most payments are several
	neighbourLimit   = -10_000_000
)

// row is the nodes a, b and c, linked a–b by BTP and b–c over HTTP, with holders at each.
type row struct {
	t       *testing.T
	nodes   map[string]*gateway
	asking  *questions
	holders []*customer
	kills   []kill
}

// customer is a holder with what it paid in, in the beginning.
type customer struct {
	*holder
	node   string
	funded int
}

// order is a payment that has to be made, and what became of it.
type order struct {
	from, to *customer
	units    int
	attempts []attempt
}

// attempt is a request with an Idempotency-Key of its own. The one before has paid nothing at all.
type attempt struct {
	begin, end  time.Time
	key, body   string
	answer      []byte
	delivery    delivery
	interrupted bool // the node says that it was stopped in the middle: some of it may have been paid
}

func newRow(t *testing.T) *row {
	ports := map[string]int{"a": freePort(t), "b": freePort(t), "c": freePort(t)}
	aToB, bToA := hop("btp", "a", "b", ports["a"], ports["b"])
	cToB, bToC := hop("http", "c", "b", ports["c"], ports["b"])
	account := func(name, link string) string {
		return nodeAccount(name, "peer", "USD 9", fmt.Sprintf("%s\n\t\t\tpackets_per_minute 1000000\n\t\t\tmin_balance %d", link, neighbourLimit))
	}
	r := &row{t: t, nodes: make(map[string]*gateway)}
	for name, config := range map[string]gatewayConfig{
		"a": {accounts: []string{account("b", aToB)}, options: []string{"\t\troute * b"}},
		"b": {accounts: []string{account("a", bToA), account("c", bToC)}, options: []string{"\t\troute test.a a\n\t\troute test.c c"}},
		"c": {accounts: []string{account("b", cToB)}, options: []string{"\t\troute * b"}},
	} {
		config.address, config.nodePort, config.sites, config.handler = "test."+name, ports[name], []string{site}, rustAPI
		r.nodes[name] = newGateway(t, config)
	}
	for _, node := range []string{"a", "b", "c"} {
		for i := range holdersPerNode {
			name := fmt.Sprintf("%s%d", node, i)
			r.holders = append(r.holders, &customer{node: node, holder: r.nodes[node].newHolder(name, "USD", 9,
				fmt.Sprintf(`"min_balance":0,"max_packet_amount":%d,"packets_per_minute_limit":1000000`, packetUnits))})
		}
	}
	r.asking = startQuestions(t, r.nodes)
	return r
}

// plan draws the payments, and pays in for each holder what spare makes of what it is to send and to get.
func (r *row) plan(spare func(out, in int) int) []*order {
	random := rand.New(rand.NewPCG(7, 11))
	orders := make([]*order, thousandPayments)
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

// pay makes a payment. While its node is down it asks again with the same key; what paid nothing, because a node on the way was down, is tried anew.
func (r *row) pay(o *order) {
	for {
		a := attempt{begin: time.Now(), key: newSecret(), body: paymentBody(r.asking.pointer(o.to), o.units)}
		for !a.ask(o.from) {
			time.Sleep(50 * time.Millisecond)
		}
		a.end = time.Now()
		o.attempts = append(o.attempts, a)
		if a.interrupted || a.delivery.Sent > 0 || len(o.attempts) >= 600 {
			return
		}
		time.Sleep(50 * time.Millisecond)
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

// outcomes counts what became of the payments, and wants none without an answer.
func (r *row) outcomes(orders []*order) (full, partial, interrupted int) {
	for _, o := range orders {
		switch last := o.attempts[len(o.attempts)-1]; {
		case last.interrupted:
			interrupted++
		case last.delivery.Sent == uint64(o.units) && last.delivery.InFlight == 0:
			full++
		case last.delivery.Sent > 0:
			partial++
		}
	}
	r.t.Logf("of %d payments %d were made in full and %d in part, and %d were interrupted", len(orders), full, partial, interrupted)
	return full, partial, interrupted
}

// TestThousandPaymentsAtOnce: the holders have hardly more than their payments leave them in the end, so that limits hold many a packet up.
func TestThousandPaymentsAtOnce(t *testing.T) {
	needTime(t)
	r := newRow(t)
	orders := r.plan(func(out, in int) int { return max(0, out-in) + 10*mostUnits })
	began := time.Now()
	var paying sync.WaitGroup
	for _, o := range orders {
		paying.Go(func() { r.pay(o) })
	}
	paying.Wait()
	t.Logf("all were answered after %v", time.Since(began).Round(time.Millisecond))
	if full, _, _ := r.outcomes(orders); full != thousandPayments {
		t.Errorf("%d of %d payments were made in full", full, thousandPayments)
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

// TestThousandPaymentsWithKills kills one node after the other, each while payments are under way, and starts it again.
func TestThousandPaymentsWithKills(t *testing.T) {
	needTime(t)
	const clients = 200
	r := newRow(t)
	orders := r.plan(func(out, _ int) int { return out + mostUnits })
	var next, answered atomic.Int64
	began := time.Now()
	var paying sync.WaitGroup
	for range clients {
		paying.Go(func() {
			for i := next.Add(1) - 1; i < thousandPayments; i = next.Add(1) - 1 {
				r.pay(orders[i])
				answered.Add(1)
			}
		})
	}
	killed := slices.Repeat([]string{"b", "c", "a"}, 2)
	for i, name := range killed {
		reached := int64(thousandPayments * (i + 1) / (len(killed) + 2))
		eventually(t, fmt.Sprintf("%d payments are answered", reached), func() bool { return answered.Load() >= reached })
		k := kill{node: name, before: time.Now()}
		r.nodes[name].kill()
		k.after = time.Now()
		r.kills = append(r.kills, k)
		r.nodes[name].start()
		t.Logf("%v: %s was killed, with %d payments answered, and is back after %v", time.Since(began).Round(time.Millisecond), name, answered.Load(),
			time.Since(k.after).Round(time.Millisecond))
	}
	paying.Wait()
	t.Logf("%v: all are answered", time.Since(began).Round(time.Millisecond))
	full, _, _ := r.outcomes(orders)
	if full < thousandPayments/2 {
		t.Errorf("only %d payments were made in full", full)
	}
	exposed := 0
	for _, o := range orders {
		if r.underWay(o, func(string) bool { return true }) > 0 {
			exposed++
		}
	}
	if t.Logf("%d payments were under way at kills", exposed); exposed == 0 {
		t.Error("nothing was under way at the kills")
	}
	r.askAgain(orders)
	r.check(orders)
}
