package payer

// This file is an http.RoundTripper that pays: it sends a request, pays what a 402 asks for, and sends it once more.

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/loopback"
)

var (
	// ErrTransport says that a Transport lacks a part that it needs.
	ErrTransport = errors.New("a paying transport needs a link, randomness, a clock, a budget and a secret of 32 bytes")
	// ErrPlainHTTP says that a request would have carried a token, which is worth money, over a network in the clear.
	ErrPlainHTTP = errors.New("a Pay-Token is not sent by plain http to another host; use https, or set Insecure")
	// ErrUnpaid says that a request could not be paid; it wraps the reason. What arrived of the payment is in the balance at the host.
	ErrUnpaid = errors.New("the request could not be paid")
)

// mostRepeats is how often a request is paid once more because others spent what it had paid.
const mostRepeats = 4

// Budget decides what may be spent. Amounts are base units of the sender.
type Budget interface {
	// Reserve sets cost aside for a payment to host, or says in an error why it may not be spent.
	Reserve(host string, cost amount.Amount) error
	// Settle ends a reservation: spent, at most reserved, was paid or may have been.
	Settle(host string, reserved, spent amount.Amount)
}

// repeatBudget is a Budget that lets a request pay more than once, such as Caps and Wallet: what the request has spent before counts against its cap.
type repeatBudget interface {
	ReserveAgain(host string, cost, before amount.Amount) error
}

// Memory is a Budget that also remembers hosts, for programs that come later or run at the same time.
type Memory interface {
	Budget
	// Enter waits until no other program pays host and sends the paid request; leave lets the next. waited says that one did.
	Enter(ctx context.Context, host string) (leave func(), waited bool, err error)
	// Doubtful says until when a payment of unknown outcome to host may arrive; zero: there is none.
	Doubtful(host string) time.Time
	// Doubt remembers such a payment.
	Doubt(host string, until time.Time)
	// Says remembers what host says the balance of the token is.
	Says(host string, balance amount.Amount)
}

// readier is a Link that connects when it is needed first.
type readier interface {
	Ready(ctx context.Context) error
}

// Transport is an http.RoundTripper that pays for requests by Paid HTTP APIs (seed 003). Link, Random, Now, Budget and Secret are
// required. It is safe for concurrent use, must not be copied after first use, and starts no goroutine that outlives a request.
//
// Requests to one host share a balance. One that finds its money spent by another, which began or went on meanwhile, pays once more, up to
// four times. All payments of a request together are within the cap of one, so the Budget needs a method ReserveAgain(host string, cost, before
// amount.Amount) error for that, as Caps and Wallet have it; and the host has to tell balances, as nobody else knows where the money is.
//
// Each request carries the Pay-Token of its host: HMAC-SHA256(Secret, host name), cut to 16 bytes for servers that know only such. A 402
// is paid, as far as the balance at the host does not cover it, and the request is sent once more; whatever is answered then is returned,
// another 402 too. A request whose body cannot be sent twice (GetBody is nil) is quoted with OPTIONS, and paid, before it is sent.
//
// If the Budget is a Memory, such as a Wallet, payments of unknown outcome and balances are remembered there. A Link with a method
// Ready(context.Context) error is asked for it before each payment; its error ends the payment.
type Transport struct {
	Base   http.RoundTripper // nil: http.DefaultTransport
	Link   ilpcore.Handler
	Random io.Reader // cryptographically secure
	Now    func() time.Time
	Budget Budget
	// Secret is the client's own, at least 32 random bytes. The balances at all hosts belong to who knows it.
	Secret []byte
	// Method is asked for in Pay-Accept; "": MethodStream. What the server names is used.
	Method string
	// Insecure sends tokens by plain http to other hosts than this one.
	Insecure bool
	// Allowance is the most that a request may cost whose server asks for money by STREAM without telling a price, in base units of the
	// sender: it takes what it wants while it answers. 0: the 402 comes back as it is.
	Allowance amount.Amount
	// Progress, if set, is told of each payment: before money is sent, after each fulfilled packet of STREAM, and at the end. It is called
	// by the goroutine of the request, or one that ends before it.
	Progress func(Progress)
	// Waits, if set, is told when a request has to wait because an earlier payment to host may still arrive, and how long at most; or, with 0, because
	// another program pays host.
	Waits func(host string, atMost time.Duration)

	hosts hosts
}

// RoundTrip sends r and pays for it if need be. Errors of the payment wrap ErrUnpaid, and among others ErrCap, which names the cap.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	p, err := t.prepare(r)
	if err != nil {
		closeBody(r)
		return nil, err
	}
	p.host, p.visit = t.hosts.arrive(p.name)
	defer p.host.depart()
	if !replayable(r) {
		return p.quoteFirst()
	}
	response, err := p.send(r.Body)
	if err == nil && p.wantsShort(response) {
		discard(response)
		response, err = p.sendAgain()
	}
	for repeats := 0; err == nil && response.StatusCode == http.StatusPaymentRequired; repeats++ {
		q, ok := readQuote(response)
		if ask, open := readOpen(response); !ok && open && repeats == 0 && p.Allowance > 0 {
			discard(response)
			return p.payOpen(ask)
		}
		if !ok || repeats > 0 && (repeats > mostRepeats || !q.told || !p.host.shared(p.visit)) {
			break // not ours to understand, or it was paid, and that others spent it is not so or not known: the caller sees the 402
		}
		discard(response)
		response, err = p.payAndRepeat(q)
	}
	return response, err
}

// payAndRepeat pays what q asks and sends the request again.
func (p *paidRequest) payAndRepeat(q quote) (*http.Response, error) {
	leave, err := p.enter()
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := p.pay(q); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnpaid, err)
	}
	defer p.host.used(q.ask.Price)
	return p.sendAgain()
}

// sendAgain sends the request once more.
func (p *paidRequest) sendAgain() (*http.Response, error) {
	body, err := p.bodyAgain()
	if err != nil {
		return nil, err
	}
	return p.send(body)
}

// bodyAgain returns the body of the request for one more time.
func (p *paidRequest) bodyAgain() (io.ReadCloser, error) {
	if p.request.GetBody == nil {
		return p.request.Body, nil
	}
	body, err := p.request.GetBody()
	if err != nil {
		return nil, fmt.Errorf("sending the paid request once more: %w", err)
	}
	return body, nil
}

// quoteFirst pays before the request is sent, because it can be sent only once.
func (p *paidRequest) quoteFirst() (*http.Response, error) {
	leave, err := p.enter()
	if err != nil {
		closeBody(p.request)
		return nil, err
	}
	defer leave()
	q, priced, err := p.query()
	if err == nil && priced {
		if err = p.pay(q); err == nil {
			defer p.host.used(q.ask.Price)
		}
	}
	if err != nil {
		closeBody(p.request)
		return nil, fmt.Errorf("%w: %w", ErrUnpaid, err)
	}
	return p.send(p.request.Body)
}

// Balance returns what the host of that name said last about the token's balance there, in its base units.
func (t *Transport) Balance(host string) (balance amount.Amount, known bool) {
	return t.hosts.get(strings.ToLower(host)).said()
}

// Token returns the Pay-Token for the host of that name, which is worth what the balance there is: keep it secret.
func (t *Transport) Token(host string) string {
	token := t.token(host)
	if t.hosts.get(strings.ToLower(host)).takesShort() {
		token = token[:shortToken]
	}
	return base64.RawURLEncoding.EncodeToString(token)
}

func (t *Transport) token(host string) []byte {
	mac := hmac.New(sha256.New, t.Secret)
	mac.Write([]byte(strings.ToLower(host)))
	return mac.Sum(nil)
}

// CloseIdleConnections closes those of Base.
func (t *Transport) CloseIdleConnections() {
	base := t.Base
	if base == nil {
		base = http.DefaultTransport
	}
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

// paidRequest is a request on its way.
type paidRequest struct {
	*Transport
	request *http.Request
	name    string // of the host, without port
	token   []byte
	host    *host
	visit   visit
	waited  bool   // for another program to pay the host
	purse   *purse // what was spent for the request so far, or perhaps, in base units of the sender
}

func (t *Transport) prepare(r *http.Request) (*paidRequest, error) {
	if t.Link == nil || t.Random == nil || t.Now == nil || t.Budget == nil || len(t.Secret) < 32 {
		return nil, ErrTransport
	}
	name := strings.ToLower(r.URL.Hostname())
	if r.URL.Scheme != "https" && !t.Insecure && !loopback.Host(name) {
		return nil, ErrPlainHTTP
	}
	return &paidRequest{Transport: t, request: r, name: name, token: t.token(name), purse: purseOf(r.Context())}, nil
}

// memory returns the Budget if it remembers, else nil.
func (t *Transport) memory() Memory {
	m, _ := t.Budget.(Memory)
	return m
}

// replayable says whether the body can be sent a second time.
func replayable(r *http.Request) bool {
	return r.Body == nil || r.Body == http.NoBody || r.GetBody != nil
}

// send sends the request with body, and remembers the balance that the answer tells.
func (p *paidRequest) send(body io.ReadCloser) (*http.Response, error) {
	r := p.request.Clone(p.request.Context())
	r.Body = body
	return p.exchange(r)
}

// query asks for the price with OPTIONS; priced is false when the server does not tell one.
func (p *paidRequest) query() (q quote, priced bool, err error) {
	r := p.request.Clone(p.request.Context())
	r.Method, r.Body, r.GetBody, r.ContentLength, r.TransferEncoding = http.MethodOptions, nil, nil, 0, nil
	r.Header.Del("Content-Length")
	if n := p.request.ContentLength; n > 0 {
		r.Header.Set("Unhash-Content-Length", strconv.FormatInt(n, 10))
	}
	response, err := p.exchange(r)
	if err == nil && p.quotesShort(response) {
		discard(response)
		response, err = p.exchange(r.Clone(r.Context()))
	}
	if err != nil {
		return quote{}, false, err
	}
	discard(response)
	q, priced = readQuote(response)
	return q, priced, nil
}

func (p *paidRequest) exchange(r *http.Request) (*http.Response, error) {
	method := p.Method
	if method == "" {
		method = MethodStream
	}
	if r.Header == nil {
		r.Header = http.Header{}
	}
	r.Header.Set("Pay-Token", base64.RawURLEncoding.EncodeToString(p.tokenBytes()))
	r.Header.Set("Pay-Accept", method)
	base := p.Base
	if base == nil {
		base = http.DefaultTransport
	}
	response, err := p.roundTrip(base, r)
	if err != nil {
		return nil, err
	}
	p.host.speaks(response.ProtoMajor)
	response.Request = p.request // without the token
	if balance, err := amount.Parse(response.Header.Get("Pay-Balance")); err == nil {
		p.host.says(balance)
		if m := p.memory(); m != nil {
			m.Says(p.name, balance)
		}
	}
	return response, nil
}

// quote is what a server asks for, and what it has already.
type quote struct {
	ask     Ask
	balance amount.Amount // 0 where told is false
	told    bool
}

// readQuote reads Pay and Pay-Balance: the first Pay line with a price that can be understood.
func readQuote(response *http.Response) (q quote, ok bool) {
	for _, line := range response.Header.Values("Pay") {
		if ask, err := ParsePay(line); err == nil && ask.Priced {
			q := quote{ask: ask}
			if balance, err := amount.Parse(response.Header.Get("Pay-Balance")); err == nil {
				q.balance, q.told = balance, true
			}
			return q, true
		}
	}
	return quote{}, false
}

func closeBody(r *http.Request) {
	if r.Body != nil {
		r.Body.Close()
	}
}

// discardTime is how long a refusal may take to say it.
const discardTime = time.Second

// discard reads what little a refusal says, so that the connection can be used again. One that does not end is cut off: others wait for the turn.
func discard(response *http.Response) {
	cut := time.AfterFunc(discardTime, func() { response.Body.Close() })
	defer cut.Stop()
	io.CopyN(io.Discard, response.Body, 64<<10)
	response.Body.Close()
}
