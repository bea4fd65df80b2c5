// Package btp is the Bilateral Transfer Protocol 2.0 (RFC 23) as bytes: the frames that two neighbours send each other over a
// WebSocket, their sub-protocol entries, and the message that authenticates the side that dialled.
//
//	var f btp.Frame
//	if err := f.Decode(message); err != nil { ... }    // aliases message and reuses f.Entries
//	packet, ok := f.ILP()                              // the bytes of a Prepare, Fulfill or Reject
//	answer := btp.AppendILP(nil, btp.TypeResponse, f.RequestID, reply)
//
// An ILP Reject is an ordinary answer and travels in a Response; a BTP Error says that the neighbour could not handle the frame at all.
// Some interledger-rs releases swap Message and Response for ILP packets, so a link tells requests from answers by the type of
// the ILP packet inside and not by the type of the frame.
//
// The package opens no connection; links/btp does.
package btp
