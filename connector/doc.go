// Package connector is the Interledger node: who its accounts are, what each may send, and where a packet goes.
//
// A packet walks one chain of Handlers, each a small type in its own file: the account it came from is looked up, then guard (panics),
// packets per minute (T05), amount per minute (T04), packets in flight (T03), expiry (R02), duplicates (T03), maximum amount (F08), and last
// transfer, which holds the amount on the account's balance (T04), has the packet answered and moves the money. The dispatcher behind it
// hands the packet to a service of the node (ILDCP, CCP, ping, echo), to the local receiver, or to the account a route names, whose answer is
// checked (F05, R00). Exchange rates are exact; what is rounded off is never the sender's gain.
//
// Accounts and routes can be changed while packets flow. Balances are kept in Books, which make them durable through a store. The package opens
// no connection itself: a LinkFactory does, and an Uplink keeps such a link to a parent together with the address learned over it, so that
// both outlive a change of configuration.
//
//	node, err := connector.NewNode(connector.Config{
//		Address:  "test.shop",
//		Asset:    ilpcore.Asset{Code: "USD", Scale: 9},
//		Accounts: []connector.Account{{ID: "wallet", Relation: connector.Local}},
//		Receiver: receiver,
//	})
//	reply := node.HandlePrepare(ctx, ilpcore.Incoming{From: "wallet", Prepare: prepare})
package connector
