package cli

// This file sends requests to the node.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/internal/loopback"
)

// client asks one node with one token.
type client struct {
	base    *url.URL
	http    *http.Client
	token   string   // "": none is shown
	who     string   // what to do when the token is refused
	hidden  []string // never printed
	timeout time.Duration
}

// request is what is asked. The body is sent with a known length.
type request struct {
	method, path string // the path is below the node's URL and escaped
	header       http.Header
	body         []byte
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// longestAnswer is how much of an answer is read.
const longestAnswer = 64 << 20

// defaultTimeout is how long to wait for most answers.
const defaultTimeout = 30 * time.Second

// client makes the client of a command: its node, and the token of the kind that it needs.
func (e Environment) client(cmd *cobra.Command, kind tokenKind) (*client, error) {
	base, err := e.node(cmd)
	if err != nil {
		return nil, err
	}
	token, err := e.token(cmd, kind, base)
	if err != nil {
		return nil, err
	}
	if token != "" && base.Scheme == "http" && !loopback.Host(base.Hostname()) && option(cmd, "insecure") != "true" {
		return nil, fmt.Errorf("%s is another machine, and http: shows the token to everybody on the way: write https:, or --insecure if you mean it", base)
	}
	timeout, err := time.ParseDuration(option(cmd, "timeout"))
	if err != nil || timeout < 0 {
		return nil, errors.New("--timeout takes a positive time, such as 30s")
	}
	if timeout == 0 {
		timeout = defaultTimeout
	}
	c := &client{base: base, http: &http.Client{Transport: e.Transport, CheckRedirect: stay}, token: token, who: kind.wrong, timeout: timeout}
	if c.http.Transport == nil {
		own := http.DefaultTransport.(*http.Transport).Clone()
		own.IdleConnTimeout = time.Second
		c.http.Transport = own
	}
	c.hide(token)
	return c, nil
}

// stay keeps redirects from carrying the token elsewhere.
func stay(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// node returns the URL of the node, without a slash at its end.
func (e Environment) node(cmd *cobra.Command) (*url.URL, error) {
	text := option(cmd, "node")
	if text == "" {
		text = e.Getenv(nodeVariable)
	}
	if text == "" {
		text = defaultNode
	}
	base, err := url.Parse(text)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" || base.User != nil || base.RawQuery != "" || base.Fragment != "" {
		return nil, errors.New("the node is named by an http: or https: URL without user, query and fragment, such as " + defaultNode)
	}
	base.Path, base.RawPath = strings.TrimRight(base.Path, "/"), ""
	return base, nil
}

// close lets the connections go.
func (c *client) close() { c.http.CloseIdleConnections() }

// hide makes sure that a secret is not printed in an error.
func (c *client) hide(secret string) {
	if len(secret) > 2 { // a shorter one would take letters out of words
		c.hidden = append(c.hidden, secret)
	}
}

// do sends the request and returns the answer, whatever its status. Its errors have the status of what is known about the change.
func (c *client) do(ctx context.Context, r request) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	connected := false
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected = true }})
	sent, err := http.NewRequestWithContext(ctx, r.method, c.base.String()+r.path, bytes.NewReader(r.body))
	if err != nil {
		return answer{}, err
	}
	for name, values := range r.header {
		sent.Header[name] = values
	}
	if c.token != "" {
		sent.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(sent)
	if err != nil {
		return answer{}, c.lost(err, connected && r.method != http.MethodGet)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	_ = response.Body.Close() // everything is read
	if err != nil {
		return answer{}, c.lost(err, r.method != http.MethodGet)
	}
	return answer{response.StatusCode, response.Header, body}, nil
}

// lost is the error of a request without an answer.
func (c *client) lost(err error, unknown bool) error {
	var inside *url.Error
	if errors.As(err, &inside) {
		err = inside.Err // without the method and the URL, which are said otherwise
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		err = fmt.Errorf("no node answers at %s: start it with paydoor run and a site with ilp_node, or name another one with --node or %s", c.base, nodeVariable)
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("the node at %s did not answer within %s: --timeout waits longer", c.base, c.timeout)
	case errors.Is(err, context.Canceled):
		err = errors.New("interrupted")
	default:
		err = fmt.Errorf("asking the node at %s: %w", c.base, err)
	}
	if unknown {
		return failure{fmt.Errorf("%w; whether it was carried out is unknown", err), StatusUnknown}
	}
	return failure{err, StatusUnreached}
}

// ask is do for what has to succeed: any other status than 2xx is a *refusal.
func (c *client) ask(ctx context.Context, r request) (answer, error) {
	a, err := c.do(ctx, r)
	if err == nil && a.status/100 != 2 {
		err = c.secretly(refused(a, c.base.String(), c.who))
	}
	return a, err
}

// secretly takes the secrets that are known here out of an error that repeats what the node says.
func (c *client) secretly(err error) error {
	said, ok := errors.AsType[*refusal](err)
	if !ok {
		return err
	}
	text, a := said.text, said.answer
	for _, secret := range c.hidden {
		text, a.body = strings.ReplaceAll(text, secret, "SECRET"), bytes.ReplaceAll(a.body, []byte(secret), []byte("SECRET"))
	}
	return &refusal{said.Status, text, a}
}
