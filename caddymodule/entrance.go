package caddymodule

// This file is what a running node answers over HTTP: the packets of its neighbours, and the sandbox wallet.

import (
	"net/http"
	"strings"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/links/ilphttp"
)

// entrance routes by path.
type entrance struct {
	packets *ilphttp.Server
	sandbox http.Handler // nil without sandbox
}

func (r *running) newEntrance(logger *zap.Logger) (*entrance, error) {
	credentials := ilphttp.NewCredentials()
	for _, account := range r.settings.accounts {
		for _, token := range account.incoming {
			credentials.Add(account.ID, token)
		}
	}
	e := new(entrance)
	var err error
	e.packets, err = ilphttp.NewServer(ilphttp.ServerConfig{Accounts: credentials, Handler: r.node, Logger: logger, Unconfirmed: unconfirmed(logger)})
	if err != nil || !r.settings.sandbox {
		return e, err
	}
	e.sandbox, err = r.newSandbox()
	return e, err
}

// serve answers r, or returns false if its path is none of the node's.
func (e *entrance) serve(w http.ResponseWriter, r *http.Request) bool {
	if account, ok := packetPath(r.URL.Path); ok {
		e.packets.ServeAccount(w, r, account)
		return true
	}
	if r.URL.Path != sandboxPath || e.sandbox == nil {
		return false
	}
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return true
	}
	e.sandbox.ServeHTTP(w, r)
	return true
}

const sandboxPath = "/sandbox/pay"

// packetPath says whether packets are POSTed to path, and for which account; "" lets the token decide.
func packetPath(path string) (account string, ok bool) {
	if path == "/ilp" {
		return "", true
	}
	rest, ok := strings.CutPrefix(path, "/accounts/")
	if !ok {
		return "", false
	}
	account, ok = strings.CutSuffix(rest, "/ilp")
	if !ok || account == "" || strings.Contains(account, "/") {
		return "", false
	}
	return account, true
}

// nodePath says whether path may be one of the node's, without opening it.
func nodePath(path string) bool {
	_, ok := packetPath(path)
	return ok || path == sandboxPath
}
