package psk2_test

import (
	"crypto/rand"
	"fmt"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
)

// A sender pays 10 with a memo; the receiver checks the Prepare and answers.
func Example() {
	secret := []byte("a shared secret of thirty-two b.")
	sender, receiver := psk2.Keys(secret), psk2.Keys(secret)

	request, _ := psk2.Packet{Type: psk2.TypeRequest, RequestID: 1, Amount: 10, Data: []byte("memo")}.Append(nil)
	data, _ := sender.Seal(nil, request, rand.Reader)
	prepare := ilpcore.Prepare{Amount: 10, Condition: sender.Condition(data), Data: data}

	plaintext, err := receiver.Open(nil, prepare.Data)
	if err != nil {
		fmt.Println("not for us:", err)
		return
	}
	got, err := psk2.DecodeRequest(plaintext)
	if err != nil {
		fmt.Println("not a request:", err)
		return
	}
	fmt.Printf("at least %v for %q\n", got.Amount, got.Data)
	fmt.Println("fulfillable:", receiver.Condition(prepare.Data) == prepare.Condition)

	response, _ := got.Reply(psk2.TypeResponse, prepare.Amount).Append(nil)
	data, _ = receiver.Seal(nil, response, rand.Reader)
	reply := ilpcore.Fulfill(receiver.Fulfillment(prepare.Data), data)

	plaintext, _ = sender.Open(nil, reply.Data)
	answer, err := psk2.DecodeReply(plaintext, reply.Fulfilled, 1)
	fmt.Println("arrived:", answer.Amount, err)
	// Output:
	// at least 10 for "memo"
	// fulfillable: true
	// arrived: 10 <nil>
}
