// Package nodeapi is the node's own HTTP API on net/http: accounts, balances, routes, rates and payments, in the dialects of the Java
// connector (seed 000) and of interledger-rs (seed 001, and the newer one), and the sandbox, a test wallet with play money.
//
// A Directory keeps what the API makes in the store, with every secret encrypted by a Keeper. An API answers the requests; it changes
// the running node through connector.Node, and has links opened and closed through an Opener:
//
//	directory, err := nodeapi.OpenDirectory(s, nodeapi.NewKeeper(secrets, rand.Reader))
//	api, err := nodeapi.New(nodeapi.Config{
//		Directory: directory, Node: node, Books: books, Rates: rates, Opener: links, Accounts: credentials, AdminToken: token, Random: rand.Reader,
//	})
//	api.OpenAccounts()
//	http.ListenAndServe("127.0.0.1:7770", api)
//
// A node whose accounts are to be paid, and to pay, needs some more: a *Holders as connector.Config.Holders, with the receiver that is also
// Config.Quoter, API.Notify, and the API as its History; and a Config.Sender.
//
// A request's way: api.go finds the handler, access.go says who asks and in which dialect, the java and rs files read and answer, and
// change.go carries out what changes an account. The way of a payment's record: historykeep.go, historysent.go and historyreceived.go, history.go;
// historypage.go reads it.
package nodeapi
