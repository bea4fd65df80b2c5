package caddymodule

// This file is what a running node answers over HTTP: the packets of its neighbours, their BTP connections, and the sandbox wallet.

import (
	"net/http"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilpheaders"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/nodeapi"
)

// entrance routes by path, and tells packets in ILP headers from those in the body.
type entrance struct {
	packets *ilphttp.Server
	headers *ilpheaders.Server
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
		Accounts: r.credentials, Handler: r.handler, Logger: logger, Unconfirmed: unconfirmed(logger), MaxInFlight: r.settings.mostInFlight(),
	})
	if err != nil {
		return e, err
	}
	e.headers, err = ilpheaders.NewServer(ilpheaders.ServerConfig{
		Accounts: r.credentials, Handler: r.handler, Self: r.self, Logger: logger, Unconfirmed: unconfirmed(logger), MaxInFlight: r.settings.mostInFlight(),
	})
	if err != nil || !r.settings.sandbox {
		return e, err
	}
	e.sandbox, err = r.newSandbox(logger)
	return e, err
}

// mostInFlight is how many packets any account may have under way: the servers have one bound for all, and the node one for each.
func (s *settings) mostInFlight() int {
	most := connector.DefaultInFlight
	for _, account := range s.accounts {
		most = max(most, account.MaxInFlight)
	}
	return most
}

// self is the node's address, "" while there is none.
func (r *running) self() ilpcore.Address {
	address, _, _ := r.node.Address()
	return address
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
	if headersToRoot(r) {
		e.headers.ServeAccount(w, r, "")
		return true
	}
	if account, ok := packetPath(r.URL.Path); ok {
		if ilpheaders.Wants(r.Header) {
			e.headers.ServeAccount(w, r, account)
		} else {
			e.packets.ServeAccount(w, r, account)
		}
		return true
	}
	if account, ok := peerPath(r.URL.Path); ok {
		e.peers.ServeAccount(w, r, account)
		return true
	}
	if !ofSandbox(r) || e.sandbox == nil {
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

// ofSandbox says whether r is for the wallet with play money.
func ofSandbox(r *http.Request) bool {
	return r.URL.Path == "/sandbox/pay" || r.URL.Path == nodeapi.SandboxLink
}

// headersToRoot says whether r is a packet in ILP headers to the path of draft 1; every other request for that path is none of the node's.
func headersToRoot(r *http.Request) bool {
	return r.URL.Path == "/" && r.Method == http.MethodPost && r.Header.Get("ILP-Destination") != ""
}

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

// ofNode says whether r may be one of the node's, without opening it.
func ofNode(r *http.Request) bool {
	_, packets := packetPath(r.URL.Path)
	_, peers := peerPath(r.URL.Path)
	return packets || peers || ofSandbox(r) || headersToRoot(r)
}
