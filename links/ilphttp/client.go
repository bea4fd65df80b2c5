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
	template  *http.Request          // all requests are like it
	auth      func() (string, error) // the value of Authorization
	transport http.RoundTripper
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
	template, err := http.NewRequest(http.MethodPost, c.Endpoint, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", posting.ErrEndpoint, err)
	}
	k := &Client{template: template, transport: c.Transport, now: c.Now}
	k.health = posting.NewHealth(c.Logger.With(zap.String("link", "ILP over HTTP"), zap.String("account", string(c.Account))))
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
	auth, err := k.auth()
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be authenticated", nil)
	}
	// An http.Client would do no more than this: it follows no redirects here, and it has no cookies and no time of its own.
	response, err := k.transport.RoundTrip(k.request(ctx, auth, body))
	if err != nil {
		return k.health.Failed(ctx, err)
	}
	defer response.Body.Close()
	return k.read(ctx, in.Condition, response)
}

// Of all requests alike.
var (
	mediaTypes = []string{mediaType}
	agents     = []string{"paydoor"}
)

// request makes a request of the template. It can be sent a second time over another connection, if the first was closed before it took anything.
func (k *Client) request(ctx context.Context, auth string, body []byte) *http.Request {
	r := k.template.WithContext(ctx)
	r.Header = http.Header{"Authorization": {auth}, "Content-Type": mediaTypes, "Accept": mediaTypes, "User-Agent": agents}
	r.ContentLength = int64(len(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return r
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
