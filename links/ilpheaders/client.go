package ilpheaders

// This file sends Prepares and turns whatever comes back into an ILP answer.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/posting"
)

// TokenSource makes the bearer tokens of a Client. It is safe for concurrent use.
type TokenSource interface {
	Token() (string, error)
}

// ClientConfig is what a Client is made of.
type ClientConfig struct {
	Account   ilpcore.AccountID // for the log
	Endpoint  string            // where to POST, such as https://connector.example/; no userinfo
	Token     string            // what follows "Bearer ": the token, or account:token
	Tokens    TokenSource       // instead of Token
	Insecure  bool              // allows http: to a host that is not this one
	Transport http.RoundTripper // nil: one of the Client's own, posting.NewTransport
	Logger    *zap.Logger       // nil: none
	Now       func() time.Time  // nil: time.Now
}

// Client is the ilpcore.Handler that sends to one other node. It never hangs: it answers by the Prepare's expiry or ctx's end.
type Client struct {
	endpoint string
	tokens   TokenSource
	http     *http.Client
	now      func() time.Time
	health   *posting.Health
}

// ErrConfig says that a Server or Client lacks something it cannot do without.
var ErrConfig = errors.New("incomplete settings of an ILP headers link")

// NewClient checks the settings and connects to nothing yet. Errors: posting.ErrEndpoint, posting.ErrInsecure, ErrConfig without a token, or with
// two ways to get one.
func NewClient(c ClientConfig) (*Client, error) {
	if err := posting.CheckEndpoint(c.Endpoint, c.Insecure); err != nil {
		return nil, err
	}
	if c.Transport == nil {
		c.Transport = posting.NewTransport()
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	k := &Client{endpoint: c.Endpoint, tokens: c.Tokens, now: c.Now}
	switch {
	case c.Tokens != nil && c.Token != "":
		return nil, fmt.Errorf("%w: there is a token and a source of tokens", ErrConfig)
	case c.Tokens == nil && (c.Token == "" || !posting.HeaderSafe(c.Token)):
		return nil, fmt.Errorf("%w: the outgoing token is empty or cannot stand in a header", ErrConfig)
	case c.Tokens == nil:
		k.tokens = fixedToken(c.Token)
	}
	k.health = posting.NewHealth(c.Logger.With(zap.String("link", "ILP headers"), zap.String("account", string(c.Account))))
	k.http = &http.Client{Transport: c.Transport, CheckRedirect: posting.NoRedirects}
	return k, nil
}

type fixedToken string

func (t fixedToken) Token() (string, error) { return string(t), nil }

// HandlePrepare POSTs the Prepare and returns the answer, with the Trail of a Reject. What is no ILP answer becomes a Reject without
// triggeredBy: T01 when the other node cannot be reached or refuses us, T00 when it fails, R00 when time is up, F05 for a wrong
// fulfillment, or none with status 200; see posting.RejectStatus.
func (k *Client) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	left := in.ExpiresAt.Sub(k.now())
	if left <= 0 {
		return ilpcore.Reject(ilpcore.R00, "", "the packet expired before it was sent", nil)
	}
	ctx, cancel := context.WithTimeout(ctx, left)
	defer cancel()
	// The transport may still read the body after the answer is there, and the data is the link's that brought it.
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, k.endpoint, bytes.NewReader(bytes.Clone(in.Data)))
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be made", nil)
	}
	token, err := k.tokens.Token()
	if err != nil {
		return ilpcore.Reject(ilpcore.T00, "", "the request could not be authenticated", nil)
	}
	h := request.Header
	if err := encodeRequest(h, &in.Prepare); err != nil {
		return ilpcore.Reject(ilpcore.F01, "", "the packet cannot be encoded: "+err.Error(), nil)
	}
	h["Authorization"] = []string{"Bearer " + token}
	h["Content-Type"] = []string{mediaType}
	h["User-Agent"] = []string{"paydoor"}
	response, err := k.http.Do(request)
	if err != nil {
		return k.health.Failed(ctx, err)
	}
	defer func() { _ = response.Body.Close() }()
	return k.read(ctx, in.Condition, response)
}

// Up says whether the other node answered when last asked; false before the first packet.
func (k *Client) Up() bool { return k.health.Up() }

// Err says why the other node did not answer when last asked; nil when it did, or was not asked yet.
func (k *Client) Err() error { return k.health.Err() }

// Close drops idle connections. Requests under way end by their own time.
func (k *Client) Close() error {
	k.http.CloseIdleConnections()
	return nil
}

// read turns a response into an answer whose Data is its own. The right fulfillment is what the peer is owed for, so it is passed
// on whatever else is wrong with the answer: without its data, if that does not arrive.
func (k *Client) read(ctx context.Context, condition [32]byte, response *http.Response) ilpcore.Reply {
	head, err := decodeResponse(response.Header)
	if err != nil {
		k.health.Note(errors.New("its answer has an ILP header twice"))
		return ilpcore.Reject(ilpcore.T01, "", "the peer's answer has an ILP header twice", nil)
	}
	right := head.fulfilled && ilpcore.ConditionOf(head.fulfillment) == condition
	if !right && !head.rejected {
		return k.unanswered(head, response)
	}
	k.health.Note(nil)
	data, err := posting.Read(nil, response.Body, ilpcore.MaxData)
	if err != nil {
		data = nil
	}
	reply := head.reject
	if right {
		reply = ilpcore.Fulfill(head.fulfillment, nil)
	}
	reply.Data = data
	return reply
}

// unanswered is what an answer without the fulfillment and without an error code means.
func (k *Client) unanswered(head answer, response *http.Response) ilpcore.Reply {
	_, _ = io.CopyN(io.Discard, response.Body, 4<<10) // so that the connection can be used again
	switch {
	case head.claimsFulfilled:
		k.health.Note(nil)
		return ilpcore.Reject(ilpcore.F05, "", "the peer's fulfillment does not match the condition", nil)
	case response.StatusCode == http.StatusOK:
		k.health.Note(errors.New("its answer has no ILP headers"))
		return ilpcore.Reject(ilpcore.F05, "", "the peer's answer has no fulfillment", nil)
	}
	k.health.NoteStatus(response.StatusCode)
	return posting.RejectStatus(response.StatusCode)
}

var _ ilpcore.Handler = (*Client)(nil)
