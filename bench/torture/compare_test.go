//go:build linux

package main

// This file plants faults into records and books that agree, and wants the oracle to find each: an oracle that never fails shows nothing.

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
)

// world is a record and the books that belong to it.
type world struct {
	*record
	books *books
}

func accountNumber(n byte) balances.Account { return balances.Account{n} }

func conditionNumber(n byte) [32]byte { return [32]byte{n} }

// newWorld has 10 packets of 100 each for two accounts: 1 to 6 fulfilled, 7 rejected, 8 and 9 under way, of which 8 was credited, and 10
// in doubt. Account 1 got 5 paid answers for 10 and has one request without an answer, which was charged.
func newWorld() *world {
	w := &world{record: newRecord(), books: newBooks()}
	for n := byte(1); n <= 10; n++ {
		p := &packet{account: accountNumber(1 + n%2), amount: 100, condition: conditionNumber(n), expires: time.Now().Add(time.Hour)}
		w.send(p)
		switch {
		case n <= 6:
			p.fate = fulfilled
		case n == 7:
			p.fate, p.code = rejected, "T00"
		case n == 10:
			p.fate = doubtful
		}
		if n <= 6 || n == 8 {
			w.books.credits[p.condition] = []credit{{p.account, p.amount}}
		}
	}
	for range 5 {
		w.request(accountNumber(1), 10, time.Now(), true)
	}
	w.request(accountNumber(1), 10, time.Now(), false)
	w.books.charges[accountNumber(1)] = sum{6, 60}
	return w
}

func TestOracleIsContentWithBooksThatAgree(t *testing.T) {
	for _, most := range []flight{fullFlight, anyFlight, {packets: 1, requests: 1}} {
		if v := newWorld().compare(newWorld().books, most); len(v) > 0 {
			t.Errorf("with %+v under way: %v", most, v)
		}
	}
	w := newWorld()
	delete(w.books.credits, conditionNumber(8)) // it was under way: either is right
	w.books.charges[accountNumber(1)] = sum{5, 50}
	if v := w.compare(w.books, flight{}); len(v) > 0 {
		t.Error(v)
	}
	w.books.credits[conditionNumber(10)] = []credit{{accountNumber(1), 100}} // and so was this
	if v := w.compare(w.books, fullFlight); len(v) > 0 {
		t.Error(v)
	}
}

func TestOracleFindsPlantedFaults(t *testing.T) {
	tests := map[string]struct {
		plant func(w *world)
		want  string
	}{
		"P1 a fulfilled packet is not credited": {
			func(w *world) { delete(w.books.credits, conditionNumber(3)) }, "LOST: packet 03"},
		"P1 a rejected packet is fulfilled after all, and not credited": {
			func(w *world) { w.packets[conditionNumber(7)].fate = fulfilled }, "LOST: packet 07"},
		"P2 a packet is credited twice": {
			func(w *world) {
				w.books.credits[conditionNumber(3)] = append(w.books.credits[conditionNumber(3)], credit{accountNumber(2), 100})
			}, "DOUBLE: packet 03"},
		"P2 a packet under way is credited twice": {
			func(w *world) {
				w.books.credits[conditionNumber(8)] = append(w.books.credits[conditionNumber(8)], credit{accountNumber(1), 100})
			}, "DOUBLE: packet 08"},
		"P3 a rejected packet is credited": {
			func(w *world) { w.books.credits[conditionNumber(7)] = []credit{{accountNumber(2), 100}} }, "was rejected with T00 and is credited"},
		"a packet is credited to somebody else": {
			func(w *world) { w.books.credits[conditionNumber(3)] = []credit{{accountNumber(1), 100}} }, "is credited with 100 to 01"},
		"a packet is credited with another amount": {
			func(w *world) { w.books.credits[conditionNumber(3)] = []credit{{accountNumber(2), 101}} }, "is credited with 101 to 02"},
		"a credit without a packet": {
			func(w *world) { w.books.credits[conditionNumber(99)] = []credit{{accountNumber(2), 100}} }, "was never sent"},
		"more credits than were under way": {
			func(w *world) {
				for n := byte(100); n < 120; n++ {
					w.send(&packet{account: accountNumber(1), amount: 1, condition: conditionNumber(n)})
					w.books.credits[conditionNumber(n)] = []credit{{accountNumber(1), 1}}
				}
			}, "21 packets without a Fulfill are credited"},
		"a paid answer whose charge is missing": {
			func(w *world) { w.books.charges[accountNumber(1)] = sum{4, 40} }, "UNPAID: account 01"},
		"all charges of an account are missing": {
			func(w *world) { delete(w.books.charges, accountNumber(1)) }, "UNPAID: account 01"},
		"a charge of too little": {
			func(w *world) { w.books.charges[accountNumber(1)] = sum{6, 49} }, "UNPAID: account 01"},
		"P5 a request is charged twice": {
			func(w *world) { w.books.charges[accountNumber(1)] = sum{7, 70} }, "OVERCHARGED: account 01"},
		"P5 a charge of too much": {
			func(w *world) { w.books.charges[accountNumber(1)] = sum{6, 61} }, "OVERCHARGED: account 01"},
		"a charge of an account that asked for nothing": {
			func(w *world) { w.books.charges[accountNumber(2)] = sum{1, 10} }, "OVERCHARGED: account 02"},
		"what the books say themselves": {
			func(w *world) { w.books.wrong = append(w.books.wrong, "NEGATIVE: account 01") }, "NEGATIVE: account 01"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := newWorld()
			test.plant(w)
			if v := fmt.Sprint(w.compare(w.books, fullFlight)); !strings.Contains(v, test.want) {
				t.Errorf("the oracle says %s; want %q", v, test.want)
			}
		})
	}
}

// What was open before a comparison is settled by it: the next one wants what is there now.
func TestWhatWasThereOnceMustStay(t *testing.T) {
	w := newWorld()
	w.adopt(w.books)
	if v := w.compare(w.books, flight{packets: 1}); len(v) > 0 { // packet 8 is still to be sent again
		t.Fatal(v)
	}
	w.books.charges[accountNumber(1)] = sum{5, 50}
	if v := fmt.Sprint(w.compare(w.books, fullFlight)); !strings.Contains(v, "UNPAID") {
		t.Errorf("a charge that was seen has gone, and the oracle says %s", v)
	}
	w.books.credits[conditionNumber(10)] = []credit{{accountNumber(1), 100}}
	if v := fmt.Sprint(w.compare(w.books, fullFlight)); !strings.Contains(v, "packet 0a0000000000 was rejected") {
		t.Errorf("a packet that was found not to be credited is credited later, and the oracle says %s", v)
	}
}

func TestOracleKnowsLostPacketsFromOthers(t *testing.T) {
	w := newWorld()
	w.books.charges[accountNumber(1)] = sum{}
	delete(w.books.credits, conditionNumber(8))
	if v := w.lost(w.books); len(v) > 0 {
		t.Errorf("nothing fulfilled is lost, and the oracle says %v", v)
	}
	delete(w.books.credits, conditionNumber(2))
	if v := fmt.Sprint(w.lost(w.books)); !strings.Contains(v, "LOST: packet 02") {
		t.Errorf("the oracle says %s", v)
	}
}

func TestAnswersAreJudgedAsTheyArrive(t *testing.T) {
	now := time.Now()
	tests := map[string]struct {
		reply     ilpcore.Reply
		expires   time.Time
		uncertain bool
		before    fate
		fate      fate
		blamed    string
	}{
		"fulfilled":              {reply: ilpcore.Reply{Fulfilled: true, Fulfillment: [32]byte{7}}, expires: now.Add(time.Minute), fate: fulfilled},
		"fulfilled too late":     {reply: ilpcore.Reply{Fulfilled: true, Fulfillment: [32]byte{7}}, expires: now.Add(-time.Millisecond), fate: fulfilled, blamed: "after it had expired"},
		"a wrong fulfillment":    {reply: ilpcore.Reply{Fulfilled: true}, expires: now.Add(time.Minute), fate: underWay, blamed: "wrong fulfillment"},
		"rejected for a while":   {reply: ilpcore.Reply{Code: ilpcore.T00}, fate: rejected},
		"rejected in doubt":      {reply: ilpcore.Reply{Code: ilpcore.T00}, uncertain: true, fate: doubtful},
		"too late, in doubt":     {reply: ilpcore.Reply{Code: ilpcore.R00}, uncertain: true, fate: rejected},
		"rejected without cause": {reply: ilpcore.Reply{Code: ilpcore.F02}, fate: rejected, blamed: "nothing is wrong with it"},
		"a replay that is refused": {
			reply: ilpcore.Reply{Code: ilpcore.T00}, before: fulfilled, fate: fulfilled},
		"a conflict that is none": {
			reply: ilpcore.Reply{Code: ilpcore.F00}, before: fulfilled, fate: fulfilled, blamed: "nothing is wrong with it"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := newRecord()
			p := &packet{fulfillment: [32]byte{7}, expires: test.expires, fate: test.before}
			r.send(p)
			r.doubt(test.uncertain)
			r.answer(p, test.reply)
			blamed := fmt.Sprint(r.takeBroken())
			if p.fate != test.fate && test.before == underWay || (test.blamed == "") != (blamed == "[]") || !strings.Contains(blamed, test.blamed) {
				t.Errorf("fate %d, blamed %s; want %d, %q", p.fate, blamed, test.fate, test.blamed)
			}
		})
	}
}

func TestFulfillsAfterAFailedSyncAreBlamed(t *testing.T) {
	failed := time.Now()
	tests := map[string]struct {
		sent, fulfilled, began, paid time.Duration // after the failure
		blamed                       string
	}{
		"all before":                       {-2 * time.Second, -time.Second, -2 * time.Second, -time.Second, "[]"},
		"still on their way":               {-time.Second, time.Second / 2, -time.Second, time.Second / 2, "[]"},
		"a packet sent after it":           {time.Millisecond, time.Second / 2, -time.Second, 0, "1 packets were fulfilled"},
		"a packet fulfilled long after it": {-time.Second, 2 * time.Second, -time.Second, 0, "1 packets were fulfilled"},
		"a request begun after it":         {-time.Second, 0, time.Millisecond, time.Second / 2, "answered by the backend"},
		"a request paid long after it":     {-time.Second, 0, -time.Second, 2 * time.Second, "answered by the backend"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			b := &bed{record: newRecord()}
			p := &packet{condition: conditionNumber(1)}
			b.record.send(p)
			p.fate, p.sent, p.fulfilledAt = fulfilled, failed.Add(test.sent), failed.Add(test.fulfilled)
			b.record.lastBegan, b.record.lastPaid = failed.Add(test.began), failed.Add(test.paid)
			b.judgeSilence(failed, failed)
			if v := fmt.Sprint(b.record.takeBroken()); !strings.Contains(v, test.blamed) {
				t.Errorf("blamed: %s; want %q", v, test.blamed)
			}
		})
	}
}
