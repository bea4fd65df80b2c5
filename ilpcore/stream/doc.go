// Package stream reads and writes STREAM (RFC 29), the end-to-end protocol of live Interledger wallets: the keys of a shared
// secret, the packets inside an ILP packet's encrypted data, all their frames, and receipts (RFC 39).
//
// It holds no connection and decides nothing: what a receiver answers is the receiver's business, what a sender sends the
// payer's. A receiver opens the data of a Prepare with Keys, reads it with Decode, walks the frames, builds the reply with
// Begin and seals it:
//
//	keys := stream.Keys(secret)
//	plaintext, err := keys.Open(nil, prepare.Data)       // not ours: F06
//	packet, err := stream.DecodeRequest(plaintext)       // not STREAM: F06
//	for frame := range packet.Frames() {
//		if frame.Type == stream.FrameStreamMoney {
//			shares += frame.StreamMoney().Shares
//		}
//	}
//	reply := stream.Begin(nil, ilpcore.TypeFulfill, packet.Sequence, prepare.Amount)
//	reply.StreamMaxMoney(stream.StreamMaxMoney{StreamID: 1, ReceiveMax: 100, TotalReceived: 10})
//	plaintext, err = reply.Finish()
//	data, err := keys.Seal(nil, plaintext, random)
//
// Reading and writing allocate nothing beyond the caller's buffers. What Decode accepts, Frames can walk without an error.
package stream
