// Package psk2 reads and writes PSK2 (RFC 25), the end-to-end protocol in which one request is one payment: the keys of a
// shared secret and the packets inside an ILP packet's encrypted data.
//
// It decides nothing: which requests are accepted is the receiver's business. A receiver opens the data of a Prepare with Keys,
// reads the request, and answers with a packet of the same request id that says how much arrived:
//
//	keys := psk2.Keys(secret)
//	plaintext, err := keys.Open(nil, prepare.Data)       // not ours: F06
//	request, err := psk2.DecodeRequest(plaintext)        // ErrLegacy and everything else: F06 without data
//	if keys.Condition(prepare.Data) == prepare.Condition && prepare.Amount >= request.Amount {
//		response := request.Reply(psk2.TypeResponse, prepare.Amount)
//		plaintext, err = response.Append(nil)
//		data, err := keys.Seal(nil, plaintext, random)
//	}
//
// Reading allocates nothing, and writing nothing beyond the caller's buffer.
package psk2
