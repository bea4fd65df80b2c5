package receiver

// This file receives STREAM (RFC 29) as far as a receiver of money needs it: no data is kept and no packet is ever sent.

import (
	"context"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// receiveStream answers a decrypted STREAM packet. From here on every reply carries an encrypted packet, because senders take
// its numbers, not the ILP code, for what happened.
func (r *Receiver) receiveStream(ctx context.Context, p *payment, plain []byte) ilpcore.Reply {
	packet, err := stream.DecodeRequest(plain)
	if err != nil {
		return r.reject(ilpcore.F06, "the STREAM packet cannot be read", nil)
	}
	s := streamReply{receiver: r, payment: p, sequence: packet.Sequence}
	s.asked.read(&packet, &p.quote.terms)
	if p.quote.capped {
		s.session = r.sessions.find(p)
	}
	fulfillment := p.quote.stream.Fulfillment(p.Data)
	switch asked := &s.asked; {
	case ilpcore.ConditionOf(fulfillment) != p.Condition:
		// Senders measure the rate, and say that they are done, with packets that nobody can fulfill.
		s.tellClosed()
		return s.reject(ilpcore.F99, "the packet cannot be fulfilled: the amount that arrived is in the data")
	case p.Amount < packet.PrepareAmount:
		return s.reject(ilpcore.F99, "less arrived than the packet says is the least")
	case asked.wrongStream != 0:
		s.violation = asked.wrongStream
		return s.reject(ilpcore.F99, "a stream id that this side does not allow")
	case p.Amount > 0 && !asked.sharesMakeSense():
		s.violation = stream.FrameFormatError
		return s.reject(ilpcore.F99, "the shares of the streams cannot be added up")
	case p.Amount > 0:
		if reply, ok := s.take(ctx); !ok {
			return reply
		}
	}
	reply := s.fulfill(fulfillment)
	if reply.Fulfilled {
		s.tellClosed()
	}
	return reply
}

// tellClosed tells the account when the packet ends the connection.
func (s *streamReply) tellClosed() {
	if s.asked.close {
		s.payment.account.tell(Received{Sequence: s.sequence, Closed: true})
	}
}

// take credits the packet's money: all of it to the one payee, whichever streams it was meant for. ok is false when the reply
// is a reject.
func (s *streamReply) take(ctx context.Context) (reply ilpcore.Reply, ok bool) {
	r, p := s.receiver, s.payment
	counted := false
	if p.quote.capped {
		if counted, ok = s.begin(); !ok && !r.creditedMeanwhile(ctx, p) {
			return s.reject(ilpcore.F99, "more than is due: the data says how much may come"), false
		}
	}
	repeated, err := r.credit(ctx, p)
	if s.session != nil {
		s.session.end(p, counted, err == nil && !repeated)
	}
	if err == nil && p.quote.receipts != nil {
		receipt := r.sessions.receipt(p, max(s.asked.money, 1), repeated)
		s.receipt = &receipt
	}
	if err == nil && !repeated {
		p.account.tell(Received{Amount: p.Amount, Sequence: s.sequence})
	}
	if err != nil {
		code, message := r.refusal(p, err)
		if code == ilpcore.F99 {
			s.violation = stream.ApplicationError
		}
		return s.reject(code, message), false
	}
	return ilpcore.Reply{}, true
}

// begin holds the payment against the cap. A quote gets a session only with a payment that fits, so that packets which cost their
// sender nothing push nobody's session out.
func (s *streamReply) begin() (counted, ok bool) {
	if s.session == nil {
		if !s.payment.known && !fits(0, s.payment, s.asked.shares) {
			return false, false
		}
		s.session = s.receiver.sessions.make(s.payment)
	}
	return s.session.begin(s.payment, s.asked.shares)
}

// creditedMeanwhile says whether a copy of the payment was credited after this one was looked up, so that no cap applies to it.
func (r *Receiver) creditedMeanwhile(ctx context.Context, p *payment) bool {
	known, found, err := p.crediter.Lookup(ctx, p.Condition)
	p.known = err == nil && found && known == p.digest()
	return p.known
}

// streamReply builds the answer to one packet.
type streamReply struct {
	receiver  *Receiver
	payment   *payment
	sequence  uint64
	asked     askedFrames
	session   *session
	violation stream.ErrorCode
	why       string                // of the reject, for the people behind a sender that is told of a violation
	receipt   *stream.StreamReceipt // nil: none
}

func (s *streamReply) fulfill(fulfillment [32]byte) ilpcore.Reply {
	data, err := s.seal(ilpcore.TypeFulfill)
	if err != nil {
		return s.receiver.reject(ilpcore.T00, "the answer could not be encrypted", nil)
	}
	return ilpcore.Fulfill(fulfillment, data)
}

func (s *streamReply) reject(code ilpcore.Code, message string) ilpcore.Reply {
	s.why = message
	data, err := s.seal(ilpcore.TypeReject)
	if err != nil {
		return s.receiver.reject(ilpcore.T00, "the answer could not be encrypted", nil)
	}
	return s.receiver.reject(code, message, data)
}

// maxStreamData is how many bytes a stream may send. They are thrown away.
const maxStreamData = 16384

// goAheadByte is what a sender that waits for the server on its stream takes as "your money is here, ask again".
var goAheadByte = []byte{0xff}

// seal builds and encrypts the reply packet.
func (s *streamReply) seal(packetType uint8) ([]byte, error) {
	var room [256]byte
	b := stream.Begin(room[:0], packetType, s.sequence, s.payment.Amount)
	if s.asked.newAddress {
		if asset, ok := s.payment.asset(s.receiver); ok {
			b.ConnectionAssetDetails(stream.ConnectionAssetDetails{Code: []byte(asset.Code), Scale: asset.Scale})
		}
		b.ConnectionMaxStreamID(stream.ConnectionMaxStreamID{MaxStreamID: s.asked.highest})
	}
	limit, received := s.totals(packetType)
	s.asked.stream(1) // which senders are told of before they open it
	for _, id := range s.asked.streams() {
		b.StreamMaxMoney(stream.StreamMaxMoney{StreamID: id, ReceiveMax: limit, TotalReceived: received})
		b.StreamMaxData(stream.StreamMaxData{StreamID: id, MaxOffset: maxStreamData})
	}
	if s.session != nil && s.violation == 0 && s.session.mayGo(s.payment, s.asked.window) {
		b.StreamData(stream.StreamData{StreamID: max(s.asked.money, 1), Data: goAheadByte})
	}
	if s.receipt != nil && packetType == ilpcore.TypeFulfill {
		b.StreamReceipt(*s.receipt)
	}
	switch {
	case s.violation != 0:
		b.ConnectionClose(stream.ConnectionClose{Code: s.violation, Message: []byte(s.why)})
	case s.asked.close:
		b.ConnectionClose(stream.ConnectionClose{Code: stream.NoError})
	}
	plain, err := b.Finish()
	if err != nil {
		return nil, err
	}
	return s.payment.quote.stream.Seal(nil, plain, s.receiver.random)
}

// asset returns what the payment is counted in.
func (p *payment) asset(r *Receiver) (ilpcore.Asset, bool) {
	if p.account != nil {
		return p.account.Asset, true
	}
	_, asset, ok := r.addresses.Address()
	return asset, ok
}

// totals returns what the streams may receive and have received. A quote that takes any amount keeps no total: what is known of
// it is this packet. A receiver never lowers the first, nor raises it after the quote was made.
func (s *streamReply) totals(packetType uint8) (limit, received amount.Amount) {
	if !s.payment.quote.capped {
		if packetType == ilpcore.TypeFulfill {
			received = s.payment.Amount
		}
		return amount.Max, received
	}
	if s.session != nil {
		received = s.session.total()
	}
	return max(s.payment.quote.due, received), received
}

// find returns the session of the payment's quote, or nil if there is none.
func (s *Sessions) find(p *payment) *session {
	found, _ := s.byQuote.get(p.quote.sessionKey(), p.now)
	return found
}

// make returns the session of the payment's quote, a new one if need be.
func (s *Sessions) make(p *payment) *session {
	return s.byQuote.getOrPut(p.quote.sessionKey(), p.now, func() *session { return new(session) })
}

// sessionKey names a capped quote: its random id and part of its payee.
func (t *terms) sessionKey() []byte {
	key := make([]byte, 0, 16)
	key = append(key, t.id[:]...)
	return append(key, t.payee.ID[:8]...)
}
