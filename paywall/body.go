package paywall

// This file watches a request's body on its way to the backend: how it ends, and how long it is when nobody announced that.

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/paydoor/paydoor/amount"
)

// watchedBody is a request's body. The transport may read it while the response is handled, so its state is atomic.
type watchedBody struct {
	io.ReadCloser
	counted bool
	max     uint64           // with counted: how many bytes may be read
	ended   func(error) bool // of the config
	count   atomic.Uint64

	whole    atomic.Bool // read to the end
	exceeded atomic.Bool // longer than max
	broken   atomic.Bool // the client broke it off, or sent what is no body
	closed   atomic.Bool
}

// Read reads on. With counted, it asks for one byte more than allowed, to tell the end of the body from its excess.
func (b *watchedBody) Read(p []byte) (int, error) {
	if b.closed.Load() {
		return 0, http.ErrBodyReadAfterClose
	}
	left := b.max - b.count.Load()
	if b.counted && uint64(len(p)) > left+1 {
		p = p[:left+1]
	}
	n, err := b.ReadCloser.Read(p)
	if b.counted && uint64(n) > left {
		b.count.Store(b.max)
		b.exceeded.Store(true)
		return int(left), &http.MaxBytesError{Limit: int64(b.max)}
	}
	b.count.Add(uint64(n))
	b.note(err)
	return n, err
}

// note remembers how the body ended. A limit of the site's own is not the client's doing, nor is the server's end, nor reading on after Close.
func (b *watchedBody) note(err error) {
	var limit *http.MaxBytesError
	switch {
	case err == nil:
	case err == io.EOF:
		b.whole.Store(true)
	case !b.closed.Load() && !errors.As(err, &limit) && !b.ended(err):
		b.broken.Store(true)
	}
}

// Close ends the reading.
func (b *watchedBody) Close() error {
	b.closed.Store(true)
	return b.ReadCloser.Close()
}

// freeze lets no more bytes through, without waiting for a read under way.
func (b *watchedBody) freeze() { b.closed.Store(true) }

// charge is what the bytes read so far cost, of which at least one is charged. It is at most the price, which was checked for the
// maximum.
func (b *watchedBody) charge(perByte amount.Amount) amount.Amount {
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
