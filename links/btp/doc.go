// Package btp is the link BTP 2.0 (RFC 23): ILP packets of both directions over one WebSocket.
//
// Dial keeps a connection to another node: it authenticates as stock JavaScript clients do, connects again when the connection is lost,
// and answers T01 at once while there is none. Await is the same for a peer that dials us: a Listener takes in its WebSocket, finds the link
// by what the peer shows, and hands it over. After authentication both ends are equal; the session that serves them does not know who
// has dialled.
//
//	address, err := btp.ParseURL("btp+wss://shop:token@connector.example")
//	link, err := btp.Dial(btp.Config{Account: "uplink", URL: address, Handler: node})
//	defer link.Close()
//	reply := link.HandlePrepare(ctx, ilpcore.Incoming{Prepare: prepare})
//
//	peer, err := btp.Await(btp.AwaitConfig{Account: "alice", Token: "her token", Handler: node})
//	defer peer.Close()
//	listener := btp.NewListener(btp.ListenerConfig{})
//	defer listener.Close()
//	listener.Add(peer)
//	mux.Handle("/accounts/{account}/ilp/btp", listener)
package btp
