// Package ilpcore is Interledger on the wire: the ILPv4 packets, addresses, error codes, the small protocols between
// neighbours (ILDCP, echo, ping), the end-to-end envelope that PSK2 and STREAM share, and the one seam, Handler, through which
// every packet goes.
//
// A link decodes what it receives, hands it to a Handler and encodes the answer:
//
//	p, err := ilpcore.DecodePrepare(body)                                  // allocates nothing; aliases body
//	reply := handler.HandlePrepare(ctx, ilpcore.Incoming{From: account, Prepare: p})
//	body, err = reply.Append(nil)                                          // a Fulfill or a Reject
//
// Decoders never trust a length before they have compared it with what is there. They want the canonical form of length
// determinants, and ignore bytes after the last field they know (RFC 30). Their errors never repeat what was read.
//
// The package does no I/O, reads no clock and logs nothing; its variables are constants of the protocols and never change.
// The subpackages hold what rides on top: btp frames, psk2 and stream.
package ilpcore
