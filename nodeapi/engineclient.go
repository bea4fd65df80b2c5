package nodeapi

// This file calls settlement engines (RFC 38).

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	engineTimeout = 30 * time.Second // for one call
	engineAnswer  = 1 << 20          // bytes of an answer that are read
)

var (
	// errRefused says that an engine did not do what it was asked to, and will not.
	errRefused = errors.New("the settlement engine refused")
	// errUnknown says that nobody knows whether an engine did what it was asked to.
	errUnknown = errors.New("the settlement engine gave no clear answer")
)

// engineClient is safe for concurrent use.
type engineClient struct{ http http.Client }

func newEngineClient(transport http.RoundTripper) *engineClient {
	return &engineClient{http.Client{
		Transport: transport, Timeout: engineTimeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// register tells the engine of an account. It may be told again.
func (c *engineClient) register(ctx context.Context, e Engine) error {
	status, err := c.call(ctx, http.MethodPost, engineURL(e.URL), "", mustJSON(map[string]string{"id": e.AccountID}))
	if status == http.StatusConflict {
		return nil
	}
	return err
}

// unregister tells the engine that an account is gone.
func (c *engineClient) unregister(ctx context.Context, e Engine) error {
	status, err := c.call(ctx, http.MethodDelete, engineURL(e.URL, e.AccountID), "", nil)
	if status == http.StatusNotFound {
		return nil
	}
	return err
}

// settle has the engine pay. The error is errRefused or errUnknown.
func (c *engineClient) settle(ctx context.Context, o outgoing) error {
	_, err := c.call(ctx, http.MethodPost, engineURL(o.Engine, o.AccountID, "settlements"), o.Key, mustJSON(o.Quantity))
	return err
}

func (c *engineClient) call(ctx context.Context, method, to, key string, body []byte) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, method, to, bytes.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnknown, err)
	}
	if len(body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	// Without GetBody the transport sends nothing twice by itself, which it would with an Idempotency-Key: a refusal of the second
	// time would hide that nobody knows of the first.
	r.GetBody = nil
	r.Header.Set("Accept", "application/json")
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", errUnknown, err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, io.LimitReader(answer.Body, engineAnswer)) // the status says all
	return answer.StatusCode, outcomeOf(answer.StatusCode)
}

// outcomeOf returns nil for an answer that says yes, errRefused for one that says no, and errUnknown for one that says neither.
func outcomeOf(status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly, status == http.StatusTooManyRequests:
		// It may be about the same request, under way.
	case status >= 400 && status < 500:
		return fmt.Errorf("%w: status %d", errRefused, status)
	}
	return fmt.Errorf("%w: status %d", errUnknown, status)
}

// engineURL returns the URL of the accounts of an engine, or of something below them.
func engineURL(base string, below ...string) string {
	path := strings.TrimRight(base, "/") + "/accounts"
	for _, segment := range below {
		path += "/" + url.PathEscape(segment)
	}
	return path
}
