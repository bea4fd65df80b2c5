// Package payer is the paying side: an HTTP client that pays for its requests (seed 003, section 2), and what it is made of. It finds out
// where to pay, from a server's Pay header or a payment pointer (RFC 9), and sends the money by STREAM (RFC 29) or PSK2 (RFC 25).
//
// With a link to a connector, or a node in the same process, a program pays by one more line:
//
//	wallet, err := payer.OpenWallet(payer.WalletConfig{Dir: dir, Limits: payer.Limits{PerRequest: 100, PerDay: 1000}})
//	client := http.Client{Transport: wallet.Transport(link)}
//	response, err := client.Get(url)
//
// Transport does the paying, within the caps of a Budget: a Wallet on disk, or Caps in memory. Without HTTP, Stream is for everything and PSK2
// for servers that ask for it:
//
//	to, err := payer.Resolver{}.Resolve(ctx, "$wallet.example/alice")
//	sender := payer.Stream{Link: link, Random: rand.Reader, Now: time.Now}
//	result, err := sender.Pay(ctx, payer.Payment{
//		Address: to.Address, Secret: to.Secret,
//		Deliver: 10_000, // in the receiver's base units
//		MaxSend: 10_500, // in ours; never more, whatever happens
//	})
//
// Money is counted exactly. Sent is what the link fulfilled, Delivered what the receiver acknowledged, and Unknown what nobody told
// of; Sent and Unknown together never exceed the limit of a payment.
package payer
