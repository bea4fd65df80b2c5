// Package ilphttp is the link ILP over HTTP in its synchronous form (RFC 35, drafts 1 and 2, which is what deployed nodes speak): each
// Prepare is the body of a POST, and the Fulfill or Reject is the body of its 200 answer.
//
// Server takes the packets of other nodes; Client sends to one. Both directions of a link have their own credential: a
// bearer token (profile SIMPLE), or a key that signs JSON Web Tokens (JWT_HS_256).
//
//	credentials := ilphttp.NewCredentials(nil)
//	credentials.Add("alice", "her token")
//	credentials.AddJWT("bob", ilphttp.JWT{Subject: "bob", Secret: key})
//	server, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: credentials, Handler: node})
//	mux.Handle("POST /ilp", server)
//	mux.Handle("POST /accounts/{account}/ilp", server)
//
//	client, err := ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: "https://connector.example/ilp", Token: "our token"})
//	reply := client.HandlePrepare(ctx, ilpcore.Incoming{Prepare: prepare})
package ilphttp
