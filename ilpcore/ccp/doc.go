// Package ccp is the Connector-to-Connector Protocol on the wire: how neighbouring nodes tell each other which address prefixes they lead to.
//
// A node asks for routes with a Control; the other one then sends Updates. Both are the data of a Prepare of amount 0 to
// ControlDestination or UpdateDestination, with ilpcore.PeerCondition, and are answered with a Fulfill without data.
//
// Each Update carries the changes between two epochs of the sender's table. A receiver that misses some asks again, saying what it has.
//
//	data := ccp.Control{Mode: ccp.Sync}.Append(nil)
//	update, err := ccp.DecodeUpdate(prepare.Data)
package ccp
