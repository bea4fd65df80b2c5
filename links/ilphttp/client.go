package ilphttp

// This file sends Prepares over HTTP and turns whatever comes back into an ILP answer.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

// ClientConfig is what a Client is made of.
type ClientConfig struct {
	Account   ilpcore.AccountID // for the log
	Endpoint  string            // where to POST, such as https://connector.example/ilp; no userinfo
	Token     string            // what follows "Bearer ": the token, or account:token
	JWT       *OutgoingJWT      // instead of Token: makes the tokens
	Insecure  bool              // allows http: to a host that is not this one
	Transport http.RoundTripper // nil: one of the Client's own, see NewTransport
	Logger    *zap.Logger       // nil: none
	Now       func() time.Time  // nil: time.Now
}

// Client is the ilpcore.Handler that sends to one other node. It never hangs: it answers by the Prepare's expiry or ctx's end.
type Client struct {
	account   ilpcore.AccountID
	endpoint  string
	auth      func() (string, error) // the value of Authorization
	http      *http.Client
	transport http.RoundTripper
	logger    *zap.Logger
	now       func() time.Time
	state     atomic.Pointer[state] // nil before the first packet
}

// state is what the last exchange said about the peer.
type state struct{ err error } // nil: it answers

// NewClient checks the settings and connects to nothing yet. Errors: ErrEndpoint, ErrInsecure, ErrConfig without a token, or with two
// ways to get one.
func NewClient(c ClientConfig) (*Client, error) {
	if err := checkEndpoint(c.Endpoint, c.Insecure); err != nil {
		return nil, err
	}
	k := &Client{account: c.Account, endpoint: c.Endpoint, transport: c.Transport, logger: c.Logger, now: c.Now}
	if k.transport == nil {
		k.transport = NewTransport()
	}
	if k.logger == nil {
		k.logger = zap.NewNop()
	}
	if k.now == nil {
		k.now = time.Now
	}
	k.http = &http.Client{Transport: k.transport, CheckRedirect: noRedirects}
	var err error
	k.auth, err = c.authorization(k.now)
	return k, err
}

// HandlePrepare POSTs the Prepare and returns the answer. What is no ILP answer becomes a Reject without triggeredBy: T01 when the
// other node cannot be reached or refuses us, T00 when it fails, R00 when time is up, F05 for a wrong fulfillment; see rejectStatus.
func (k *Client) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	left := in.ExpiresAt.Sub(k.now())
	if left <= 0 {
		return ilpcore.Reject(ilpcore.R00, "", "the packet expired before it was sent", nil)
	}
	// The transport may still read the body after the answer is there, so this memory is not used again.
	body, err := in.Prepare.Append(nil)
	if err != nil {
		return ilpcore.Reject(ilpcore.F01, "", "the packet cannot be encoded: "+err.Error(), nil)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, k.endpoint, bytes.NewReader(body))
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be made", nil)
	}
	auth, err := k.auth()
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be authenticated", nil)
	}
	h := request.Header
	h["Authorization"] = []string{auth}
	h["Content-Type"] = []string{mediaType}
	h["Accept"] = []string{mediaType}
	h["User-Agent"] = []string{"paydoor"}
	response, err := k.http.Do(request)
	if err != nil {
		return k.failed(ctx, err)
	}
	defer response.Body.Close()
	return k.read(ctx, in.Condition, response)
}

// Up says whether the other node answered when last asked; false before the first packet.
func (k *Client) Up() bool {
	s := k.state.Load()
	return s != nil && s.err == nil
}

// Err says why the other node did not answer when last asked; nil when it did, or was not asked yet.
func (k *Client) Err() error {
	if s := k.state.Load(); s != nil {
		return s.err
	}
	return nil
}

// Close drops idle connections. Requests under way end by their own time.
func (k *Client) Close() error {
	k.http.CloseIdleConnections()
	return nil
}

// read turns a response into an answer whose Data is its own.
func (k *Client) read(ctx context.Context, condition [32]byte, response *http.Response) ilpcore.Reply {
	if response.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, response.Body, 4<<10) // so that the connection can be used again
		k.turnFor(response.StatusCode)
		return rejectStatus(response.StatusCode)
	}
	buffer := takeBuffer()
	defer buffer.release()
	body, err := buffer.read(response.Body, ilpcore.MaxReplyLength)
	switch {
	case errors.Is(err, errTooLarge):
		return ilpcore.Reject(ilpcore.T01, "", "the peer's answer is longer than any ILP packet", nil)
	case err != nil:
		return k.failed(ctx, err)
	}
	reply, err := ilpcore.DecodeReply(body)
	if err != nil {
		k.turn(errors.New("its answer is not an ILP packet"))
		return ilpcore.Reject(ilpcore.T01, "", "the peer's answer is not an ILP Fulfill or Reject", nil)
	}
	k.turn(nil)
	if reply.Fulfilled && sha256.Sum256(reply.Fulfillment[:]) != condition {
		return ilpcore.Reject(ilpcore.F05, "", "the peer's fulfillment does not match the condition", nil)
	}
	reply.Data = bytes.Clone(reply.Data)
	return reply
}

// failed tells a peer that cannot be reached from one that did not answer in time.
func (k *Client) failed(ctx context.Context, err error) ilpcore.Reply {
	if ctx.Err() != nil {
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			k.turn(errors.New("it did not answer in time"))
		}
		return ilpcore.Reject(ilpcore.R00, "", "the peer did not answer in time", nil)
	}
	k.turn(reason(err))
	return ilpcore.Reject(ilpcore.T01, "", "the peer cannot be reached", nil)
}

// turnFor counts the peer as up when only this one packet was at fault.
func (k *Client) turnFor(status int) {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		k.turn(nil)
	default:
		k.turn(fmt.Errorf("it answered with HTTP status %d", status))
	}
}

// turn notes how the peer is, nil being well, and logs when it goes away or comes back, not each packet in between.
func (k *Client) turn(why error) {
	before := k.state.Load()
	if before != nil && before.err == nil && why == nil {
		return
	}
	k.state.Store(&state{why})
	account := zap.String("account", string(k.account))
	switch {
	case why == nil:
		k.logger.Info("the ILP-over-HTTP peer answers", account)
	case before == nil || before.err == nil:
		k.logger.Warn("the ILP-over-HTTP peer does not answer as it should", account, zap.Error(why))
	}
}

var _ ilpcore.Handler = (*Client)(nil)
