// Package receiver turns Interledger payments into credits: it mints the address and secret of a quote, and answers the Prepares
// that are sent to such an address, by PSK2 or STREAM, with a Fulfill once the money is durably credited.
//
// Everything that a packet needs is in its address, sealed with the receiver secret (D3), so a quote that nobody pays costs no
// memory and no disk. A packet goes one way: find the segment, open it, look the condition up, decrypt, check, credit, answer.
//
//	r, err := receiver.New(receiver.Config{Secrets: [][]byte{secret}, Addresses: node, Crediter: ledger})
//	quote, err := r.Quote(receiver.QuoteRequest{Payee: receiver.TokenPayee(tid), Token: token, Due: 10})
//	// hand quote.Address and quote.SharedSecret to the payer; its packets come to r.HandlePrepare
package receiver
