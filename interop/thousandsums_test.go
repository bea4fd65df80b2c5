package interop

// This file adds up what the nodes of a row say after many payments, and compares it, packet by packet, with what crossed the links.

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// lastMoment is how long a node may take from getting a Fulfill to having it on disk: what it got so shortly before it was killed may be lost.
const lastMoment = time.Second

// reckoning is what books must have of the packets of a payment, or of a link, and what they may have.
type reckoning struct {
	must  int   // sum of the packets that are in the books for certain
	doubt []int // those of which nobody outside can tell
}

func (s *reckoning) add(units int, certain, possible bool) {
	switch {
	case certain:
		s.must += units
	case possible:
		s.doubt = append(s.doubt, units)
	}
}

// check adds everything up. What each node's books hold is what was paid in there, nobody is below its limit, and each holder has what its history
// says. Each payment's part of the histories, and b's balances with its neighbours, are what went over the links: with each packet that was seen fulfilled
// at the node that fulfilled it; and at the node that got the Fulfill, unless that was killed just then.
func (r *row) check(orders []*order) {
	t := r.t
	if r.wire.repeated > 0 || r.wire.wrong > 0 {
		t.Errorf("%d Prepares came twice over a link, and %d answers were wrong", r.wire.repeated, r.wire.wrong)
	}
	owed := make(map[string]map[string]int)
	for name, g := range r.nodes {
		owed[name] = g.allOwed()
	}
	r.checkSums(owed)
	sent, received := r.histories(owed)
	all := r.wire.crossings()
	byDestination := make(map[string][]*crossing)
	for _, c := range all {
		byDestination[c.destination] = append(byDestination[c.destination], c)
	}
	over, doubts := make(map[[2]string]int), 0 // what the holders of b have had from, and sent to, each neighbour
	for _, o := range orders {
		for _, a := range o.attempts {
			begin, end := r.tallies(o, a, byDestination)
			name := fmt.Sprintf("a payment of %d from %s to %s", o.units, o.from.name, o.to.name)
			r.compare(name+", as sent,", begin, sent[a.key])
			got := 0
			for _, destination := range r.asking.told[a.key] {
				got += received[destination]
			}
			r.compare(name+", as received,", end, got)
			doubts += len(begin.doubt) + len(end.doubt)
			if o.from.node == "b" {
				over[[2]string{"b", o.to.node}] += sent[a.key]
			}
			if o.to.node == "b" {
				over[[2]string{o.from.node, "b"}] += got
			}
		}
	}
	passed := r.passed(all)
	doubts += len(passed.doubt)
	for neighbour, sign := range map[string]int{"a": 1, "c": -1} {
		held := owed["b"][neighbour] - over[[2]string{"b", neighbour}] + over[[2]string{neighbour, "b"}]
		r.compare("what "+neighbour+" has at b of packets that b passed on", passed, sign*held)
	}
	r.checkLinks(owed, all)
	t.Logf("%d packets went over the links, and %d times it cannot be told from outside whether one is in the books", len(all), doubts)
}

// checkLinks wants the two ends of a link to differ by nothing but packets of which either cannot know: always so that the node nearer to the receiver
// has one that the other does not have.
func (r *row) checkLinks(owed map[string]map[string]int, all []*crossing) {
	for _, link := range [][2]string{{"a", "b"}, {"b", "c"}} {
		x, y := link[0], link[1]
		differ, packets, exposed := -(owed[x][y] + owed[y][x]), 0, 0
		for _, c := range all {
			here := c.from == x && c.to == y || c.from == y && c.to == x
			if here && (!c.answered || c.fulfilled && !r.settled(c, time.Time{})) {
				packets, exposed = packets+1, exposed+c.units
			}
		}
		r.t.Logf("%s and %s differ by %d; %d packets of %d were under way at kills", x, y, differ, packets, exposed)
		if differ < 0 || differ > exposed {
			r.t.Errorf("%s says that %s has %d, and %s that %s has %d: they differ by %d, and packets of %d were under way",
				x, y, owed[x][y], y, x, owed[y][x], differ, exposed)
		}
	}
}

// tallies is what the first node on the way has in its books of an attempt, and the last, by what was seen on their links.
func (r *row) tallies(o *order, a *attempt, packets map[string][]*crossing) (begin, end reckoning) {
	for _, destination := range r.asking.told[a.key] {
		for _, c := range packets[destination] {
			if c.from == o.from.node {
				begin.add(c.units, r.settled(c, a.end), c.inTime())
			}
			if c.to == o.to.node {
				end.add(c.units, c.fulfilled, !c.answered)
			}
		}
	}
	return begin, end
}

// settled says whether the node that sent a packet must have its Fulfill in its books: it came in time, and the node was not killed just then, unless
// it had acted on it before.
func (r *row) settled(c *crossing, acted time.Time) bool {
	if c.missed || !c.inTime() || c.passedAt.After(c.expires.Add(-lastMoment)) {
		return false
	}
	killed, ok := r.wire.kills[c.sentBy]
	return !ok || killed.Sub(c.passedAt) > lastMoment || acted.After(c.passedAt) && acted.Before(killed)
}

// passed is what b has in its books of the packets that it passed on: what c sent to a, less what a sent to c.
func (r *row) passed(all []*crossing) (sum reckoning) {
	beyond := make(map[passing]*crossing)
	for _, c := range all {
		if c.from == "b" {
			beyond[c.passing] = c
		}
	}
	for _, c := range all {
		sign, other := 1, "a"
		if c.from == "a" {
			sign, other = -1, "c"
		}
		next := beyond[passing{"b", other, c.condition}]
		if c.to != "b" || next == nil {
			continue
		}
		sum.add(sign*c.units, c.fulfilled || !c.answered && r.settled(next, time.Time{}), !c.answered && next.inTime())
	}
	return sum
}

// compare wants the sum in the books to be that of all packets that must be in it, and of some of those that may be.
func (r *row) compare(what string, want reckoning, books int) {
	if len(want.doubt) > mostDoubts {
		r.t.Logf("%s: of %d packets it cannot be told whether they are in the books; they are too many to look for the right ones", what, len(want.doubt))
	}
	if !explained(books-want.must, want.doubt) {
		r.t.Errorf("%s is %d in the books. The links have seen packets of %d that must be there; the difference of %d is no sum of those in doubt, %v",
			what, books, want.must, books-want.must, want.doubt)
	}
}

// checkSums wants what was paid in at a node on its balances, and nobody below its limit.
func (r *row) checkSums(owed map[string]map[string]int) {
	total, funded := 0, 0
	for name, accounts := range owed {
		sum, paidIn := 0, 0
		for account, units := range accounts {
			limit := 0
			if _, neighbour := r.nodes[account]; neighbour {
				limit = neighbourLimit
			}
			if units < limit {
				r.t.Errorf("%s has %d at %s, below its limit of %d", account, units, name, limit)
			}
			sum += units
		}
		for _, c := range r.holders {
			if c.node == name {
				paidIn += c.funded
			}
		}
		if sum != paidIn {
			r.t.Errorf("the balances at %s make %d, and %d were paid in", name, sum, paidIn)
		}
		total, funded = total+sum, funded+paidIn
	}
	r.t.Logf("%d were paid in, and all balances together make %d", funded, total)
}

// histories is what the histories say: what was sent with each key, and received at each address. They have to add up to the balances.
func (r *row) histories(owed map[string]map[string]int) (sent, received map[string]int) {
	sent, received = make(map[string]int), make(map[string]int)
	for _, c := range r.holders {
		balance := c.funded
		c.eachPayment("sent", func(key, _ string, units int) bool {
			sent[key] += units
			balance -= units
			return false
		})
		c.eachPayment("received", func(_, destination string, units int) bool {
			received[destination] += units
			balance += units
			return false
		})
		if owed[c.node][c.name] != balance {
			r.t.Errorf("%s has %d, and by its history %d", c.name, owed[c.node][c.name], balance)
		}
	}
	return sent, received
}

// mostDoubts bounds the search in explained.
const mostDoubts = 40

// explained says whether a difference is the sum of some of the amounts: each sum of one half of them is looked for among those of the other. Of
// more than mostDoubts amounts it says only whether it lies between the least and the most that they can come to.
func explained(difference int, amounts []int) bool {
	if difference == 0 {
		return true
	}
	if len(amounts) > mostDoubts {
		least, most := 0, 0
		for _, n := range amounts {
			least, most = least+min(n, 0), most+max(n, 0)
		}
		return least <= difference && difference <= most
	}
	sums := subsetSums(amounts[:len(amounts)/2])
	slices.Sort(sums)
	return slices.ContainsFunc(subsetSums(amounts[len(amounts)/2:]), func(sum int) bool {
		_, found := slices.BinarySearch(sums, difference-sum)
		return found
	})
}

func subsetSums(amounts []int) []int {
	sums := []int{0}
	for _, n := range amounts {
		for _, sum := range sums[:len(sums):len(sums)] {
			sums = append(sums, sum+n)
		}
	}
	return sums
}

// TestExplained: sums of some, of all and of none are found, others are not, also where there are too many to try.
func TestExplained(t *testing.T) {
	many := slices.Repeat([]int{7}, mostDoubts+1)
	for i, c := range []struct {
		difference int
		amounts    []int
		want       bool
	}{
		{0, nil, true}, {1, nil, false}, {5, []int{5}, true}, {-5, []int{5}, false}, {8, []int{5, 9, 3}, true}, {17, []int{5, 9, 3}, true},
		{2, []int{5, 9, 3, -12}, true}, {-12, []int{5, 9, 3, -12}, true}, {4, []int{5, 9, 3}, false}, {18, []int{5, 9, 3}, false},
		{21, many, true}, {7*len(many) + 1, many, false}, {-1, many, false},
	} {
		if got := explained(c.difference, c.amounts); got != c.want {
			t.Errorf("%d: %d of %v: %v", i, c.difference, c.amounts, got)
		}
	}
}
