package interop

// This file adds up what the nodes of a row say after many payments, and says what may differ when nodes were killed.

import "time"

// kill is when a node was killed: somewhen in between.
type kill struct {
	node          string
	before, after time.Time
}

// crosses says whether a packet from one node to another goes over the link between x and y.
func crosses(from, to, x, y string) bool {
	low, high := min(from, to), max(from, to)
	return low <= x && y <= high
}

// check adds everything up. Exact is: what each node's books hold is what was paid in there; nobody is below its limit. What the two ends of a link
// say of each other, and what a holder got beyond what its payers know of, may differ by packets that were under way at a kill, always so
// that the node nearer to the receiver has counted a packet that the one before it does not know of.
func (r *row) check(orders []*order) {
	t := r.t
	owed := make(map[string]map[string]int)
	for name, g := range r.nodes {
		owed[name] = g.allOwed()
	}
	total, funded := 0, 0
	for name, accounts := range owed {
		sum, paidIn := 0, 0
		for account, units := range accounts {
			limit := 0
			if _, neighbour := r.nodes[account]; neighbour {
				limit = neighbourLimit
			}
			if units < limit {
				t.Errorf("%s has %d at %s, below its limit of %d", account, units, name, limit)
			}
			sum += units
		}
		for _, c := range r.holders {
			if c.node == name {
				paidIn += c.funded
			}
		}
		if sum != paidIn {
			t.Errorf("the balances at %s make %d, and %d were paid in", name, sum, paidIn)
		}
		total, funded = total+sum, funded+paidIn
	}
	t.Logf("%d were paid in, and all balances together make %d", funded, total)
	for _, link := range [][2]string{{"a", "b"}, {"b", "c"}} {
		x, y := link[0], link[1]
		lost, bound := -(owed[x][y] + owed[y][x]), 0
		for _, o := range orders {
			if crosses(o.from.node, o.to.node, x, y) {
				bound += r.underWay(o, func(node string) bool { return node == x || node == y })
			}
		}
		t.Logf("%s and %s differ by %d; at most %d were under way at kills", x, y, lost, bound)
		if lost < 0 || lost > bound {
			t.Errorf("%s says that %s has %d, and %s that %s has %d: they differ by %d, and at most %d were under way", x, y, owed[x][y], y, x, owed[y][x], lost, bound)
		}
	}
	for _, c := range r.holders {
		r.checkHolder(c, owed[c.node][c.name], orders)
	}
}

// underWay is how much of a payment may have been under way at the kills of nodes.
func (r *row) underWay(o *order, nodes func(string) bool) (units int) {
	for _, k := range r.kills {
		for _, a := range o.attempts {
			if nodes(k.node) && a.begin.Before(k.after) && a.end.After(k.before) {
				units += o.units
			}
		}
	}
	return units
}

// checkHolder compares a balance with what the holder's payments, and those to it, say of themselves.
func (r *row) checkHolder(c *customer, balance int, orders []*order) {
	least, most := c.funded, c.funded
	for _, o := range orders {
		for _, a := range o.attempts {
			sent, delivered := int(a.delivery.Sent-a.delivery.InFlight), int(a.delivery.Delivered)
			if o.from == c {
				least, most = least-sent, most-sent
				if a.interrupted {
					least -= o.units
				}
			}
			if o.to == c {
				least, most = least+delivered, most+delivered
				if a.interrupted {
					most += o.units
				}
			}
		}
		if o.to == c {
			most += r.underWay(o, func(node string) bool { return crosses(o.from.node, o.to.node, node, node) })
		}
	}
	if balance < least || balance > most {
		r.t.Errorf("%s has %d, and should have %d to %d", c.name, balance, least, most)
	}
}
