package receiver

// This file receives PSK2 (RFC 25): one request is one payment, and an unfulfillable request is a sender asking for the rate.

import (
	"context"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
)

// receivePSK2 answers a decrypted PSK2 packet. The condition is checked before the amount, because a sender that asks for the
// rate may put any minimum into its request.
func (r *Receiver) receivePSK2(ctx context.Context, p *payment, keys *ilpcore.EndToEnd, plain []byte) ilpcore.Reply {
	request, err := psk2.Decode(plain)
	if err != nil || request.Type != psk2.TypeRequest {
		// Senders of the older chunk types take F06 without data as "not spoken here".
		return r.reject(ilpcore.F06, "only PSK2 requests (type 4) are received here", nil)
	}
	answer := func(code ilpcore.Code, message string) ilpcore.Reply {
		return r.rejectPSK2(p, keys, request.RequestID, code, message)
	}
	fulfillment := keys.Fulfillment(p.Data)
	if ilpcore.ConditionOf(fulfillment) != p.Condition {
		return answer(ilpcore.F05, "the condition does not match: a quote, if that was the intention")
	}
	if p.Amount < request.Amount {
		return answer(ilpcore.F99, "less arrived than the request says is the least")
	}
	if !p.quote.memo.matches(request.Data) {
		return answer(ilpcore.F99, "the memo is another token than the one this address was made for")
	}
	if p.Amount > 0 {
		repeated, err := r.credit(ctx, p)
		if err != nil {
			code, message := r.refusal(p, err)
			return answer(code, message)
		}
		if !repeated {
			p.account.tell(Received{Amount: p.Amount})
		}
	}
	data, err := r.sealPSK2(keys, psk2.TypeResponse, request.RequestID, p.Amount)
	if err != nil {
		// The credit stands and the sender may retry the identical packet, so nothing is lost by this.
		return r.reject(ilpcore.T00, "the answer could not be encrypted", nil)
	}
	return ilpcore.Fulfill(fulfillment, data)
}

// rejectPSK2 rejects with a PSK2 error that says how much arrived; this is how senders learn the rate.
func (r *Receiver) rejectPSK2(p *payment, keys *ilpcore.EndToEnd, id uint32, code ilpcore.Code, message string) ilpcore.Reply {
	data, err := r.sealPSK2(keys, psk2.TypeError, id, p.Amount)
	if err != nil {
		return r.reject(ilpcore.T00, "the answer could not be encrypted", nil)
	}
	return r.reject(code, message, data)
}

func (r *Receiver) sealPSK2(keys *ilpcore.EndToEnd, kind uint8, id uint32, arrived amount.Amount) ([]byte, error) {
	answer := psk2.Packet{Type: kind, RequestID: id, Amount: arrived}
	plain, err := answer.Append(make([]byte, 0, 32))
	if err != nil {
		return nil, err
	}
	return keys.Seal(nil, plain, r.random)
}
