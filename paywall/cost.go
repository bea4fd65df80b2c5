package paywall

// This file turns a rule and a request into a price, and counts the bytes of bodies whose length nobody announced.

import (
	"io"
	"net/http"
	"sync/atomic"

	"github.com/paydoor/paydoor/amount"
)

// cost is what one request costs.
type cost struct {
	price   amount.Amount // reserved; also charged unless bytes are counted
	perByte amount.Amount // with count: what each byte that was read costs
	max     uint64        // with count: how many bytes may be read
	count   bool
}

// costOf prices a request that is to be served now. Its own Content-Length counts, never what a price query announced.
func (r *Rule) costOf(req *http.Request) (cost, *problem) {
	if !r.PerByte {
		return cost{price: r.Price}, nil
	}
	if req.ContentLength >= 0 {
		return r.costOfBytes(uint64(req.ContentLength))
	}
	if r.MaxBytes == 0 {
		return cost{}, lengthRequired
	}
	c, prob := r.costOfBytes(r.MaxBytes)
	c.perByte, c.max, c.count = r.Price, r.MaxBytes, true
	return c, prob
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
		return r.costOfBytes(r.MaxBytes)
	}
	n, err := amount.Parse(lines[0])
	if err != nil || len(lines) > 1 {
		return cost{}, badQueryLength
	}
	return r.costOfBytes(uint64(n))
}

func (r *Rule) costOfBytes(n uint64) (cost, *problem) {
	if r.MaxBytes > 0 && n > r.MaxBytes {
		return cost{}, tooLarge(r.MaxBytes)
	}
	price, ok := r.Price.Mul(max(n, 1))
	if !ok {
		return cost{}, priceOverflow
	}
	return cost{price: price}, nil
}

// countedBody counts what is read of a body of unknown length and ends it with an error at the maximum. The transport may
// read it while the response is handled, so its numbers are atomic.
type countedBody struct {
	io.ReadCloser
	max      uint64
	count    atomic.Uint64
	exceeded atomic.Bool
}

func (b *countedBody) Read(p []byte) (int, error) {
	left := b.max - b.count.Load()
	// One byte more than allowed is asked for, to tell the end of the body from its excess.
	if uint64(len(p)) > left+1 {
		p = p[:left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if uint64(n) > left {
		b.count.Store(b.max)
		b.exceeded.Store(true)
		return int(left), &http.MaxBytesError{Limit: int64(b.max)}
	}
	b.count.Add(uint64(n))
	return n, err
}

// charge is what the bytes read so far cost. It is at most the price, which was checked for the maximum.
func (b *countedBody) charge(perByte amount.Amount) amount.Amount {
	charged, _ := perByte.Mul(max(b.count.Load(), 1))
	return charged
}

// trailerBody removes Pay* from the request's trailers, which the server fills in when the body ends.
type trailerBody struct {
	io.ReadCloser
	trailer http.Header
}

func (b *trailerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		scrub(b.trailer)
	}
	return n, err
}
