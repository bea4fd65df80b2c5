// Package connector is the Interledger node: who its accounts are, what each may send, and where a packet goes.
//
// A packet walks one chain of Handlers, each a small type in its own file: the account it came from is looked up, then
// guard (panics), rate limit (T05), in-flight limit (T03), expiry (R00), maximum amount (F08), and last the dispatcher, which hands
// it to the ILDCP service, to the local receiver, or to the account a route names. The package opens no connection itself: a
// LinkFactory does, and an Uplink keeps such a link to a parent together with the address learned over it, so that both
// outlive a change of configuration.
//
//	node, err := connector.NewNode(connector.Config{
//		Address:  "test.shop",
//		Asset:    ilpcore.Asset{Code: "USD", Scale: 9},
//		Accounts: []connector.Account{{ID: "wallet", Relation: connector.Local}},
//		Receiver: receiver,
//	})
//	reply := node.HandlePrepare(ctx, ilpcore.Incoming{From: "wallet", Prepare: prepare})
package connector
