package connector

// This file gives children their address: the answering side of ILDCP (RFC 31).

import (
	"context"

	"github.com/paydoor/paydoor/ilpcore"
)

// ildcpService answers a Prepare for peer.config from the account with the address <own address>.<account id> and its asset.
type ildcpService struct {
	node    *Node
	account *account
}

func (s ildcpService) HandlePrepare(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	self := s.node.self()
	if !s.account.Relation.below() {
		return ilpcore.Reject(ilpcore.F00, self, "only a child account gets an address from this node", nil)
	}
	if ilpcore.CheckILDCPRequest(&in.Prepare) != nil {
		return ilpcore.Reject(ilpcore.F00, self, "an ILDCP request has the condition of the all-zero fulfillment", nil)
	}
	address, _, ok := s.node.Address()
	if !ok {
		return ilpcore.Reject(ilpcore.T01, self, noAddress, nil)
	}
	child, err := address.With(string(s.account.ID))
	if err != nil {
		return ilpcore.Reject(ilpcore.F00, self, "this node's address is too long to append an account to it", nil)
	}
	reply, err := ilpcore.ILDCP{Address: child, Asset: s.node.assetOf(s.account)}.Reply()
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, self, "this account's asset cannot be written in an ILDCP answer", nil)
	}
	return reply
}

var _ ilpcore.Handler = ildcpService{}
