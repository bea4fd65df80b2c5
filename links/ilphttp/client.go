package ilphttp

// This file sends Prepares over HTTP and turns whatever comes back into an ILP answer.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/posting"
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
	endpoint  *url.URL
	auth      func() (string, error) // the value of Authorization
	head      atomic.Pointer[http.Header]
	transport http.RoundTripper // an http.Client around it would follow redirects
	now       func() time.Time
	health    *posting.Health
}

// NewClient checks the settings and connects to nothing yet. Errors: ErrEndpoint, ErrInsecure, ErrConfig without a token, or with two
// ways to get one.
func NewClient(c ClientConfig) (*Client, error) {
	if err := posting.CheckEndpoint(c.Endpoint, c.Insecure); err != nil {
		return nil, err
	}
	if c.Transport == nil {
		c.Transport = NewTransport()
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	k := &Client{transport: c.Transport, now: c.Now}
	k.health = posting.NewHealth(c.Logger.With(zap.String("link", "ILP over HTTP"), zap.String("account", string(c.Account))))
	var err error
	if k.endpoint, err = url.Parse(c.Endpoint); err != nil {
		return nil, ErrEndpoint
	}
	k.auth, err = c.authorization(k.now)
	return k, err
}

// HandlePrepare POSTs the Prepare and returns the answer. What is no ILP answer becomes a Reject without triggeredBy: T01 when the
// other node cannot be reached or refuses us, T00 when it fails, R00 when time is up, F05 for a wrong fulfillment; see posting.RejectStatus.
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
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(body))
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be made", nil)
	}
	request.URL, request.Host = k.endpoint, k.endpoint.Host
	if request.Header, err = k.header(); err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be authenticated", nil)
	}
	response, err := k.transport.RoundTrip(request)
	if err != nil {
		return k.health.Failed(ctx, err)
	}
	defer response.Body.Close()
	return k.read(ctx, in.Condition, response)
}

// Up says whether the other node answered when last asked; false before the first packet.
func (k *Client) Up() bool { return k.health.Up() }

// Err says why the other node did not answer when last asked; nil when it did, or was not asked yet.
func (k *Client) Err() error { return k.health.Err() }

// Close drops idle connections. Requests under way end by their own time.
func (k *Client) Close() error {
	if t, ok := k.transport.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
	return nil
}

// header returns what all requests have in common until another token is used. A RoundTripper does not change it.
func (k *Client) header() (http.Header, error) {
	auth, err := k.auth()
	if err != nil {
		return nil, err
	}
	if h := k.head.Load(); h != nil && (*h)["Authorization"][0] == auth {
		return *h, nil
	}
	h := http.Header{"Authorization": {auth}, "Content-Type": {mediaType}, "Accept": {mediaType}, "User-Agent": {"paydoor"}}
	k.head.Store(&h)
	return h, nil
}

// read turns a response into an answer whose Data is its own.
func (k *Client) read(ctx context.Context, condition [32]byte, response *http.Response) ilpcore.Reply {
	if response.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, response.Body, 4<<10) // so that the connection can be used again
		k.health.NoteStatus(response.StatusCode)
		return posting.RejectStatus(response.StatusCode)
	}
	buffer := takeBuffer()
	defer buffer.release()
	var err error
	buffer.in, err = posting.Read(buffer.in, response.Body, ilpcore.MaxReplyLength)
	switch {
	case errors.Is(err, posting.ErrTooLarge):
		return ilpcore.Reject(ilpcore.T01, "", "the peer's answer is longer than any ILP packet", nil)
	case err != nil:
		return k.health.Failed(ctx, err)
	}
	reply, err := ilpcore.DecodeReply(buffer.in)
	if err != nil {
		k.health.Note(errors.New("its answer is not an ILP packet"))
		return ilpcore.Reject(ilpcore.T01, "", "the peer's answer is not an ILP Fulfill or Reject", nil)
	}
	k.health.Note(nil)
	if reply.Fulfilled && sha256.Sum256(reply.Fulfillment[:]) != condition {
		return ilpcore.Reject(ilpcore.F05, "", "the peer's fulfillment does not match the condition", nil)
	}
	reply.Data = bytes.Clone(reply.Data)
	return reply
}

var _ ilpcore.Handler = (*Client)(nil)
