// Package btp is the link BTP 2.0 (RFC 23): ILP packets of both directions over one WebSocket.
//
// Dial keeps a connection to another node: it authenticates as stock JavaScript clients do, connects again when the connection is lost,
// and answers T01 at once while there is none. After authentication both ends are equal; the session that serves them does
// not know who has dialled.
//
//	address, err := btp.ParseURL("btp+wss://shop:token@connector.example")
//	link, err := btp.Dial(btp.Config{Account: "uplink", URL: address, Handler: node})
//	defer link.Close()
//	reply := link.HandlePrepare(ctx, ilpcore.Incoming{Prepare: prepare})
package btp
