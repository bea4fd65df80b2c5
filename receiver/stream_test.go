package receiver

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

func money(id, shares uint64) func(*stream.Builder) {
	return func(b *stream.Builder) { b.StreamMoney(stream.StreamMoney{StreamID: id, Shares: shares}) }
}

// said is what the frames of an answer tell the sender.
type said struct {
	types   []stream.FrameType
	limit   amount.Amount
	total   amount.Amount
	goAhead bool
	close   stream.ErrorCode
	why     string
	streams []uint64 // that were told their limits

	maxStream, receipt uint64
}

func (f *fixture) said(q Quote, reply ilpcore.Reply, arrived amount.Amount) (s said) {
	f.t.Helper()
	packet := f.streamAnswer(q, reply)
	if packet.PrepareAmount != arrived {
		f.t.Errorf("the answer says that %s arrived, want %s", packet.PrepareAmount, arrived)
	}
	for frame := range packet.Frames() {
		s.types = append(s.types, frame.Type)
		switch frame.Type {
		case stream.FrameStreamMaxMoney:
			s.limit, s.total = frame.StreamMaxMoney().ReceiveMax, frame.StreamMaxMoney().TotalReceived
			s.streams = append(s.streams, frame.StreamMaxMoney().StreamID)
		case stream.FrameConnectionMaxStreamID:
			s.maxStream = frame.ConnectionMaxStreamID().MaxStreamID
		case stream.FrameStreamReceipt:
			s.receipt = frame.StreamReceipt().StreamID
		case stream.FrameStreamData:
			data := frame.StreamData()
			s.goAhead = data.StreamID == 1 && data.Offset == 0 && string(data.Data) == "\xff"
		case stream.FrameConnectionClose:
			s.close, s.why = frame.ConnectionClose().Code, string(frame.ConnectionClose().Message)
		}
	}
	return s
}

// TestStream is the table of receiver rules for one STREAM packet.
func TestStream(t *testing.T) {
	tests := []struct {
		name        string
		n, least    uint64
		frames      func(*stream.Builder)
		fulfillable bool
		fail        error
		want        ilpcore.Code
		credited    uint64
		close       stream.ErrorCode
	}{
		{"payment", 100, 10, money(1, 1), true, nil, fulfilled, 100, 0},
		{"payment to stream 19", 100, 10, money(19, 7), true, nil, fulfilled, 100, 0},
		{"money without a stream", 100, 0, nil, true, nil, fulfilled, 100, 0},
		{"probe", 1000, 0, nil, false, nil, ilpcore.F99, 0, 0},
		{"too little", 9, 10, money(1, 1), true, nil, ilpcore.F99, 0, 0},
		{"nothing", 0, 0, nil, true, nil, fulfilled, 0, 0},
		{"stream close", 0, 0, func(b *stream.Builder) { b.StreamClose(stream.StreamClose{StreamID: 1, Code: stream.NoError}) }, true, nil, fulfilled, 0, 0},
		{"connection close", 0, 0, func(b *stream.Builder) { b.ConnectionClose(stream.ConnectionClose{Code: stream.NoError}) }, false, nil, ilpcore.F99, 0, stream.NoError},
		{"money and connection close", 5, 0, func(b *stream.Builder) { b.ConnectionClose(stream.ConnectionClose{Code: stream.NoError}) }, true, nil, fulfilled, 5, stream.NoError},
		{"even stream", 10, 0, money(2, 1), true, nil, ilpcore.F99, 0, stream.ProtocolViolation},
		{"stream 0", 10, 0, money(0, 1), true, nil, ilpcore.F99, 0, stream.ProtocolViolation},
		{"stream 2^31+1", 10, 0, money(1<<31+1, 1), true, nil, ilpcore.F99, 0, stream.StreamIDError},
		{"stream 2^63+1", 10, 0, money(1<<63+1, 1), true, nil, ilpcore.F99, 0, stream.StreamIDError},
		{"no shares", 10, 0, money(1, 0), true, nil, ilpcore.F99, 0, stream.FrameFormatError},
		{"too many shares", 10, 0, func(b *stream.Builder) { money(1, 1<<63)(b); money(3, 1<<63)(b) }, true, nil, ilpcore.F99, 0, stream.FrameFormatError},
		{"late", 10, 0, money(1, 1), true, ErrTooLate, ilpcore.R00, 0, 0},
		{"busy", 10, 0, money(1, 1), true, ErrBusy, ilpcore.T03, 0, 0},
		{"full", 10, 0, money(1, 1), true, ErrMaxBalance, ilpcore.F99, 0, stream.ApplicationError},
		{"unavailable", 10, 0, money(1, 1), true, ErrUnavailable, ilpcore.T00, 0, 0},
		{"strange error", 10, 0, money(1, 1), true, context.Canceled, ilpcore.T00, 0, 0},
	}
	for _, test := range tests {
		for _, capped := range []bool{false, true} {
			t.Run(test.name, func(t *testing.T) {
				f := newFixture(t)
				f.books.fail = test.fail
				q := f.quote(capped, 100)
				reply := f.handle(f.stream(q, amountOf(test.n), amountOf(test.least), test.fulfillable, test.frames))
				f.code(reply, test.want)
				f.balance(amountOf(test.credited))
				s := f.said(q, reply, amountOf(test.n))
				if s.close != test.close {
					t.Errorf("the answer closes with %v, want %v", s.close, test.close)
				}
				// A sender that closes its connection shows its user this message, not that of the reject.
				if s.close > stream.NoError && s.why != reply.Message {
					t.Errorf("the sender is told %q, and the nodes on the way %q", s.why, reply.Message)
				}
			})
		}
	}
}

// TestStreamFirstReply: the packet that says who sends gets the asset and the highest stream id.
func TestStreamFirstReply(t *testing.T) {
	f := newFixture(t)
	q := f.quote(true, 10)
	reply := f.handle(f.stream(q, 1000, 0, false, func(b *stream.Builder) {
		b.ConnectionNewAddress(stream.ConnectionNewAddress{Address: []byte("test.sender.abc")})
	}))
	f.code(reply, ilpcore.F99)
	s := f.said(q, reply, 1000)
	want := []stream.FrameType{stream.FrameConnectionAssetDetails, stream.FrameConnectionMaxStreamID, stream.FrameStreamMaxMoney, stream.FrameStreamMaxData}
	if !slices.Equal(s.types, want) || s.limit != 10 || s.total != 0 {
		t.Errorf("got frames %v, limit %s, total %s", s.types, s.limit, s.total)
	}
	if f.sessions.Len() != 0 {
		t.Error("a probe left a session")
	}
}

// TestCappedQuote: a sender that offers all it may is told the due amount, sends it, and gets the go-ahead exactly once.
func TestCappedQuote(t *testing.T) {
	f := newFixture(t)
	q := f.quote(true, 10)
	reply := f.handle(f.stream(q, 1000, 0, true, money(1, 1000)))
	f.code(reply, ilpcore.F99)
	if s := f.said(q, reply, 1000); s.limit != 10 || s.total != 0 || s.goAhead {
		t.Errorf("after too much: %+v", s)
	}
	paying := f.stream(q, 10, 10, true, money(1, 10))
	reply = f.handle(paying)
	f.code(reply, fulfilled)
	if s := f.said(q, reply, 10); s.limit != 10 || s.total != 10 || !s.goAhead {
		t.Errorf("after the payment: %+v", s)
	}
	reply = f.handle(paying)
	f.code(reply, fulfilled)
	if s := f.said(q, reply, 10); !s.goAhead {
		t.Error("the retry lost the go-ahead")
	}
	reply = f.handle(f.stream(q, 0, 0, true, nil))
	f.code(reply, fulfilled)
	if s := f.said(q, reply, 0); s.goAhead || s.limit != 10 {
		t.Errorf("a control packet afterwards: %+v", s)
	}
	f.balance(10)
}

// window is what a sender grants: 16384 bytes, and one more once it has read one.
func window(id, offset uint64) func(*stream.Builder) {
	return func(b *stream.Builder) { b.StreamMaxData(stream.StreamMaxData{StreamID: id, MaxOffset: offset}) }
}

// TestGoAheadUntilItIsRead: however many replies are lost, the first that comes through tells the sender to go ahead, since its totals
// would end the sending without it. Once the sender shows that it has read it, there are no more.
func TestGoAheadUntilItIsRead(t *testing.T) {
	f := newFixture(t)
	q := f.quote(true, 10)
	pay := func(offset uint64) said {
		t.Helper()
		reply := f.handle(f.stream(q, 10, 0, true, func(b *stream.Builder) { window(1, offset)(b); money(1, 10)(b) }))
		f.balance(10)
		return f.said(q, reply, 10)
	}
	for retry := range 20 {
		if s := pay(16384); !s.goAhead || s.total != 10 {
			t.Errorf("retry %d: %+v", retry, s)
		}
	}
	if s := pay(16385); s.goAhead || s.total != 10 {
		t.Errorf("once it is read: %+v", s)
	}
}

// TestGoAheadIsRepeatedByTime: packets without money get it again at a pause, so that a sender that answers each copy does not spin.
func TestGoAheadIsRepeatedByTime(t *testing.T) {
	f := newFixture(t)
	q := f.quote(true, 10)
	control := func(frames func(*stream.Builder)) bool {
		return f.said(q, f.handle(f.stream(q, 0, 0, true, frames)), 0).goAhead
	}
	f.code(f.handle(f.stream(q, 4, 0, true, money(1, 4))), fulfilled)
	if control(window(1, 16384)) {
		t.Error("told before all was paid")
	}
	f.code(f.handle(f.stream(q, 6, 0, true, func(b *stream.Builder) { money(1, 6)(b); window(1, 16384)(b) })), fulfilled)
	for second := range 5 {
		for range 100 {
			if control(window(1, 16384)) {
				t.Errorf("second %d: told twice within it", second)
			}
		}
		f.now = f.now.Add(goAheadPause)
		if !control(window(1, 16384)) {
			t.Errorf("second %d: not told", second)
		}
	}
	f.now = f.now.Add(goAheadPause)
	if control(window(1, 16385)) || !control(nil) {
		t.Error("a sender is told after it has read it, or a packet without a window counts as one that did")
	}
}

// TestCappedInParts: several packets fill a quote up, and the last one is not let past it.
func TestCappedInParts(t *testing.T) {
	f := newFixture(t)
	q := f.quote(true, 900)
	for i := range 3 {
		reply := f.handle(f.stream(q, 300, 0, true, money(1, 300)))
		f.code(reply, fulfilled)
		s := f.said(q, reply, 300)
		if s.total != amountOf(uint64(300*(i+1))) || s.goAhead != (i == 2) {
			t.Errorf("part %d: %+v", i, s)
		}
	}
	f.code(f.handle(f.stream(q, 1, 0, true, money(1, 1))), ilpcore.F99)
	f.balance(900)
}

// TestOvershootBelowOneUnit: a sender whose unit is 1000 of ours pays 10 with one of its units, and the rest stays on the balance.
func TestOvershootBelowOneUnit(t *testing.T) {
	tests := []struct {
		n, shares uint64
		want      ilpcore.Code
	}{
		{1000, 1, fulfilled},   // one unit of 1000
		{1000, 2, ilpcore.F99}, // two units of 500: one would have been too much already
		{1000, 1000, ilpcore.F99},
		{10, 10, fulfilled},
		{11, 10, fulfilled},   // ten units of 1.1: nine would have been too little
		{20, 10, ilpcore.F99}, // ten units of 2
		{1<<64 - 1, 1 << 63, ilpcore.F99},
	}
	for _, test := range tests {
		f := newFixture(t)
		q := f.quote(true, 10)
		f.code(f.handle(f.stream(q, amountOf(test.n), 0, true, money(1, test.shares))), test.want)
		if test.want == fulfilled {
			f.balance(amountOf(test.n))
		} else {
			f.balance(0)
		}
	}
}

// TestOvershootOfAHundredth: JavaScript senders measure the rate with three digits or more and never correct it, so that what should arrive as
// the rest of a quote can be up to 1 % more. Their own receivers take that; where it is refused they send the same packet again without a pause.
func TestOvershootOfAHundredth(t *testing.T) {
	tests := []struct {
		due, before, n uint64
		want           ilpcore.Code
	}{
		{100_000, 0, 100_046, fulfilled}, // of 81,038 units, by a rate of 1.234 that is 1.2345678
		{100_000, 0, 101_000, fulfilled},
		{100_000, 0, 101_001, ilpcore.F99},
		{100_000, 99_000, 1_010, fulfilled}, // of what is missing, not of all
		{100_000, 99_000, 1_011, ilpcore.F99},
		{100_000, 100_000, 1, ilpcore.F99},
		{100_000, 100_046, 1, ilpcore.F99},
		{150, 0, 152, fulfilled}, // rounded up, as theirs
		{150, 0, 153, ilpcore.F99},
		{1, 0, 2, fulfilled},
		{1, 0, 3, ilpcore.F99},
		{1<<64 - 1, 1<<64 - 2, 1, fulfilled},
		{1<<64 - 1, 1<<64 - 2, 2, ilpcore.F99},
	}
	for _, test := range tests {
		f := newFixture(t)
		q := f.quote(true, amountOf(test.due))
		if test.before > 0 {
			f.code(f.handle(f.stream(q, amountOf(test.before), 0, true, money(1, test.before))), fulfilled)
		}
		reply := f.handle(f.stream(q, amountOf(test.n), 0, true, money(1, test.n)))
		f.code(reply, test.want)
		after := test.before
		if test.want == fulfilled {
			after += test.n
		}
		f.balance(amountOf(after))
		if s := f.said(q, reply, amountOf(test.n)); s.total != amountOf(after) || s.goAhead != (after >= test.due) {
			t.Errorf("%+v: told %+v", test, s)
		}
	}
}

// TestLostSessionCredits: when the memory of a capped quote is lost, what arrives is credited, and a retry is recognised still.
func TestLostSessionCredits(t *testing.T) {
	f := newFixture(t)
	q := f.quote(true, 10)
	first := f.stream(q, 10, 0, true, money(1, 10))
	f.code(f.handle(first), fulfilled)
	f.Receiver = f.rebuild([]byte("a receiver secret of 32 bytes...."))
	reply := f.handle(first)
	f.code(reply, fulfilled)
	if s := f.said(q, reply, 10); !s.goAhead || s.total != 10 {
		t.Errorf("the retry after a restart: %+v", s)
	}
	f.balance(10)
	f.Receiver = f.rebuild([]byte("a receiver secret of 32 bytes...."))
	f.code(f.handle(f.stream(q, 10, 0, true, money(1, 10))), fulfilled)
	f.balance(20)
}

// TestP2AtMostOneCredit: one packet fifty times at once, to an open and to a capped quote, is one credit and fifty Fulfills.
func TestP2AtMostOneCredit(t *testing.T) {
	for _, capped := range []bool{false, true} {
		f := newFixture(t)
		in := f.stream(f.quote(capped, 10), 10, 0, true, money(1, 10))
		var together sync.WaitGroup
		for range 50 {
			together.Go(func() { f.code(f.handle(in), fulfilled) })
		}
		together.Wait()
		f.balance(10)
		if f.books.credits != 1 {
			t.Errorf("capped %v: %d credits", capped, f.books.credits)
		}
	}
}

// TestCapHoldsInFlight: different packets at once never exceed the cap.
func TestCapHoldsInFlight(t *testing.T) {
	f := newFixture(t)
	q := f.quote(true, 100)
	packets := make([]ilpcore.Incoming, 50)
	for i := range packets {
		packets[i] = f.stream(q, 10, 0, true, money(1, 10))
	}
	var together sync.WaitGroup
	for _, in := range packets {
		together.Go(func() { f.handle(in) })
	}
	together.Wait()
	f.balance(100)
}

// TestUnreadableStream: what decrypts but is no STREAM packet gets F06.
func TestUnreadableStream(t *testing.T) {
	for _, plain := range []string{"", "\x01", "\x02\x0c\x01\x01\x01\x00\x01\x00", "\x01\x0d\x01\x01\x01\x00\x01\x00", "\x01\x0c\x01\x01\x01\x00\x01\x09"} {
		f := newFixture(t)
		q := f.quote(false, 10)
		f.code(f.handle(f.prepare(stream.Keys(q.SharedSecret[:]), q, 10, []byte(plain), true)), ilpcore.F06)
		f.balance(0)
	}
}
