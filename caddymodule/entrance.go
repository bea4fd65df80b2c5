package caddymodule

// This file is what a running node answers over HTTP: the packets of its neighbours, their BTP connections, and the sandbox wallet.

import (
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
)

// entrance routes by path.
type entrance struct {
	packets *ilphttp.Server
	peers   *btp.Listener
	sandbox http.Handler // nil without sandbox
}

func (r *running) newEntrance(logger *zap.Logger) (*entrance, error) {
	e := &entrance{peers: btp.NewListener(btp.ListenerConfig{Remote: clientAddress, Logger: logger})}
	for _, l := range r.links {
		if l.link.awaited != nil {
			e.peers.Add(l.link.awaited)
		}
	}
	var err error
	e.packets, err = ilphttp.NewServer(ilphttp.ServerConfig{
		Accounts: r.credentials, Handler: r.handler, Logger: logger, Unconfirmed: unconfirmed(logger),
	})
	if err != nil || !r.settings.sandbox {
		return e, err
	}
	e.sandbox, err = r.newSandbox()
	return e, err
}

// credentials returns what the neighbours log in with over HTTP.
func (s *settings) credentials() *ilphttp.Credentials {
	credentials := ilphttp.NewCredentials(time.Now)
	for _, account := range s.accounts {
		addCredentials(credentials, account.ID, account.incoming)
	}
	return credentials
}

func addCredentials(to *ilphttp.Credentials, id ilpcore.AccountID, incoming []incomingCredential) {
	for _, c := range incoming {
		if c.kind == credentialJWT {
			to.AddJWT(id, ilphttp.JWT{Subject: c.subject, Secret: []byte(c.secret), AllowNoExpiry: c.withoutExp})
		} else {
			to.Add(id, c.secret)
		}
	}
}

// clientAddress is the address that failed logins are counted by: the one that Caddy found behind trusted proxies.
func clientAddress(r *http.Request) string {
	if address, ok := caddyhttp.GetVar(r.Context(), caddyhttp.ClientIPVarKey).(string); ok && address != "" {
		return address
	}
	return r.RemoteAddr
}

// close ends what is not authenticated yet. Connections that are belong to their links.
func (e *entrance) close() error { return e.peers.Close() }

// serve answers r, or returns false if its path is none of the node's.
func (e *entrance) serve(w http.ResponseWriter, r *http.Request) bool {
	if account, ok := packetPath(r.URL.Path); ok {
		e.packets.ServeAccount(w, r, account)
		return true
	}
	if account, ok := peerPath(r.URL.Path); ok {
		e.peers.ServeAccount(w, r, account)
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

// peerPath says whether BTP peers connect to path, and as which account; "" lets the login decide.
func peerPath(path string) (account string, ok bool) {
	path, ok = strings.CutSuffix(path, "/btp")
	if !ok {
		return "", false
	}
	return packetPath(path)
}

// nodePath says whether path may be one of the node's, without opening it.
func nodePath(path string) bool {
	_, packets := packetPath(path)
	_, peers := peerPath(path)
	return packets || peers || path == sandboxPath
}
