package receiver

import (
	"context"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// heldBooks keeps the credit of one condition on its way to the disk until the test lets it go.
type heldBooks struct {
	*books
	hold    [32]byte
	entered chan struct{}
	release chan error
}

func (b *heldBooks) Credit(ctx context.Context, c Credit) (bool, error) {
	if c.Condition == b.hold {
		close(b.entered)
		if err := <-b.release; err != nil {
			return false, err
		}
		if err := ctx.Err(); err != nil {
			return false, err
		}
	}
	return b.books.Credit(ctx, c)
}

func (f *fixture) hold(in ilpcore.Incoming) *heldBooks {
	held := &heldBooks{books: f.books, hold: in.Condition, entered: make(chan struct{}), release: make(chan error, 1)}
	f.Receiver.crediter = held
	return held
}

// TestGoAheadWaitsForCredit: while a part is still on its way to the disk, neither another part's Fulfill nor a reject tells the
// sender that all is paid, because that part may fail.
func TestGoAheadWaitsForCredit(t *testing.T) {
	for _, part := range []uint64{500, 1000} {
		for _, outcome := range []error{nil, ErrTooLate} {
			f := newFixture(t)
			q := f.quote(true, 1000)
			first := f.stream(q, amountOf(part), 0, true, money(1, part))
			held := f.hold(first)
			answered := make(chan ilpcore.Reply)
			go func() { answered <- f.handle(first) }()
			<-held.entered
			other := f.handle(f.stream(q, amountOf(part), 0, true, money(1, part)))
			told := f.said(q, other, amountOf(part))
			if told.goAhead || told.total > f.books.balances[payee] {
				t.Errorf("part %d: told %+v with %s credited", part, told, f.books.balances[payee])
			}
			held.release <- outcome
			reply := <-answered
			if outcome != nil {
				f.code(reply, ilpcore.R00)
				continue
			}
			f.code(reply, fulfilled)
			if told := f.said(q, reply, amountOf(part)); !told.goAhead || told.total != 1000 {
				t.Errorf("part %d: the completing Fulfill says %+v", part, told)
			}
			f.balance(1000)
		}
	}
}

// TestRejectedPacketsMakeNoSession: packets that cost their sender nothing push no honest payer's session out.
func TestRejectedPacketsMakeNoSession(t *testing.T) {
	f := newFixture(t)
	for range 100 {
		f.code(f.handle(f.stream(f.quote(true, 1), 1000, 0, true, money(1, 1000))), ilpcore.F99)
	}
	if n := f.sessions.Len(); n != 0 {
		t.Errorf("%d sessions", n)
	}
}

// TestBrokenLinkDoesNotEndCredit: when the link breaks during the sync, the credit stands and the reply is the Fulfill that the link
// then cannot write, and counts.
func TestBrokenLinkDoesNotEndCredit(t *testing.T) {
	f := newFixture(t)
	in := f.psk2(f.quote(false, 10), 10, 10, nil, true)
	held := f.hold(in)
	link, broken := context.WithCancel(context.Background())
	answered := make(chan ilpcore.Reply)
	go func() { answered <- f.HandlePrepare(link, in) }()
	<-held.entered
	broken()
	held.release <- nil
	f.code(<-answered, fulfilled)
	f.balance(10)
}

// TestUnknownFlagsAreRefused: a segment that a later version might write is not misread by this one.
func TestUnknownFlagsAreRefused(t *testing.T) {
	keys, err := newSecretKeys(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	plain := terms{payee: payee, due: 10}.append(nil)
	plain[1] |= 8
	nonce := make([]byte, nonceLength)
	if _, err := keys.decode(keys.seal.Seal(nonce, nonce, plain, nil)); err != errSegment {
		t.Errorf("got %v", err)
	}
}
