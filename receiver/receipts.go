package receiver

// This file gives STREAM receipts (RFC 39) for quotes that were made with a verifier's nonce and secret.

import (
	"sync"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// ReceiptTerms are what a verifier gives so that it can check receipts.
type ReceiptTerms struct {
	Nonce  [16]byte
	Secret [32]byte
}

// totals is what the streams of one quote have received. It is in memory: after a restart, or ten minutes without a packet, a quote's receipts
// begin at zero again, which never says more than was received.
type totals struct {
	mu       sync.Mutex
	byStream map[uint64]amount.Amount
}

// receipt counts the payment, all of it for one stream, and returns the receipt for that. A repeated payment was counted before, unless that
// was forgotten.
func (s *Sessions) receipt(p *payment, streamID uint64, repeated bool) stream.StreamReceipt {
	t := s.receipts.getOrPut(p.quote.sessionKey(), p.now, func() *totals { return &totals{byStream: make(map[uint64]amount.Amount)} })
	t.mu.Lock()
	defer t.mu.Unlock()
	total := t.byStream[streamID]
	if !repeated || total == 0 {
		total = total.Saturate(p.Amount)
		t.byStream[streamID] = total
	}
	terms := p.quote.receipts
	signed := stream.Receipt{Nonce: terms.Nonce, StreamID: uint8(streamID), TotalReceived: total}.Append(nil, terms.Secret[:])
	return stream.StreamReceipt{StreamID: streamID, Receipt: signed}
}
