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
	Transport http.RoundTripper // nil: one of the Client's own, see NewTransport and posting.NewDirect
	Logger    *zap.Logger       // nil: none
	Now       func() time.Time  // nil: time.Now
}

// Client is the ilpcore.Handler that sends to one other node. It never hangs: it answers by the Prepare's expiry or ctx's end.
type Client struct {
	endpoint  *url.URL
	auth      func() (string, error) // the value of Authorization
	head      atomic.Pointer[head]
	transport http.RoundTripper // an http.Client around it would follow redirects
	direct    *posting.Direct   // instead of transport, where it can be; nil elsewhere
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
	k.direct = posting.NewDirect(k.transport, k.endpoint)
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
	head, err := k.header()
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be authenticated", nil)
	}
	if k.direct != nil {
		return k.post(ctx, head, in.Prepare, left)
	}
	// The transport may still read the body after the answer is there, so this memory is not used again.
	body, err := in.Prepare.Append(nil)
	if err != nil {
		return unsendable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "", bytes.NewReader(body))
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be made", nil)
	}
	request.URL, request.Host, request.Header = k.endpoint, k.endpoint.Host, head.header
	response, err := k.transport.RoundTrip(request)
	if err != nil {
		return k.health.Failed(ctx, err)
	}
	defer response.Body.Close()
	return k.read(ctx, in.Condition, response)
}

func unsendable(err error) ilpcore.Reply {
	return ilpcore.Reject(ilpcore.F01, "", "the packet cannot be encoded: "+err.Error(), nil)
}

// post is HandlePrepare without net/http.
func (k *Client) post(ctx context.Context, head *head, prepare ilpcore.Prepare, left time.Duration) ilpcore.Reply {
	buffer := takeBuffer()
	defer buffer.release()
	var err error
	if buffer.out, err = prepare.Append(buffer.out[:0]); err != nil {
		return unsendable(err)
	}
	var status int
	status, buffer.in, err = k.direct.Post(ctx, time.Now().Add(left), head.text, buffer.out, buffer.in, ilpcore.MaxReplyLength)
	if err != nil {
		return k.broken(ctx, err)
	}
	return k.judge(prepare.Condition, status, buffer.in)
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
	if k.direct != nil {
		k.direct.CloseIdleConnections()
	}
	return nil
}

// head is what all requests have in common.
type head struct {
	auth   string
	header http.Header
	text   []byte // of the whole head, up to the body's length
}

// header returns what all requests have in common until another token is used. A RoundTripper does not change it.
func (k *Client) header() (*head, error) {
	auth, err := k.auth()
	if err != nil {
		return nil, err
	}
	if h := k.head.Load(); h != nil && h.auth == auth {
		return h, nil
	}
	h := &head{auth: auth, header: http.Header{"Authorization": {auth}, "Content-Type": {mediaType}, "Accept": {mediaType}, "User-Agent": {"paydoor"}}}
	h.text = fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: paydoor\r\nAuthorization: %s\r\nAccept: %s\r\nContent-Type: %[4]s\r\nContent-Length: ",
		k.endpoint.RequestURI(), k.endpoint.Host, auth, mediaType)
	k.head.Store(h)
	return h, nil
}

// read turns a response into an answer whose Data is its own.
func (k *Client) read(ctx context.Context, condition [32]byte, response *http.Response) ilpcore.Reply {
	if response.StatusCode != http.StatusOK {
		_, _ = io.CopyN(io.Discard, response.Body, 4<<10) // so that the connection can be used again
		return k.judge(condition, response.StatusCode, nil)
	}
	buffer := takeBuffer()
	defer buffer.release()
	var err error
	if buffer.in, err = posting.Read(buffer.in, response.Body, ilpcore.MaxReplyLength); err != nil {
		return k.broken(ctx, err)
	}
	return k.judge(condition, response.StatusCode, buffer.in)
}

// broken is what an exchange without a whole answer means.
func (k *Client) broken(ctx context.Context, err error) ilpcore.Reply {
	if errors.Is(err, posting.ErrTooLarge) {
		return ilpcore.Reject(ilpcore.T01, "", "the peer's answer is longer than any ILP packet", nil)
	}
	return k.health.Failed(ctx, err)
}

// judge turns status and body of an answer into a reply whose Data is its own.
func (k *Client) judge(condition [32]byte, status int, body []byte) ilpcore.Reply {
	if status != http.StatusOK {
		k.health.NoteStatus(status)
		return posting.RejectStatus(status)
	}
	reply, err := ilpcore.DecodeReply(body)
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
