package connector

// This file is the node's part in telling routes.

import (
	"io"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

type learnedRoute struct {
	prefix string
	from   ilpcore.AccountID
}

type routing struct{ node *Node }

func newRouting(n *Node, every time.Duration, random io.Reader) *routing { return &routing{node: n} }

func (r *routing) changed(*table) {}
func (r *routing) close()         {}

func (r *routing) control(a *account, in ilpcore.Incoming) ilpcore.Reply {
	return ilpcore.Reject(ilpcore.F02, r.node.self(), "this node has no such peer service", nil)
}

func (r *routing) update(a *account, in ilpcore.Incoming) ilpcore.Reply { return r.control(a, in) }
