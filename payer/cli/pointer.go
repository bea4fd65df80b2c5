package cli

// This file hears of the payment pointer in a 402, at which a person can pay from any wallet what this command could not.

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/paydoor/paydoor/payer"
)

// pointers remembers the payment pointer of the latest 402.
type pointers struct {
	http.RoundTripper

	mu   sync.Mutex
	last string
}

// RoundTrip passes the request on.
func (p *pointers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := p.RoundTripper.RoundTrip(r)
	if err == nil && response.StatusCode == http.StatusPaymentRequired {
		p.note(pointerOf(response.Header.Values("Link"), r.URL))
	}
	return response, err
}

// CloseIdleConnections lets the connections below go.
func (p *pointers) CloseIdleConnections() {
	if base, ok := p.RoundTripper.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

func (p *pointers) note(pointer string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.last = pointer
}

// orByWallet adds to a payment that could not be made how else to pay; a cap is a will, not a lack. The balance is that of this wallet's token, which the next fetch sends again.
func (p *pointers) orByWallet(err error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == "" || ExitStatus(err) != StatusUnpaid {
		return err
	}
	return failure{fmt.Errorf("%w; or pay from any wallet to %s, and run this again", err, p.last), StatusUnpaid}
}

// pointerOf returns the target of rel="payment" in the Link headers (RFC 8288) of an answer from u: a payment pointer, or the URL where that
// cannot be one.
func pointerOf(links []string, u *url.URL) string {
	for _, line := range links {
		for link := range strings.SplitSeq(line, ",") {
			target, parameters, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
			if !ok || !relPayment(parameters) {
				continue
			}
			to, err := u.Parse(target)
			if err != nil {
				continue
			}
			if pointer := "$" + to.Host + to.EscapedPath(); to.Scheme == "https" {
				if read, err := payer.ParsePointer(pointer, false); err == nil && read.String() == to.String() {
					return clean(pointer)
				}
			}
			if _, err := payer.ParsePointer(to.String(), to.Scheme == "http"); err == nil {
				return clean(to.String())
			}
		}
	}
	return ""
}

func relPayment(parameters string) bool {
	for parameter := range strings.SplitSeq(parameters, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		if strings.EqualFold(name, "rel") && strings.EqualFold(strings.Trim(value, `"`), "payment") {
			return true
		}
	}
	return false
}
