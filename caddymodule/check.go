package caddymodule

// This file checks what can be wrong with an ilp config before any placeholder is known. The Caddyfile reader and Provision
// both call it, so that Caddyfile and JSON users read the same words.

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/internal/loopback"
)

const (
	durabilityGroup   = "group"
	durabilityProcess = "process"

	relationParent = "parent"
	relationPeer   = "peer"
	relationChild  = "child"
	relationLocal  = "local"
	relationUser   = "non_routing"

	credentialSimple = "simple"
	credentialJWT    = "jwt_hs256"

	// defaultRoute is the prefix that stands for every address.
	defaultRoute = "*"

	// sandboxAccount is the name of the account that sandbox adds.
	sandboxAccount = "sandbox"
)

// checkRetention refuses what would forget adjustments before somebody could repeat one by mistake.
func checkRetention(d caddy.Duration) error {
	if time.Duration(d) < time.Hour {
		return fmt.Errorf("retention is %s: write at least 1h, such as 400d, or leave the line out to keep the whole history", time.Duration(d))
	}
	return nil
}

// checkSettleEvery refuses what would be a settlement for each packet; the threshold is for those.
func checkSettleEvery(d caddy.Duration) error {
	if time.Duration(d) < time.Second {
		return fmt.Errorf("settle_every is %s: write at least 1s, such as 1h, or leave the line out to settle at thresholds alone", time.Duration(d))
	}
	return nil
}

func checkAddress(s string) error {
	if _, err := ilpcore.ParseAddress(s); err != nil {
		return fmt.Errorf("%q is not an Interledger address (%w): write one such as test.paydoor or g.us.example", s, err)
	}
	return nil
}

// checkPrefix accepts what routes are keyed by: the leading segments of an address, of which one is enough.
func checkPrefix(s string) error {
	if s == defaultRoute {
		return nil
	}
	if !ilpcore.ValidAddress([]byte(s+".x")) || strings.HasSuffix(s, ".") {
		return fmt.Errorf("%q is not an address prefix: write the leading segments of an address without a dot at the end, such as test.bob, or * for everything else", s)
	}
	return nil
}

func checkAccountName(name string) error {
	if len(name) < 1 || len(name) > 64 {
		return fmt.Errorf("the account name has %d characters: use 1 to 64", len(name))
	}
	for _, c := range []byte(name) {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.~", c) >= 0) {
			return fmt.Errorf("the account name %q has the character %q: use letters, digits, and - _ . ~ only", name, c)
		}
	}
	return nil
}

func checkRelation(relation string) error {
	switch relation {
	case relationParent, relationPeer, relationChild, relationLocal, relationUser:
		return nil
	case "":
		return errors.New("the account has no relation: write relation parent, peer, child, local or non_routing")
	}
	return fmt.Errorf("there is no relation %q: write relation parent, peer, child, local or non_routing", relation)
}

// below says whether the account has an address below the node's.
func (a *Account) below() bool {
	return a.Relation == relationChild || a.Relation == relationLocal || a.Relation == relationUser
}

// check finds the mistakes of one account that show without its secrets.
func (a *Account) check() error {
	if err := checkAccountName(a.Name); err != nil {
		return err
	}
	if err := checkRelation(a.Relation); err != nil {
		return fmt.Errorf("account %s: %w", a.Name, err)
	}
	if strings.Contains(a.Name, ".") && a.below() && a.Segment == "" && a.Address == "" {
		return fmt.Errorf("account %s: the name of a %s account becomes part of its address, where a dot begins another part: write it with - or _ instead, or write segment", a.Name, a.Relation)
	}
	if err := a.checkPlace(); err != nil {
		return fmt.Errorf("account %s: %w", a.Name, err)
	}
	if err := a.checkLink(); err != nil {
		return fmt.Errorf("account %s: %w", a.Name, err)
	}
	if err := a.checkEngine(); err != nil {
		return fmt.Errorf("account %s: %w", a.Name, err)
	}
	return nil
}

func (a *Account) checkLink() error {
	links := a.links()
	switch {
	case len(links) > 1:
		return fmt.Errorf("there are two links: keep %s or %s, or make a second account", links[0], links[1])
	case a.Relation == relationParent && (a.Loopback || a.Ping):
		return fmt.Errorf("a parent gives the node its address, and a %s link leads nowhere: write relation peer", links[0])
	case a.BTP != nil:
		return a.BTP.check()
	case a.HTTP != nil:
		return a.HTTP.check(linkHTTP, a.Relation)
	case a.Headers != nil:
		return a.Headers.check(linkHeaders, a.Relation)
	case a.Relation == relationLocal, len(links) == 1:
		return nil
	}
	return errors.New("there is no link: write btp URL, btp listen TOKEN, or http URL { incoming ... outgoing ... }")
}

// links returns the options for links that are written.
func (a *Account) links() (written []string) {
	for _, link := range []struct {
		there bool
		name  string
	}{{a.BTP != nil, "btp"}, {a.HTTP != nil, linkHTTP}, {a.Headers != nil, linkHeaders}, {a.Loopback, linkLoopback}, {a.Ping, linkPing}} {
		if link.there {
			written = append(written, link.name)
		}
	}
	return written
}

func (b *BTPLink) check() error {
	switch {
	case b.Listen == nil:
		return checkBTPScheme(b.URL)
	case b.URL != "":
		return errors.New("the btp link both dials and listens: keep btp URL or btp listen TOKEN")
	case b.Listen.Token == "":
		return errors.New("btp listen has no token: write btp listen {env.TOKEN}")
	case strings.Contains(b.Listen.User, ":"):
		return errors.New("the user after btp listen has a colon, which ends a user in a BTP URL: write USER and {env.TOKEN} apart, as in btp listen USER {env.TOKEN}")
	}
	return nil
}

func checkBTPScheme(rawURL string) error {
	if strings.HasPrefix(rawURL, "btp+ws://") || strings.HasPrefix(rawURL, "btp+wss://") || strings.HasPrefix(rawURL, "{") {
		return nil
	}
	return errors.New("the BTP address starts with neither btp+wss:// nor btp+ws://: write btp btp+wss://USER:{env.TOKEN}@connector.example")
}

// check is for the option http or headers.
func (l *HTTPLink) check(option, relation string) error {
	switch {
	case l.URL == "" && l.Outgoing == nil && relation == relationParent:
		return fmt.Errorf("a parent has to be reachable, since it is asked for the node's address: write %s URL, btp URL, or btp listen TOKEN", option)
	case l.URL == "" && len(l.Incoming) == 0:
		return fmt.Errorf("the %[1]s link can neither send nor receive: write %[1]s URL { incoming simple TOKEN, outgoing simple TOKEN } on lines of their own", option)
	case l.URL != "" && l.Outgoing == nil:
		return fmt.Errorf("the %s link has a URL and nothing to log in with there: write outgoing simple {env.TOKEN} into its block", option)
	case l.URL == "" && l.Outgoing != nil:
		return fmt.Errorf("the %[1]s link has outgoing and no URL to send to: write %[1]s URL {", option)
	}
	for _, credential := range l.Incoming {
		if err := credential.check("incoming"); err != nil {
			return err
		}
	}
	if l.Outgoing != nil {
		if err := l.Outgoing.check("outgoing"); err != nil {
			return err
		}
	}
	return nil
}

func (c Credential) check(direction string) error {
	switch {
	case c.Type == credentialJWT && c.Subject == "" && direction == "outgoing":
		return errors.New("outgoing jwt_hs256 has no subject: write outgoing jwt_hs256 SUBJECT {env.SECRET} with the subject that the neighbour expects of us")
	case c.Type == credentialJWT && direction == "outgoing" && c.AllowWithoutExp:
		return errors.New("allow_without_exp is about incoming tokens, and the ones we send always expire: remove it from outgoing")
	case c.Type == credentialJWT:
		return nil
	case c.Type != "" && c.Type != credentialSimple:
		return fmt.Errorf("%s: credentials of type %q are not available in this version: use simple or jwt_hs256", direction, c.Type)
	case c.Subject != "" || c.AllowWithoutExp:
		return fmt.Errorf("%s: subject and allow_without_exp belong to credentials of type jwt_hs256: remove them, or set the type", direction)
	}
	return nil
}

// resolve returns what the asset stands for. A code that is unknown yet is one that holds standIn.
func (a Asset) resolve(r resolver) (asset ilpcore.Asset, err error) {
	asset.Scale = a.Scale
	if asset.Code, err = r.text(a.Code, "asset"); err != nil {
		return asset, err
	}
	return asset, Asset(asset).check()
}

func (a Asset) check() error {
	if !ilpcore.Asset(a).Valid() {
		return fmt.Errorf("the asset code %q is not usable: write one such as USD, and its scale, as in asset USD 9", a.Code)
	}
	return nil
}

// errPlain is the refusal to send secrets and money unprotected.
var errPlain = errors.New("without TLS everybody on the way reads the secrets: use the TLS form (https, btp+wss), or write insecure in the ilp block")

// checkTransport refuses to send without TLS to another machine.
func checkTransport(u *url.URL, option string, insecure bool) error {
	switch u.Scheme {
	case "https":
		return nil
	case "http":
		if insecure || loopback.Host(u.Hostname()) {
			return nil
		}
		return errPlain
	}
	return fmt.Errorf("the %[1]s URL starts with neither https:// nor http://: write %[1]s https://connector.example/ilp {", option)
}
