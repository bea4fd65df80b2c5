package connector

// This file gives children their address: the answering side of ILDCP (RFC 31).

import "github.com/paydoor/paydoor/ilpcore"

// configure answers a Prepare for peer.config with the account's address and asset.
func (n *Node) configure(a *account, in ilpcore.Incoming) ilpcore.Reply {
	self := n.self()
	if !a.Relation.below() {
		return ilpcore.Reject(ilpcore.F00, self, "only a child account gets an address from this node", nil)
	}
	if ilpcore.CheckILDCPRequest(&in.Prepare) != nil {
		return ilpcore.Reject(ilpcore.F00, self, "an ILDCP request has the condition of the all-zero fulfillment", nil)
	}
	if _, _, ok := n.Address(); !ok {
		return ilpcore.Reject(ilpcore.T01, self, noAddress, nil)
	}
	address, ok := n.addressOf(a)
	if !ok {
		return ilpcore.Reject(ilpcore.F00, self, "this node's address is too long to append an account to it", nil)
	}
	reply, err := ilpcore.ILDCP{Address: address, Asset: n.assetOf(a)}.Reply()
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, self, "this account's asset cannot be written in an ILDCP answer", nil)
	}
	return reply
}
