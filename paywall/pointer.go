package paywall

// This file gives each token a payment pointer, at which every SPSP wallet (RFC 9) can raise its balance. The pointer is a sealed name of the
// token's account: whoever reads it somewhere, in a log for instance, can pay and do nothing else.

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/spsp"
)

// ErrPointer says that a text is not the pointer of any account.
var ErrPointer = errors.New("no token has this payment pointer")

// PointerQuoter seals pointers, and says where to pay whom they name. It stores nothing.
type PointerQuoter interface {
	// Pointer names the account: base64url of a fixed length, the same each time.
	Pointer(account balances.Account) (string, error)
	// QuotePointer returns where to pay the account that pointer names: an address and a secret of their own each time, which take any
	// amount. With terms, receipts are given. The error is ErrPointer, ErrNoAddress, or that of a failing node.
	QuotePointer(pointer string, terms *spsp.ReceiptTerms) (spsp.Answer, error)
}

// Pointers answers the questions to payment pointers. One serves all paywalls of a node, so that its limit holds for all of them. It is safe
// for concurrent use; its fields are set before that.
type Pointers struct {
	Quoter   PointerQuoter
	Length   int                        // of a pointer in characters
	Client   func(*http.Request) string // the address that questions are counted by; nil: Request.RemoteAddr
	Original func(*http.Request) string // the path that the client sent, if a server rewrites; nil: Request.URL.Path
	Now      func() time.Time           // nil: time.Now
	Failed   func(*http.Request, error) // is told why a question could not be answered, if the fault is ours; nil: nobody is

	askers spsp.Askers
}

// Serve answers a request for /.well-known/pay/ and a pointer, and returns false if the path is none of that kind.
func (s *Pointers) Serve(w http.ResponseWriter, r *http.Request) bool {
	pointer, ok := s.named(r.URL.Path)
	// Whoever has a token, or sends something, is no wallet, and is not held up.
	if !ok && s.Original != nil && r.Header["Pay-Token"] == nil && r.Method != http.MethodPost {
		pointer, ok = s.named(s.Original(r))
	}
	if !ok {
		return false
	}
	spsp.AllowWebPages(w.Header())
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		if prob := s.answer(w, r, pointer); prob != nil {
			w.Header().Set("Cache-Control", "no-store")
			prob.write(w, r)
		}
	case http.MethodOptions:
		spsp.WritePreflight(w)
	default:
		w.Header().Set("Allow", "GET, HEAD, OPTIONS")
		w.Header().Set("Cache-Control", "no-store")
		pointerMethod.write(w, r)
	}
	return true
}

// named returns the pointer in path. A site may have other payment pointers, which do not have its form.
func (s *Pointers) named(path string) (pointer string, ok bool) {
	pointer, ok = strings.CutPrefix(path, spsp.Path+"/")
	return pointer, ok && len(pointer) == s.Length && !strings.ContainsFunc(pointer, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_'
	})
}

var (
	pointerMethod   = newProblem("bad-method", http.StatusMethodNotAllowed, "This is a payment pointer: ask it by GET where to pay.")
	pointerTooOften = &problem{Type: "urn:paydoor:problem:too-many-questions", Title: http.StatusText(http.StatusTooManyRequests),
		Status: http.StatusTooManyRequests, Detail: "You ask too often where to pay: wait a moment. A price query, and each 402, tell it too.", retryAfter: "1"}
	pointerUnknown = &problem{Type: "urn:paydoor:problem:unknown-pointer", Title: http.StatusText(http.StatusNotFound), Status: http.StatusNotFound,
		Detail: "No token has this payment pointer: copy it whole from a 402, or from the Link header of a price query.",
		ID:     spsp.InvalidReceiverID, Message: spsp.InvalidReceiverMessage}
	pointerUnavailable = &problem{Type: "urn:paydoor:problem:unavailable", Title: http.StatusText(http.StatusServiceUnavailable),
		Status: http.StatusServiceUnavailable, Detail: "Payments cannot be received at the moment: try again.", retryAfter: "5"}
)

// answer tells where to pay, or returns why not.
func (s *Pointers) answer(w http.ResponseWriter, r *http.Request, pointer string) *problem {
	if !s.allow(r) {
		return pointerTooOften
	}
	terms, err := spsp.ReadReceiptTerms(r.Header)
	if err != nil {
		return newProblem("bad-receipt-terms", http.StatusBadRequest, err.Error()+".")
	}
	answer, err := s.Quoter.QuotePointer(pointer, terms)
	switch {
	case err == nil:
		answer.Write(w)
		return nil
	case errors.Is(err, ErrPointer):
		return pointerUnknown
	case errors.Is(err, ErrNoAddress):
		return noAddress
	}
	if s.Failed != nil {
		s.Failed(r, err)
	}
	return pointerUnavailable
}

func (s *Pointers) allow(r *http.Request) bool {
	client, now := r.RemoteAddr, time.Now()
	if s.Client != nil {
		client = s.Client(r)
	}
	if s.Now != nil {
		now = s.Now()
	}
	return s.askers.Allow(client, now)
}

// topUp is where the balance of a token can be raised by SPSP; its texts are empty where nothing can be said.
type topUp struct {
	pointer  string // for wallets: $host/path, which always means https
	endpoint string // the URL
}

// offerTopUp puts a link to the token's payment pointer into h, and returns it.
func (p *Paywall) offerTopUp(h http.Header, r *http.Request, account balances.Account) (t topUp) {
	if p.config.Pointers == nil {
		return t
	}
	pointer, err := p.config.Pointers.Quoter.Pointer(account)
	if err != nil {
		return t // the quote beside it, which needs more, is there
	}
	path := spsp.Path + "/" + pointer
	h["Link"] = append(h["Link"], "<"+p.config.PointerBase+path+`>; rel="payment"`)
	if len(h["Access-Control-Allow-Origin"]) > 0 {
		addListed(h, "Access-Control-Expose-Headers", "Link")
	}
	base := p.config.PointerBase
	if base == "" {
		base = ownBase(r)
	}
	if base == "" {
		return t
	}
	t.endpoint = base + path
	if host, ok := strings.CutPrefix(base, "https://"); ok && !strings.Contains(host, ":") { // wallets take neither ports nor bare IPv6
		t.pointer = "$" + host + path
	}
	return t
}

// ownBase returns scheme and host of the site that r came to, or "" if they are not known.
func ownBase(r *http.Request) string {
	switch {
	case !isHost(r.Host):
		return ""
	case r.TLS == nil && r.Header.Get("X-Forwarded-Proto") != "https": // whoever lies about it misleads himself
		return "http://" + r.Host
	}
	return "https://" + strings.TrimSuffix(r.Host, ":443")
}

// checkPointerBase wants scheme and host, as in https://pay.example.com.
func checkPointerBase(base string) error {
	if base == "" {
		return nil
	}
	u, err := url.Parse(base)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || !isHost(u.Host) || u.Scheme+"://"+u.Host != base {
		return fmt.Errorf("paywall: the payment pointers cannot be at %q: write scheme and host only, such as https://pay.example.com", base)
	}
	return nil
}

// isHost says whether s can stand in a URL as it is: a name or an address, and maybe a port.
func isHost(s string) bool {
	return s != "" && len(s) <= 255 && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("-._:[]", c)
	})
}
