package connector

// This file tells an operator how the node is.

import "github.com/paydoor/paydoor/ilpcore"

// Status is the node as its operator sees it. It holds no secret.
type Status struct {
	Ready    bool            `json:"ready"` // whether address and asset are known
	Address  ilpcore.Address `json:"address,omitempty"`
	Asset    ilpcore.Asset   `json:"asset"`
	Accounts []AccountStatus `json:"accounts"` // in the order in which they were added
}

// AccountStatus is one account.
type AccountStatus struct {
	ID       ilpcore.AccountID `json:"id"`
	Relation string            `json:"relation"`
	Asset    ilpcore.Asset     `json:"asset"`
	HasLink  bool              `json:"has_link"`          // whether the node can send to it
	Up       bool              `json:"up"`                // whether that link is up; true for one that only sends to us
	Problem  string            `json:"problem,omitempty"` // why it is not, if the link can say
	InFlight int64             `json:"in_flight"`         // packets of it that are unanswered
	Balance  Balance           `json:"balance"`           // in the account's base units; what is under way does not count
}

// Status returns the state of the node and of each account.
func (n *Node) Status() Status {
	var s Status
	s.Address, s.Asset, s.Ready = n.Address()
	order := n.table.Load().order
	s.Accounts = make([]AccountStatus, 0, len(order))
	for _, a := range order {
		s.Accounts = append(s.Accounts, n.accountStatus(a))
	}
	return s
}

// troubled is a link that can say what is wrong with it.
type troubled interface{ Err() error }

func (n *Node) accountStatus(a *account) AccountStatus {
	s := AccountStatus{
		ID: a.ID, Relation: a.Relation.String(), Asset: n.assetOf(a),
		HasLink: a.Link != nil, Up: a.Link == nil || a.Link.Up(), InFlight: a.inFlight.Load(),
	}
	s.Balance, _ = n.books.Balance(a.ID)
	if l, ok := a.Link.(troubled); ok {
		if err := l.Err(); err != nil {
			s.Problem = err.Error()
		}
	}
	return s
}
