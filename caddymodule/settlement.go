package caddymodule

// This file is what settlement needs of a config: how engines are reached, and who is told that an account is to be settled.

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/payer"
)

// engineTokenFile is the file of the generated token of settlement engines in the data directory.
const engineTokenFile = "settlement.token"

// engineTransport reaches settlement engines: those of the Caddyfile wherever they are, and without allow_private of all others those on the
// public Internet alone, which is looked at when the address is known (T36); and through no proxy.
func (r *running) engineTransport() *http.Transport {
	free, guarded := &net.Dialer{Timeout: 10 * time.Second}, &net.Dialer{Timeout: 10 * time.Second, Control: payer.PublicOnly()}
	own, everywhere := r.settings.ownEngines(), r.app.allowPrivate
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if everywhere || own[strings.ToLower(address)] {
			return free.DialContext(ctx, network, address)
		}
		return guarded.DialContext(ctx, network, address)
	}
	return &http.Transport{
		DialContext: dial, TLSHandshakeTimeout: 10 * time.Second, MaxIdleConnsPerHost: 2, MaxConnsPerHost: 16,
		IdleConnTimeout: time.Minute, ForceAttemptHTTP2: true, MaxResponseHeaderBytes: 64 << 10,
	}
}

// due has an account settled. A config that no longer is the newest leaves that to the newest one's next packet.
func (r *running) due(id ilpcore.AccountID) {
	if r.api != nil {
		r.api.Due(id)
	}
}

// owed returns what has an account settled by time; nil without settle_every.
func (r *running) owed() func(ilpcore.AccountID) {
	if r.settings.every == 0 {
		return nil
	}
	return func(id ilpcore.AccountID) {
		if r.api != nil {
			r.api.Owed(id)
		}
	}
}

// Message brings a message to the settlement engine of an account (connector.Messenger).
func (r *running) Message(ctx context.Context, from ilpcore.AccountID, data []byte) ([]byte, error) {
	if r.api == nil {
		return nil, connector.ErrNoEngine
	}
	return r.api.Message(ctx, from, data)
}
