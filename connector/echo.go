package connector

// This file answers echo requests, which make the node send a packet to where a stranger says.

import (
	"context"
	"errors"

	"github.com/paydoor/paydoor/ilpcore"
)

// defaultEchoPerMinute bounds what an account can make the node send to others in its place.
const defaultEchoPerMinute = 60

// echo sends the packet's money on to the source that the request names, under the same condition, and brings back the answer. Unlike a packet that is
// forwarded it may go back to the account it came from. It never goes to the node itself.
func (d *dispatch) echo(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	self := d.node.self()
	back, err := ilpcore.EchoBack(&in.Prepare)
	if errors.Is(err, ilpcore.ErrEcho) {
		return ilpcore.Reject(ilpcore.F01, self, "the data is not that of an echo request", nil)
	}
	if !d.account.echoes.allow() {
		return ilpcore.Reject(ilpcore.T05, self, "too many echo requests per minute; slow down", nil)
	}
	to, local := d.node.resolve(back.Destination)
	if local || to == nil {
		return ilpcore.Reject(ilpcore.F02, self, "no route to the source that the echo request names", nil)
	}
	return d.forward(ctx, to, ilpcore.Incoming{From: in.From, Prepare: back})
}
