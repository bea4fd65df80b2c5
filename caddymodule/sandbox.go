package caddymodule

// This file keeps play money where it belongs: on this node, which is none that takes real money.

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/payer"
)

// errPlayMoney refuses a config in which anybody on the machine could turn play money into what others paid for.
var errPlayMoney = errors.New("sandbox makes play money, so it goes with no parent account and no address below g: remove sandbox, or for a test node the others")

// checkSandbox says whether the config may have play money.
func (s *settings) checkSandbox() error {
	if s.sandbox && (s.parent() != nil || s.address.Scheme() == "g") {
		return errPlayMoney
	}
	return nil
}

// anybody lets everybody in as the sandbox: who gets there comes from this machine.
type anybody struct{}

func (anybody) Authenticate(string, string) (ilpcore.AccountID, bool) { return sandboxAccount, true }

// newSandbox returns the wallet's HTTP side. Its packets end at this node's sites: a neighbour, and the holder of an account, who may spend
// what comes in elsewhere, would take them for money.
func (r *running) newSandbox(logger *zap.Logger) (http.Handler, error) {
	local, err := r.node.Local(sandboxAccount)
	if err != nil {
		return nil, err
	}
	link := ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
		if !r.node.Terminates(in.Destination) && string(in.Destination) != ilpcore.PeerConfig {
			return ilpcore.Reject(ilpcore.F02, "", "play money is worth nothing to others: this wallet pays the sites of this server only", nil)
		}
		return local.HandlePrepare(ctx, in)
	})
	packets, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: anybody{}, Handler: link, Logger: logger, Unconfirmed: unconfirmed(logger)})
	if err != nil {
		return nil, err
	}
	return nodeapi.Sandbox{Wallet: payer.PSK2{Link: link, Random: rand.Reader, Now: time.Now}, Packets: packets}, nil
}
