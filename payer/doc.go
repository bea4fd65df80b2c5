// Package payer is the paying side: it finds out where to pay, from a server's Pay header (seed 003, section 2) or a payment pointer
// (RFC 9), and sends the money by STREAM (RFC 29) or PSK2 (RFC 25).
//
// It pays over any ilpcore.Handler: a link to a connector, or the node in the same process. Stream is for everything; PSK2 is for
// servers that ask for it.
//
//	to, err := payer.Resolver{}.Resolve(ctx, "$wallet.example/alice")
//	sender := payer.Stream{Link: link, Random: rand.Reader, Now: time.Now}
//	result, err := sender.Pay(ctx, payer.Payment{
//		Address: to.Address, Secret: to.Secret,
//		Deliver: 10_000, // in the receiver's base units
//		MaxSend: 10_500, // in ours; never more, whatever happens
//	})
//	fmt.Println(result.Sent, result.Delivered, err)
//
// Money is counted exactly. Sent is what the link fulfilled, Delivered what the receiver acknowledged, and Unknown what nobody told
// of; Sent and Unknown together never exceed the limit of a payment.
package payer
