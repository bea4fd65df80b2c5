// Package payer is the paying side of Paid HTTP APIs (seed 003, section 2): it reads what a server asks for and sends the money.
//
// It pays over any ilpcore.Handler: a link to a connector, or the node in the same process. One PSK2 payment is two packets, a
// quote that nobody can fulfill and the payment itself:
//
//	ask, err := payer.ParsePay(response.Header.Get("Pay"))
//	sender := payer.PSK2{Link: link, Random: rand.Reader, Now: time.Now}
//	receipt, err := sender.Pay(ctx, ask, 100, token) // receipt.Delivered units arrived for receipt.Sent of ours
package payer
