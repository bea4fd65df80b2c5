package nodeapi

// This file is the sandbox wallet: it pays what a Pay header asks for with play money, for programs on the same machine only.

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/internal/loopback"
	"github.com/paydoor/paydoor/payer"
)

// Wallet is what the sandbox pays with.
type Wallet interface {
	Pay(ctx context.Context, ask payer.Ask, due amount.Amount, token []byte) (payer.Receipt, error)
}

// Sandbox answers POST /sandbox/pay. The form fields are pay, the value of a Pay header; amount, in base units, by default the
// price in pay; and token, the Pay-Token, which is optional. It answers 200 with {"sent", "delivered"} as decimal strings.
//
// POST /sandbox/ilp takes the packets of wallets that make their own: the account of a client with play money, for which it needs no token.
//
// Requests that do not come straight from this machine, and those of web pages, get 403.
type Sandbox struct {
	Wallet  Wallet
	Packets http.Handler // gets what is sent to SandboxLink; nil: 404
}

// SandboxLink is the path for packets.
const SandboxLink = "/sandbox/ilp"

// maxForm is far more than the three fields need, in bytes.
const maxForm = 8 << 10

// ServeHTTP pays once.
func (s Sandbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !fromThisMachine(r) {
		problem(w, http.StatusForbidden, "The sandbox wallet serves programs on its own machine only",
			"Call it from the machine it runs on, by a loopback address, without a proxy between.")
		return
	}
	if r.URL.Path == SandboxLink {
		s.takePacket(w, r)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		problem(w, http.StatusBadRequest, "The form cannot be read", "Send pay and amount as application/x-www-form-urlencoded.")
		return
	}
	ask, due, token, err := parsePayForm(r)
	if err != nil {
		problem(w, http.StatusBadRequest, "The payment cannot be made as asked", err.Error())
		return
	}
	receipt, err := s.Wallet.Pay(r.Context(), ask, due, token)
	if err != nil {
		problem(w, http.StatusBadGateway, "The payment failed", err.Error())
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(map[string]string{"sent": receipt.Sent.String(), "delivered": receipt.Delivered.String()})
}

func (s Sandbox) takePacket(w http.ResponseWriter, r *http.Request) {
	if s.Packets == nil {
		http.NotFound(w, r)
		return
	}
	s.Packets.ServeHTTP(w, r)
}

func parsePayForm(r *http.Request) (ask payer.Ask, due amount.Amount, token []byte, err error) {
	if ask, err = payer.ParsePay(r.PostForm.Get("pay")); err != nil {
		return ask, 0, nil, err
	}
	due = ask.Price
	if text := r.PostForm.Get("amount"); text != "" {
		if due, err = amount.Parse(text); err != nil {
			return ask, 0, nil, errors.New("amount must be a decimal integer of base units, such as 100")
		}
	}
	if due == 0 {
		return ask, 0, nil, errors.New("say how much to pay: amount=100")
	}
	if text := r.PostForm.Get("token"); text != "" {
		if token, err = base64.RawURLEncoding.DecodeString(text); err != nil {
			return ask, 0, nil, errors.New("token must be the Pay-Token: base64url without padding")
		}
	}
	return ask, due, token, nil
}

// fromThisMachine says whether r was sent by a program on this machine: a loopback peer that used a loopback name, no proxy that
// speaks for somebody else, and no web page, which a browser marks with Origin or Sec-Fetch-Site.
func fromThisMachine(r *http.Request) bool {
	for _, header := range []string{"Origin", "Sec-Fetch-Site", "Forwarded", "X-Forwarded-For", "Via"} {
		if len(r.Header.Values(header)) != 0 {
			return false
		}
	}
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !peer.Addr().Unmap().IsLoopback() {
		return false
	}
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return loopback.Host(strings.Trim(host, "[]"))
}

// problem answers with application/problem+json (RFC 9457).
func problem(w http.ResponseWriter, status int, title, detail string) {
	writeProblem(w, problemDetails{Status: status, Title: title, Detail: detail})
}
