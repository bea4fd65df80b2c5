package paywall

// This file turns a rule and a request into a price.

import (
	"net/http"

	"github.com/paydoor/paydoor/amount"
)

// cost is what one request costs.
type cost struct {
	price   amount.Amount // reserved; also charged unless bytes are counted
	perByte amount.Amount // what each byte that was read costs, with count or if the body breaks off; 0: bytes cost nothing by themselves
	max     uint64        // with count: how many bytes may be read
	excess  *problem      // with count: what to answer if there are more
	count   bool
}

// costOf prices a request that is to be served now. Its own Content-Length counts, never what a price query announced.
func (r *Rule) costOf(req *http.Request) (cost, *problem) {
	if !r.PerByte {
		return cost{price: r.Price}, nil
	}
	if req.ContentLength >= 0 {
		c, prob := r.costOfBytes(uint64(req.ContentLength))
		c.perByte = r.Price
		return c, prob
	}
	if tunnelled(req) == "websocket" {
		return cost{price: r.Price}, nil // what goes through it is no body
	}
	if saysNoLength(req) {
		return cost{price: r.Price, perByte: r.Price, max: 1, excess: lengthRequired, count: true}, nil
	}
	if r.MaxBytes == 0 {
		return cost{}, lengthRequired
	}
	c, prob := r.costOfBytes(r.longest)
	c.perByte, c.max, c.excess, c.count = r.Price, r.longest, tooLarge(r.longest), true
	return c, prob
}

// saysNoLength says whether r likely has no body, though its length is unknown: over HTTP/3 that is so of every request that does not tell
// its length. It is then priced like an empty body, and more than the one byte that is paid for is not let through.
func saysNoLength(r *http.Request) bool {
	return r.ProtoMajor == 3 && (r.Method == http.MethodGet || r.Method == http.MethodHead || r.Method == http.MethodDelete)
}

// costOfQuery prices the request that a price query announces, with the body's length in Unhash-Content-Length (seed 003,
// section 2.1). Without one it is the maximum, if there is a maximum.
func (r *Rule) costOfQuery(req *http.Request) (cost, *problem) {
	if !r.PerByte {
		return cost{price: r.Price}, nil
	}
	lines := req.Header["Unhash-Content-Length"]
	if len(lines) == 0 {
		if r.MaxBytes == 0 {
			return cost{}, queryLengthRequired
		}
		return r.costOfBytes(r.longest)
	}
	n, err := amount.Parse(lines[0])
	if err != nil || len(lines) > 1 {
		return cost{}, badQueryLength
	}
	return r.costOfBytes(uint64(n))
}

func (r *Rule) costOfBytes(n uint64) (cost, *problem) {
	if r.longest > 0 && n > r.longest {
		return cost{}, tooLarge(r.longest)
	}
	price, ok := r.Price.Mul(max(n, 1))
	if !ok {
		return cost{}, priceOverflow
	}
	return cost{price: price}, nil
}
