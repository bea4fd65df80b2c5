package receiver

// This file plays the golden table of hostile packets, testdata/hostile-packets.json, against the real ledger: each packet has
// exactly the outcome that the table says. The table is written by hand; nothing rewrites it from what the code does.

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// hostileCase is one row of the table: a quote for a token of its own, and the packets that are sent to it one after the other.
type hostileCase struct {
	Name   string
	Capped bool   // the quote is one of a 402
	Due    string // of the quote; "10" if absent
	Before string // the token's balance before
	Max    string // the maximum balance; none if absent
	Send   []hostilePacket
}

// hostilePacket is a packet and its outcome. Absent fields of the packet mean what makes it good.
type hostilePacket struct {
	Again     bool   // the packet before, with only the given fields changed; its condition stays
	Wait      string // how long after the packet before
	Protocol  string // whose keys seal the plaintext: "stream", "psk2", "psk2-rfc", or "none"
	Plain     string // hex; X*N is X written N times
	Data      string // what happens to the sealed data: see dataEdits
	Amount    string // "10" if absent
	Condition string // see condition; "right" if absent
	Expires   string // a duration from now, "30s" if absent, or a time
	To        string // see destination; the quote's address if absent

	Want     string // "fulfill" or the reject's code
	Answered *bool  // the reply has data, which the sender can open
	Close    uint8  // the error code of the ConnectionClose in a STREAM reply; 0: none
	Credit   *string
}

func loadHostile(t testing.TB) (cases []hostileCase) {
	t.Helper()
	file, err := os.Open("testdata/hostile-packets.json")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	d := json.NewDecoder(file)
	d.DisallowUnknownFields()
	if err := d.Decode(&cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

func TestHostilePackets(t *testing.T) {
	clock := newHandClock()
	ledger := openLedger(t, clock, balances.Options{})
	want := map[[32]byte]amount.Amount{}
	packets := 0
	for _, c := range loadHostile(t) {
		packets += len(c.Send)
		t.Run(c.Name, func(t *testing.T) {
			s := newHostileSender(t, ledger, clock, c)
			if _, twice := want[s.payee.ID]; twice {
				t.Fatal("two rows have this name")
			}
			balance := s.before(parseAmount(t, c.Before))
			ledger.max = parseAmount(t, c.Max)
			for i, p := range c.Send {
				balance += s.send(i, p)
				got, err := ledger.Balance(context.Background(), s.payee.ID)
				if err != nil || got.Spendable != balance || got.Durable != balance {
					t.Fatalf("packet %d: the balance is %+v (%v), want %s", i+1, got, err, balance)
				}
			}
			if balance > 0 {
				want[s.payee.ID] = balance
			}
		})
	}
	t.Logf("%d packets", packets)
	ledger.wantBooks(t, want)
}

// hostileSender knows one quote, and what the table may take for it.
type hostileSender struct {
	t        testing.TB
	receiver *Receiver
	clock    *handClock
	ledger   *realLedger
	payee    Payee
	quote    Quote
	another  Quote // of the same receiver, for another token
	foreign  Quote // of another receiver, at the same node address
	last     ilpcore.Incoming
	sealer   *ilpcore.EndToEnd // of last; nil when nothing sealed it
	protocol string            // of last
	plain    []byte            // of last
}

func newHostileSender(t testing.TB, ledger *realLedger, clock *handClock, c hostileCase) *hostileSender {
	t.Helper()
	s := &hostileSender{t: t, clock: clock, ledger: ledger, payee: TokenPayee(sha256.Sum256([]byte(c.Name)))}
	make := func(secret string) *Receiver {
		r, err := New(Config{Secrets: [][]byte{[]byte(secret)}, Addresses: &node{}, Crediter: ledger, Random: rand.Reader, Now: clock.now})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	mint := func(r *Receiver, payee Payee) Quote {
		due := amount.Amount(10)
		if c.Due != "" {
			due = parseAmount(t, c.Due)
		}
		q, err := r.Quote(QuoteRequest{Payee: payee, Token: token, Due: due, Capped: c.Capped})
		if err != nil {
			t.Fatal(err)
		}
		return q
	}
	s.receiver = make("a receiver secret of 32 bytes....")
	s.quote = mint(s.receiver, s.payee)
	s.another = mint(s.receiver, TokenPayee([32]byte{0xaa}))
	s.foreign = mint(make("another receiver secret, 32 bytes"), s.payee)
	return s
}

// before credits what the token is to have at first.
func (s *hostileSender) before(n amount.Amount) amount.Amount {
	if n > 0 {
		c := balances.Credit{Account: s.payee.ID, Amount: n, Condition: sha256.Sum256(s.payee.ID[:])}
		if _, err := s.ledger.Ledger.Credit(context.Background(), c); err != nil {
			s.t.Fatal(err)
		}
	}
	return n
}

// send delivers one packet as a link would, checks the outcome, and returns what it should have added.
func (s *hostileSender) send(i int, p hostilePacket) amount.Amount {
	s.t.Helper()
	if p.Want == "" || p.Answered == nil || p.Credit == nil {
		s.t.Fatalf("packet %d: the table must give want, answered and credit", i+1)
	}
	s.build(p)
	wire, err := s.last.Append(nil)
	if err != nil {
		s.t.Fatalf("packet %d cannot be written: %v", i+1, err)
	}
	prepare, err := ilpcore.DecodePrepare(wire)
	if err != nil {
		s.t.Fatalf("packet %d cannot be read: %v", i+1, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	reply := s.receiver.HandlePrepare(ctx, ilpcore.Incoming{From: "uplink", Prepare: prepare})
	outcome := reply.Code.String()
	if reply.Fulfilled {
		outcome = "fulfill"
	}
	if outcome != p.Want || (len(reply.Data) > 0) != *p.Answered {
		s.t.Fatalf("packet %d: got %s %q with %d bytes of data; want %s, with data: %v", i+1, outcome, reply.Message, len(reply.Data), p.Want, *p.Answered)
	}
	s.checkReply(i, p, reply)
	return parseAmount(s.t, *p.Credit)
}

// checkReply judges what every reply must be like, and what the sender reads in its data.
func (s *hostileSender) checkReply(i int, p hostilePacket, reply ilpcore.Reply) {
	s.t.Helper()
	encoded, err := reply.Append(nil)
	if err != nil {
		s.t.Fatalf("packet %d: the reply cannot be written: %v", i+1, err)
	}
	if bytes.Contains(encoded, token) || bytes.Contains(encoded, s.quote.SharedSecret[:]) {
		s.t.Errorf("packet %d: the reply shows a secret", i+1)
	}
	if reply.Fulfilled && sha256.Sum256(reply.Fulfillment[:]) != s.last.Condition {
		s.t.Errorf("packet %d: the fulfillment is not that of the condition", i+1)
	}
	if !reply.Fulfilled && (reply.TriggeredBy != "test.node" || reply.Message == "") {
		s.t.Errorf("packet %d: rejected by %q with %q", i+1, reply.TriggeredBy, reply.Message)
	}
	if len(reply.Data) == 0 {
		return
	}
	plain, err := s.sealer.Open(nil, reply.Data)
	if err != nil {
		s.t.Fatalf("packet %d: the sender cannot open the reply: %v", i+1, err)
	}
	arrived, closed := s.readAnswer(i, reply.Fulfilled, plain)
	if arrived != s.last.Amount || closed != p.Close {
		s.t.Errorf("packet %d: the answer says %s and closes with %d; want %s and %d", i+1, arrived, closed, s.last.Amount, p.Close)
	}
}

// readAnswer returns how much arrived by the receiver's account of it, and the code of a ConnectionClose.
func (s *hostileSender) readAnswer(i int, fulfilled bool, plain []byte) (arrived amount.Amount, closed uint8) {
	s.t.Helper()
	if s.protocol != "stream" {
		asked, err := psk2.DecodeRequest(s.plain)
		if err != nil {
			s.t.Fatal(err)
		}
		answer, err := psk2.DecodeReply(plain, fulfilled, asked.RequestID)
		if err != nil {
			s.t.Fatalf("packet %d: the answer cannot be read: %v", i+1, err)
		}
		return answer.Amount, 0
	}
	asked, err := stream.DecodeRequest(s.plain)
	if err != nil {
		s.t.Fatal(err)
	}
	answer, err := stream.DecodeReply(plain, fulfilled, asked.Sequence)
	if err != nil {
		s.t.Fatalf("packet %d: the answer cannot be read: %v", i+1, err)
	}
	for frame := range answer.Frames() {
		if frame.Type == stream.FrameConnectionClose {
			closed = uint8(frame.ConnectionClose().Code)
		}
	}
	return answer.PrepareAmount, closed
}

func parseAmount(t testing.TB, s string) amount.Amount {
	t.Helper()
	if s == "" {
		return 0
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return amount.Amount(n)
}
