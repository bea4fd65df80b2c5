package stream_test

import (
	"crypto/rand"
	"fmt"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/stream"
)

// A sender pays 10 over stream 1; the receiver checks the Prepare and says how much more it takes.
func Example() {
	secret := []byte("a shared secret of thirty-two b.")
	sender, receiver := stream.Keys(secret), stream.Keys(secret)

	request := stream.Begin(nil, ilpcore.TypePrepare, 1, 9)
	request.StreamMoney(stream.StreamMoney{StreamID: 1, Shares: 1})
	plaintext, _ := request.Finish()
	data, _ := sender.Seal(nil, plaintext, rand.Reader)
	prepare := ilpcore.Prepare{Amount: 10, Condition: sender.Condition(data), Data: data}

	plaintext, err := receiver.Open(nil, prepare.Data)
	if err != nil {
		fmt.Println("not for us:", err)
		return
	}
	packet, err := stream.DecodeRequest(plaintext)
	if err != nil {
		fmt.Println("not STREAM:", err)
		return
	}
	for frame := range packet.Frames() {
		switch frame.Type {
		case stream.FrameStreamMoney:
			fmt.Printf("%v: %+v\n", frame.Type, frame.StreamMoney())
		case stream.FrameConnectionClose:
			fmt.Println("closed:", frame.ConnectionClose().Code)
		}
	}
	fmt.Println("fulfillable:", receiver.Condition(prepare.Data) == prepare.Condition)
	fmt.Println("enough:", prepare.Amount >= packet.PrepareAmount)

	answer := stream.Begin(nil, ilpcore.TypeFulfill, packet.Sequence, prepare.Amount)
	answer.StreamMaxMoney(stream.StreamMaxMoney{StreamID: 1, ReceiveMax: 100, TotalReceived: 10})
	plaintext, _ = answer.Finish()
	data, _ = receiver.Seal(nil, plaintext, rand.Reader)
	reply := ilpcore.Fulfill(receiver.Fulfillment(prepare.Data), data)

	plaintext, _ = sender.Open(nil, reply.Data)
	packet, err = stream.DecodeReply(plaintext, reply.Fulfilled, 1)
	fmt.Println("arrived:", packet.PrepareAmount, err)
	// Output:
	// StreamMoney: {StreamID:1 Shares:1}
	// fulfillable: true
	// enough: true
	// arrived: 10 <nil>
}
