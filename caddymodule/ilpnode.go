package caddymodule

// This file is the ilp_node handler: the HTTP side of the node, as far as neighbours reach it.

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"

	"github.com/paydoor/paydoor/nodeapi"
)

func init() { caddy.RegisterModule(new(Node)) }

// Node serves ILP over HTTP (RFC 35): POST /ilp and POST /accounts/NAME/ilp, with an incoming credential of an account as bearer token;
// its draft 1, whose packets are in ILP-* headers, there and at POST /;
// BTP: WebSockets at /ilp/btp and /accounts/NAME/ilp/btp, for accounts with btp listen;
// with sandbox, on loopback addresses only, the test wallet: POST /sandbox/pay and POST /sandbox/ilp; and the node's API: /accounts, /routes, /rates,
// /settlement, /encryption, /payments, /status, /openapi.json and /.well-known/pay; and the payment pointers of tokens. GET / says how the node is, unless the next handler
// answers. Other requests go on to the next handler; where there is none, they get a 404. It needs the ilp app. In the Caddyfile it is
// the directive ilp_node.
type Node struct {
	// API is the dialect in which the operator's bare bearer token is answered: "rust-0.6" or "rust-1.0", as interledger-rs does, or
	// "java", as the Java connector; or "off", and the API's paths go to the next handler. Default: "rust-0.6".
	API string `json:"api,omitempty"`
	// AllowPrivate lets URLs that the API takes lead to this machine and to private networks. Default: false.
	AllowPrivate bool `json:"allow_private,omitempty"`

	app *App
}

const apiOff = "off"

// CaddyModule returns the Caddy module information.
func (*Node) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.handlers.ilp_node", New: func() caddy.Module { return new(Node) }}
}

func parseNode(h httpcaddyfile.Helper) (caddyhttp.MiddlewareHandler, error) {
	start := *h.Dispenser
	n := new(Node)
	if err := n.UnmarshalCaddyfile(h.Dispenser); err != nil {
		return nil, err
	}
	return n, needNode(h, &start, "ilp_node")
}

// UnmarshalCaddyfile reads
//
//	ilp_node [MATCHER] {
//		api            rust-0.6|rust-1.0|java|off
//		allow_private
//	}
func (n *Node) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	l := newLines(d)
	if err := l.none("ilp_node"); err != nil {
		return err
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := l.once(); err != nil {
			return err
		}
		if err := n.readOption(l, d.Val()); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) readOption(l lines, option string) (err error) {
	switch option {
	case "api":
		if n.API, err = l.one("api rust-0.6"); err != nil {
			return err
		}
		if err := n.check(); err != nil {
			return l.WrapErr(err)
		}
	case "allow_private":
		n.AllowPrivate, err = true, l.none("allow_private")
	default:
		return l.Errf("%q is not an option here; the options are api and allow_private, and accounts are set up in the ilp block", option)
	}
	return err
}

// check finds a wrong dialect.
func (n *Node) check() error {
	if n.API == "" || n.API == apiOff {
		return nil
	}
	if _, err := nodeapi.ParseDialect(n.API); err != nil {
		return fmt.Errorf("there is no dialect %q of the API: write api rust-0.6, rust-1.0, java or off", n.API)
	}
	return nil
}

// Provision finds the node, and tells it about the API.
func (n *Node) Provision(ctx caddy.Context) (err error) {
	if n.app, err = configuredApp(ctx, "ilp_node"); err != nil {
		return err
	}
	if err := n.check(); err != nil {
		return err
	}
	return n.app.useAPI(n)
}

// useAPI takes what one ilp_node says of the API. A node has one, so all have to say the same.
func (a *App) useAPI(n *Node) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.allowPrivate = a.allowPrivate || n.AllowPrivate
	if n.API == "" || n.API == apiOff {
		return nil
	}
	if a.dialectOf != "" && a.dialectOf != n.API {
		return fmt.Errorf("one ilp_node has api %s and another api %s, and a node has one API: write the same for both", a.dialectOf, n.API)
	}
	dialect, err := nodeapi.ParseDialect(n.API)
	a.dialect, a.dialectOf = dialect, n.API
	return err
}

func errNoNode(directive string) error {
	return fmt.Errorf("%s needs a node, and the global options have no ilp block: begin the Caddyfile with { ilp { sandbox } } on lines of their own to try things out, or with what docs/caddyfile.md says about ilp", directive)
}

// configuredApp returns the ilp app for a directive, which it names in the error.
func configuredApp(ctx caddy.Context, directive string) (*App, error) {
	found, err := ctx.AppIfConfigured("ilp")
	if errors.Is(err, caddy.ErrNotConfigured) {
		return nil, errNoNode(directive)
	}
	if err != nil {
		return nil, err
	}
	app, ok := found.(*App)
	if !ok {
		return nil, fmt.Errorf("%s needs Paydoor's app ilp, but another module has that name", directive)
	}
	return app, nil
}

// ServeHTTP answers what is the node's, and passes everything else on.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	if n.app.pointers.Serve(w, r) {
		return nil
	}
	api := r.URL.Path != "/" && n.apiPath(r.URL.Path)
	if !ofNode(r) && !api {
		return n.serveOthers(w, r, next)
	}
	running, err := n.app.open()
	if err != nil {
		return caddyhttp.Error(http.StatusServiceUnavailable, err)
	}
	switch {
	case running.entry.serve(w, r):
	case api:
		running.serveAPI(w, r)
	default:
		return n.serveOthers(w, r, next)
	}
	return nil
}

// apiPath says whether path is one of the API, if that is to be answered here.
func (n *Node) apiPath(path string) bool { return n.API != apiOff && nodeapi.Serves(path) }

// serveOthers calls the rest of the chain. Caddy's chain ends in a handler that does nothing, which clients would see as an empty 200:
// then / is the API's, and nobody's else.
func (n *Node) serveOthers(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	witness := &witness{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
	if err := next.ServeHTTP(witness, r); err != nil || witness.answered {
		return err
	}
	if n.apiPath(r.URL.Path) {
		running, err := n.app.open()
		if err != nil {
			return caddyhttp.Error(http.StatusServiceUnavailable, err)
		}
		running.serveAPI(w, r)
		return nil
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusNotFound)
	_, _ = io.WriteString(w, "This is an Interledger node. It takes ILP packets by POST to /ilp and /accounts/NAME/ilp, and BTP connections at /ilp/btp and /accounts/NAME/ilp/btp.\n")
	return nil
}

var (
	_ caddy.Provisioner           = (*Node)(nil)
	_ caddyhttp.MiddlewareHandler = (*Node)(nil)
	_ caddyfile.Unmarshaler       = (*Node)(nil)
)
