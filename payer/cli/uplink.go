package cli

// This file is the way to the Interledger: it is found and connected when there is something to pay.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/loopback"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/payer"
)

// connectTime is how long connecting may take.
const connectTime = 10 * time.Second

// uplink is a link that connects with the first payment. It is for one request at a time.
type uplink struct {
	dial   func(ctx context.Context) (link, error)
	opened link
}

// link is what the links of this module have in common.
type link interface {
	ilpcore.Handler
	io.Closer
}

// Ready connects.
func (u *uplink) Ready(ctx context.Context) (err error) {
	if u.opened == nil {
		u.opened, err = u.dial(ctx)
	}
	return err
}

// HandlePrepare sends a packet.
func (u *uplink) HandlePrepare(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if u.opened == nil {
		return ilpcore.Reject(ilpcore.F02, "", "there is no link yet", nil)
	}
	return u.opened.HandlePrepare(ctx, in)
}

func (u *uplink) close() error {
	if u.opened == nil {
		return nil
	}
	return u.opened.Close()
}

// newUplink finds out where to connect to: flags, then variables, then the configuration, then, if all URLs are of this machine, the wallet
// with play money.
func (e Environment) newUplink(cmd *cobra.Command, c config, local bool) (*uplink, error) {
	address, token := cmp.Or(option(cmd, "uplink"), e.Getenv(uplinkVariable), c.Uplink), ""
	if file := option(cmd, "uplink-token-file"); file != "" {
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("--uplink-token-file: %w", err)
		}
		token = strings.TrimSpace(string(b))
	}
	if token == "" && isFor(e.Getenv(uplinkVariable), address) {
		token = strings.TrimSpace(e.Getenv(tokenVariable))
	}
	if token == "" && isFor(c.Uplink, address) {
		token = c.Token
	}
	switch {
	case strings.HasPrefix(address, "http://"), strings.HasPrefix(address, "https://"):
		return &uplink{dial: e.post(address, token)}, nil
	case address != "":
		return e.dialBTP(address, token)
	case local:
		return &uplink{dial: e.sandbox()}, nil
	}
	return &uplink{dial: func(context.Context) (link, error) {
		return nil, fmt.Errorf("there is no wallet to pay from: name your account at a connector with --uplink btp+wss://USER@HOST, in %s, or as uplink in %s", uplinkVariable, configFile)
	}}, nil
}

// isFor says whether a token that was named beside an uplink may go to address: one that was named beside none is for any.
func isFor(uplink, address string) bool { return uplink == "" || uplink == address }

// errExposed has no way out: who reads the token can spend the account.
var errExposed = errors.New("the uplink is another machine, and its token would cross the network in the clear: write https:// or btp+wss://")

// post makes a link of ILP over HTTP.
func (e Environment) post(address, token string) func(context.Context) (link, error) {
	return func(ctx context.Context) (link, error) {
		if token == "" {
			return nil, fmt.Errorf("the uplink needs a token: set %s, or name the file that holds it with --uplink-token-file", tokenVariable)
		}
		made, err := ilphttp.NewClient(ilphttp.ClientConfig{Account: "uplink", Endpoint: address, Token: token, Now: e.Now})
		if errors.Is(err, ilphttp.ErrInsecure) {
			return nil, errExposed
		}
		if err != nil {
			return nil, fmt.Errorf("the uplink: %w", err)
		}
		// Any answer will do: a connector need not tell an address. Without one the payment would try again and again.
		if _, err := payer.Uplink(ctx, made, e.Now); err != nil && made.Err() != nil {
			return nil, errors.Join(fmt.Errorf("the uplink %s: %w", hostOf(address), made.Err()), made.Close())
		}
		return made, nil
	}
}

// hostOf is what may be shown of a URL.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return clean(u.Host)
}

// dialBTP makes a link of BTP. The token may be in the URL.
func (e Environment) dialBTP(address, token string) (*uplink, error) {
	where, err := btp.ParseURL(address)
	if err != nil && token != "" {
		where, err = btp.ParseURL(withPlace(address))
		where.Token = token
	}
	if err != nil {
		return nil, fmt.Errorf("the uplink: %w; the token may also be in %s or a file (--uplink-token-file)", err, tokenVariable)
	}
	return &uplink{dial: func(ctx context.Context) (link, error) {
		made, err := btp.Dial(btp.Config{Account: "uplink", URL: where, Handler: ilpcore.HandlerFunc(refuse), Now: e.Now, Random: e.Random})
		if errors.Is(err, btp.ErrInsecure) {
			return nil, errExposed
		}
		if err != nil {
			return nil, fmt.Errorf("the uplink: %w", err)
		}
		if err := awaitUp(ctx, made); err != nil {
			return nil, errors.Join(fmt.Errorf("the uplink %s: %w", where, err), made.Close())
		}
		return made, nil
	}}, nil
}

// withPlace returns a URL of BTP without a token with something in its place.
func withPlace(address string) string {
	scheme, rest, _ := strings.Cut(address, "://")
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	return scheme + "://" + rest[:max(at, 0)] + ":-@" + rest[at+1:]
}

// refuse answers packets to this program: it is no receiver.
func refuse(context.Context, ilpcore.Incoming) ilpcore.Reply {
	return ilpcore.Reject(ilpcore.F02, "", "this wallet only pays", nil)
}

// awaitUp waits until the link is connected, or its first attempt has failed.
func awaitUp(ctx context.Context, l *btp.Link) error {
	ctx, cancel := context.WithTimeout(ctx, connectTime)
	defer cancel()
	look := time.NewTicker(10 * time.Millisecond)
	defer look.Stop()
	for !l.Up() {
		if err := l.Err(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-look.C:
		}
	}
	return nil
}

// sandbox is the wallet of a node on this machine: play money, which no other node takes.
func (e Environment) sandbox() func(context.Context) (link, error) {
	return func(ctx context.Context) (link, error) {
		node := strings.TrimRight(e.Getenv(nodeVariable), "/")
		if node == "" {
			node = defaultNode
		}
		if u, err := url.Parse(node); err != nil || !loopback.Host(u.Hostname()) {
			return nil, fmt.Errorf("what %s names is no URL of this machine, such as %s, so it has no wallet with play money: correct it, or name your account at a connector with --uplink", nodeVariable, defaultNode)
		}
		made, err := ilphttp.NewClient(ilphttp.ClientConfig{Account: "sandbox", Endpoint: node + "/sandbox/ilp", Token: "sandbox", Now: e.Now})
		if err != nil {
			return nil, err
		}
		if _, err := payer.Uplink(ctx, made, e.Now); err != nil {
			return nil, errors.Join(fmt.Errorf("no node with a sandbox answers at %s: start one with paydoor demo, name it in %s, or pay from an account at a connector with --uplink", node, nodeVariable), made.Close())
		}
		return made, nil
	}
}
