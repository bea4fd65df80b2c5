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
)

func init() { caddy.RegisterModule(new(Node)) }

// Node serves ILP over HTTP (RFC 35): POST /ilp and POST /accounts/NAME/ilp, with an incoming credential of an account as bearer token;
// its draft 1, whose packets are in ILP-* headers, there and at POST /;
// BTP: WebSockets at /ilp/btp and /accounts/NAME/ilp/btp, for accounts with btp listen;
// and with sandbox, on loopback addresses only, the test wallet: POST /sandbox/pay and POST /sandbox/ilp. Other requests go on to the next handler; where there is none, they get a 404. It needs the ilp app. In the Caddyfile it is the
// directive ilp_node.
type Node struct{ app *App }

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
//	ilp_node [MATCHER]
func (n *Node) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	l := newLines(d)
	if err := l.none("ilp_node"); err != nil {
		return err
	}
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if d.Val() == "api" {
			return l.later("the node's HTTP API", "remove the api line; accounts are set up in the ilp block")
		}
		return d.Errf("%q is not an option here: ilp_node has no options; accounts are set up in the ilp block", d.Val())
	}
	return nil
}

// Provision finds the node.
func (n *Node) Provision(ctx caddy.Context) (err error) {
	n.app, err = configuredApp(ctx, "ilp_node")
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
	if !ofNode(r) {
		return serveOthers(w, r, next)
	}
	running, err := n.app.open()
	if err != nil {
		return caddyhttp.Error(http.StatusServiceUnavailable, err)
	}
	if !running.entry.serve(w, r) {
		return serveOthers(w, r, next)
	}
	return nil
}

// serveOthers calls the rest of the chain. Caddy's chain ends in a handler that does nothing, which clients would see as an empty 200.
func serveOthers(w http.ResponseWriter, r *http.Request, next caddyhttp.Handler) error {
	witness := &witness{ResponseWriterWrapper: &caddyhttp.ResponseWriterWrapper{ResponseWriter: w}}
	if err := next.ServeHTTP(witness, r); err != nil || witness.answered {
		return err
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
