package nodeapi

// This file answers, in the dialects of interledger-rs, the WebSockets that tell of payments.

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	incomingPing    = 30 * time.Second // between pings
	incomingWait    = 10 * time.Second // for a message to go out, or a ping to come back
	incomingMaxRead = 32 << 10         // bytes of a message of the client, which is thrown away
)

// notification is a payment in messages.
type notification struct {
	To          ilpcore.AccountID `json:"to_username"`
	From        ilpcore.AccountID `json:"from_username"`
	Destination ilpcore.Address   `json:"destination"`
	Amount      amountNumber      `json:"amount"`
	Timestamp   string            `json:"timestamp"` // RFC 3339
	Sequence    *uint64           `json:"sequence,omitempty"`
	Closed      *bool             `json:"connection_closed,omitempty"`
}

// newNotification returns p as the dialect has it; ok is false where it does not tell of it: seed 001 knows no end of a connection.
func newNotification(p Payment, d Dialect) (n notification, ok bool) {
	n = notification{To: p.To, From: p.From, Destination: p.Destination, Amount: amountNumber(p.Amount), Timestamp: p.At.UTC().Format(time.RFC3339Nano)}
	if d != Rust10 {
		return n, !p.Closed
	}
	n.Sequence, n.Closed = &p.Sequence, &p.Closed
	return n, true
}

// rustIncoming answers the WebSocket /accounts/:username/payments/incoming: a text message for each packet that the account receives.
func (a *API) rustIncoming(w http.ResponseWriter, r *request) {
	if _, err := a.find(r.account); err != nil {
		a.rustFail(w, r, err)
		return
	}
	a.serveIncoming(w, r, r.account, func(p Payment) []byte {
		n, ok := newNotification(p, r.dialect)
		if !ok {
			return nil
		}
		return mustJSON(n)
	})
}

// rustAllIncoming answers the WebSocket /payments/incoming, which interledger-rs 1.0 alone has: {"Ok": …} for each packet that any
// account receives, and {"Err": …} when the client was too slow.
func (a *API) rustAllIncoming(w http.ResponseWriter, r *request) {
	a.serveIncoming(w, r, "", func(p Payment) []byte {
		n, _ := newNotification(p, Rust10)
		return mustJSON(map[string]notification{"Ok": n})
	})
}

// serveIncoming sends what encode makes of each payment, until one side has enough.
func (a *API) serveIncoming(w http.ResponseWriter, r *request, account ilpcore.AccountID, encode func(Payment) []byte) {
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		w.Header().Set("Upgrade", "websocket")
		w.Header().Set("Connection", "Upgrade")
		writeProblem(w, problemDetails{Status: http.StatusUpgradeRequired, Detail: "this is a WebSocket: ask with Upgrade: websocket, over HTTP/1.1"})
		return
	}
	s, ok := a.hub.subscribe(account)
	if !ok {
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemDetails{Status: http.StatusServiceUnavailable, Detail: "there are too many connections for these payments already, or the node is shutting down; try again later"})
		return
	}
	defer a.hub.leave(s)
	if a.identify(r.Request, string(account)) != r.who { // the token was replaced just before, and what ends its connections did not see this one
		a.refuse(w, r)
		return
	}
	c, err := websocket.Accept(w, r.Request, nil) // which answers itself what it refuses
	if err != nil {
		return
	}
	defer c.CloseNow()
	ctx, cancel := context.WithCancel(r.Context())
	var beside sync.WaitGroup
	for _, f := range []func(context.Context, *websocket.Conn){drain, a.keepAlive} {
		beside.Go(func() {
			defer cancel()
			f(ctx, c)
		})
	}
	sendPayments(ctx, c, s, encode)
	cancel()
	beside.Wait()
}

// keepAlive pings the client, and returns when it does not answer. Payments go out meanwhile: the answer may take long.
func (a *API) keepAlive(ctx context.Context, c *websocket.Conn) {
	ticker := time.NewTicker(a.pingEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			if within(ctx, c.Ping) != nil {
				return
			}
		}
	}
}

// drain throws away what the client says, and returns when the connection ends.
func drain(ctx context.Context, c *websocket.Conn) {
	c.SetReadLimit(incomingMaxRead)
	for {
		if _, _, err := c.Read(ctx); err != nil {
			return
		}
	}
}

// sendPayments returns when there are no more payments, or nobody reads them.
func sendPayments(ctx context.Context, c *websocket.Conn, s *subscriber, encode func(Payment) []byte) {
	for {
		select {
		case <-ctx.Done():
			return
		case p, ok := <-s.payments:
			if !ok {
				endIncoming(ctx, c, s)
				return
			}
			message := encode(p)
			if message == nil {
				continue
			}
			if within(ctx, func(ctx context.Context) error { return c.Write(ctx, websocket.MessageText, message) }) != nil {
				return
			}
		}
	}
}

// endIncoming tells the client why nothing more comes. A slow one of the whole node gets the error of interledger-rs.
func endIncoming(ctx context.Context, c *websocket.Conn, s *subscriber) {
	if !s.slow {
		_ = c.Close(websocket.StatusGoingAway, "no more payments are told here")
		return
	}
	const why = "payments came faster than you read them, and some were left out"
	if s.account == "" {
		message, _ := json.Marshal(map[string]string{"Err": why})
		_ = within(ctx, func(ctx context.Context) error { return c.Write(ctx, websocket.MessageText, message) })
	}
	_ = c.Close(websocket.StatusTryAgainLater, why)
}

func within(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, incomingWait)
	defer cancel()
	return f(ctx)
}
