package payer

// This file asks a payment pointer where to pay: the client of the Simple Payment Setup Protocol (RFC 9).

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

var (
	// ErrSPSP says that the server behind a payment pointer did not answer as SPSP wants it.
	ErrSPSP = errors.New("the payment pointer could not be resolved")
	// ErrNoReceiver says that the server knows no such receiver.
	ErrNoReceiver = errors.New("there is no such receiver")
)

// Limits of a question by SPSP.
const (
	spspTime      = 10 * time.Second
	spspBody      = 16 << 10 // bytes; three short fields
	spspHeaders   = 16 << 10 // bytes
	spspRedirects = 3
)

// Resolver resolves payment pointers. The zero value is ready for use: it connects to public addresses, by TLS, at port 443.
type Resolver struct {
	// AllowPrivate lets a pointer lead to this host, to private networks and to any port.
	AllowPrivate bool
	// Insecure lets it be plain http.
	Insecure bool
	// TLS is used for the connections; nil: Go's defaults.
	TLS *tls.Config
}

// Endpoint is where a payment pointer wants to be paid. Each question gets its own, for one payment.
type Endpoint struct {
	Address  ilpcore.Address
	Secret   []byte // 32 bytes
	Receipts bool   // the receiver gives receipts (RFC 39), if it was asked to
	URL      string // that answered, after redirects: its host is who is paid, and worth showing
}

// String keeps the secret out of logs.
func (e Endpoint) String() string { return fmt.Sprintf("%s (by %s)", e.Address, e.URL) }

// GoString keeps the secret out of logs.
func (e Endpoint) GoString() string { return e.String() }

// Resolve asks the payment pointer, or URL, for an address and a secret. It takes at most ten seconds. The errors wrap ErrPointer,
// ErrPrivateAddress, ErrNoReceiver, ErrSPSP or that of ctx.
func (r Resolver) Resolve(ctx context.Context, pointer string) (Endpoint, error) {
	return r.resolve(ctx, pointer, func(http.Header) {})
}

// resolve asks, with what add puts into the headers.
func (r Resolver) resolve(ctx context.Context, pointer string, add func(http.Header)) (Endpoint, error) {
	u, err := ParsePointer(pointer, r.Insecure)
	if err != nil {
		return Endpoint{}, err
	}
	if err := r.checkPort(u.Port()); err != nil {
		return Endpoint{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, spspTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return Endpoint{}, fmt.Errorf("%w: %w", ErrPointer, err)
	}
	request.Header.Set("Accept", "application/spsp4+json, application/spsp+json")
	add(request.Header)
	transport := r.transport()
	defer transport.CloseIdleConnections()
	client := http.Client{Transport: transport, CheckRedirect: r.checkRedirect}
	response, err := client.Do(request)
	if err != nil {
		return Endpoint{}, fmt.Errorf("%w: %w", ErrSPSP, err)
	}
	defer response.Body.Close()
	return readEndpoint(response)
}

// transport connects to nothing but what the resolver allows, and keeps no connection.
func (r Resolver) transport() *http.Transport {
	dialer := net.Dialer{Timeout: spspTime, Control: PublicOnly()}
	if r.AllowPrivate {
		dialer.Control = nil
	}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: r.TLS, ForceAttemptHTTP2: true, DisableKeepAlives: true,
		DisableCompression: true, MaxResponseHeaderBytes: spspHeaders, // no proxy: it would dial in our place
	}
}

// checkRedirect holds each hop to the rules of the first.
func (r Resolver) checkRedirect(next *http.Request, via []*http.Request) error {
	if len(via) > spspRedirects {
		return fmt.Errorf("%w: more than %d redirects", ErrPointer, spspRedirects)
	}
	if err := checkPointerURL(next.URL, r.Insecure); err != nil {
		return err
	}
	return r.checkPort(next.URL.Port())
}

func (r Resolver) checkPort(port string) error {
	if r.AllowPrivate || port == "" || port == "443" || port == "80" && r.Insecure {
		return nil
	}
	return fmt.Errorf("%w: port %.10q is allowed only together with private addresses", ErrPointer, port)
}

// readEndpoint reads the answer to a question.
func readEndpoint(response *http.Response) (Endpoint, error) {
	if response.StatusCode == http.StatusNotFound {
		return Endpoint{}, fmt.Errorf("%w at %s", ErrNoReceiver, response.Request.URL.Redacted())
	}
	if response.StatusCode != http.StatusOK {
		return Endpoint{}, fmt.Errorf("%w: %s answered with status %d", ErrSPSP, response.Request.URL.Redacted(), response.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, spspBody+1))
	switch {
	case err != nil:
		return Endpoint{}, fmt.Errorf("%w: %w", ErrSPSP, err)
	case len(body) > spspBody:
		return Endpoint{}, fmt.Errorf("%w: the answer is longer than %d bytes", ErrSPSP, spspBody)
	}
	e, err := decodeEndpoint(body)
	e.URL = response.Request.URL.Redacted()
	return e, err
}

// decodeEndpoint reads the body of an answer. Its errors never show the secret.
func decodeEndpoint(body []byte) (Endpoint, error) {
	var answer struct {
		Address  string `json:"destination_account"`
		Secret   string `json:"shared_secret"`
		Receipts bool   `json:"receipts_enabled"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return Endpoint{}, fmt.Errorf("%w: the answer is not JSON of an SPSP receiver", ErrSPSP)
	}
	address, err := ilpcore.ParseAddress(answer.Address)
	if err != nil {
		return Endpoint{}, fmt.Errorf("%w: destination_account is %w", ErrSPSP, err)
	}
	secret, err := parseSecret(answer.Secret)
	if err != nil || len(secret) != 32 {
		return Endpoint{}, fmt.Errorf("%w: shared_secret is not base64 of 32 bytes", ErrSPSP)
	}
	return Endpoint{Address: address, Secret: secret, Receipts: answer.Receipts}, nil
}
