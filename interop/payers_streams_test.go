package interop

// This file pays over one connection with a stream for each payment.

import "testing"

// TestManyStreamsOverOneConnection: a sender may open a stream for each thing that it pays for, and close it, for as long as it likes.
func TestManyStreamsOverOneConnection(t *testing.T) {
	needNode(t)
	v := variant{name: "one to one", rate: [2]uint64{1, 1}, price: 1000}
	conn, g := shapeNamed(t, "BTP, we dial").start(t, v, newBackend(t))
	var paid struct {
		Error string
		Told  uint64 `json:",string"`
		Spent uint64 `json:",string"`
	}
	token := newToken()
	run(t, "pay-stream.js", map[string]any{"server": conn.Payers, "url": g.url(0) + "echo", "token": token, "send": "100", "streams": 25, "body": "x"}, &paid)
	if paid.Error != "" || paid.Told != 2500 || paid.Spent != 2500 {
		t.Errorf("%+v", paid)
	}
	wantBalanceOf(t, g, token, 2500-v.price)
}
