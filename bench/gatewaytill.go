//go:build linux

package main

// This file is the gateway that senders pay to: its paywall quotes, and its ledger credits tokens on disk.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/payer"
)

// gatewayTill is the real binary with a paywall, which credits tokens in its ledger.
type gatewayTill struct {
	*gateway
	secret     string
	site, node netip.AddrPort
}

func (g *gatewayTill) uplink(name string, overBTP bool) uplink {
	token := g.secret + "-" + name
	if overBTP {
		return uplink{BTP: fmt.Sprintf("btp+ws://:%s@%s/accounts/%s/ilp/btp", token, g.node, name+"-btp")}
	}
	return uplink{HTTP: fmt.Sprintf("http://%s/accounts/%s/ilp", g.node, name+"-http"), Token: token}
}

// quote asks for the price with a new token.
func (g *gatewayTill) quote(ctx context.Context) (to order, received func(context.Context) (amount.Amount, error), err error) {
	var random [32]byte
	rand.Read(random[:])
	token := base64.RawURLEncoding.EncodeToString(random[:])
	pay, _, err := g.options(ctx, token)
	if err != nil {
		return to, nil, err
	}
	ask, err := payer.ParsePay(pay)
	if err != nil {
		return to, nil, err
	}
	to = order{Destination: string(ask.Address), Secret: base64.RawURLEncoding.EncodeToString(ask.Secret)}
	return to, func(ctx context.Context) (amount.Amount, error) {
		_, balance, err := g.options(ctx, token)
		if err != nil {
			return 0, err
		}
		return amount.Parse(balance)
	}, nil
}

func (g *gatewayTill) options(ctx context.Context, token string) (pay, balance string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodOptions, "http://"+g.site.String(), nil)
	if err != nil {
		return "", "", err
	}
	request.Header.Set("Pay-Token", token)
	request.Header.Set("Pay-Accept", payer.MethodStream)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", "", err
	}
	answer.Body.Close()
	pay, balance = answer.Header.Get("Pay"), answer.Header.Get("Pay-Balance")
	if answer.StatusCode != http.StatusNoContent || !strings.HasPrefix(pay, payer.MethodStream+" ") {
		return "", "", fmt.Errorf("OPTIONS is answered with status %d and Pay for %.20q", answer.StatusCode, pay)
	}
	return pay, balance, nil
}

var _ till = (*gatewayTill)(nil)
