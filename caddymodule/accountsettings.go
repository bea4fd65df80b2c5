package caddymodule

// This file resolves one account: its secrets, its limits, and where its link goes.

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
)

// resolve returns the settings of an account without what check finds.
func (a *Account) resolve(r resolver) (s accountSettings, err error) {
	s.ID = ilpcore.AccountID(a.Name)
	if s.Relation, err = connector.ParseRelation(a.Relation); err != nil {
		return s, err
	}
	if a.Asset != nil {
		if s.Asset, err = a.Asset.resolve(r); err != nil {
			return s, a.at("asset", err)
		}
	}
	s.Address, s.Segment = ilpcore.Address(a.Address), a.Segment
	s.SendRoutes, s.ReceiveRoutes = a.routing(s.Relation)
	if err := a.resolveLimits(&s, r); err != nil {
		return s, err
	}
	if s.engine, err = a.resolveEngine(r); err != nil {
		return s, a.at("settlement_engine", err)
	}
	s.origin = a.Source["account"]
	s.link = linkSettings{Account: s.ID, Asset: s.Asset, Parent: s.Relation == connector.Parent, Insecure: r.insecure}
	switch {
	case a.BTP != nil:
		err = a.at("btp", a.BTP.resolve(&s.link, r))
	case a.HTTP != nil:
		s.incoming, err = a.resolveHTTP(a.HTTP, linkHTTP, &s.link, r)
	case a.Headers != nil:
		s.incoming, err = a.resolveHTTP(a.Headers, linkHeaders, &s.link, r)
	case a.Loopback:
		s.link.Kind = linkLoopback
	case a.Ping:
		s.link.Kind = linkPing
	}
	return s, err
}

// links returns the links that the account has.
func (s *accountSettings) links() []linkSettings {
	if s.link.Kind == "" {
		return s.more
	}
	return append([]linkSettings{s.link}, s.more...)
}

func (b *BTPLink) resolve(link *linkSettings, r resolver) error {
	if b.Listen != nil {
		return b.Listen.resolve(link, r)
	}
	text, err := r.text(b.URL, "the btp URL")
	if err != nil {
		return err
	}
	link.Kind, link.URL = linkBTP, text
	if r.reading && strings.HasPrefix(b.URL, "{") {
		return nil
	}
	u, err := btp.ParseURL(text)
	if err != nil {
		return errors.New("the btp URL cannot be used: write btp btp+wss://USER:{env.TOKEN}@connector.example, with a token and a host")
	}
	if u.Exposed() && !r.insecure && !strings.Contains(u.Endpoint, standIn) {
		return errPlain
	}
	return checkStrength(u.Token, "the token in the btp URL", r.weak)
}

func (b *BTPListen) resolve(link *linkSettings, r resolver) (err error) {
	link.Kind, link.Insecure = linkListen, false
	if link.Outgoing, err = r.secret(b.Token, "the token after btp listen"); err != nil {
		return err
	}
	if link.Subject, err = r.text(b.User, "the user after btp listen"); err != nil {
		return err
	}
	return (&BTPLink{Listen: &BTPListen{User: link.Subject, Token: link.Outgoing}}).check()
}

// resolveHTTP resolves the link that the option http or headers says, which is also the kind of the link.
func (a *Account) resolveHTTP(h *HTTPLink, option string, link *linkSettings, r resolver) (incoming []incomingCredential, err error) {
	for i, credential := range h.Incoming {
		resolved, err := credential.resolve("incoming", r)
		if err != nil {
			return nil, a.at(incomingLine(i), err)
		}
		incoming = append(incoming, resolved)
	}
	if h.URL == "" {
		return incoming, nil
	}
	if link.URL, err = h.resolveURL(option, r); err != nil {
		return nil, a.at(option, err)
	}
	outgoing, err := h.Outgoing.resolve("outgoing", r)
	link.Kind, link.Outgoing, link.Subject = option, outgoing.secret, outgoing.subject
	return incoming, a.at("outgoing", err)
}

// incomingLine names the lines incoming, of which there may be several.
func incomingLine(i int) string { return fmt.Sprintf("incoming %d", i+1) }

func (h *HTTPLink) resolveURL(option string, r resolver) (string, error) {
	text, err := r.text(h.URL, "the "+option+" URL")
	if err != nil || r.reading && strings.HasPrefix(h.URL, "{") {
		return text, err
	}
	u, err := url.Parse(text) // whose error would repeat the URL
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return "", fmt.Errorf("the %[1]s URL cannot be used: write %[1]s https://connector.example/ilp { without user and password, which go into outgoing", option)
	}
	return text, checkTransport(u, option, r.insecure || strings.Contains(u.Hostname(), standIn))
}

// incomingCredential is a credential as it is compared with what a neighbour shows; the outgoing one has the same parts.
type incomingCredential struct {
	kind       string
	subject    string // of a JSON Web Token; "": any
	secret     string // the token, or the bytes of the key
	withoutExp bool
}

func (c Credential) resolve(direction string, r resolver) (s incomingCredential, err error) {
	s.kind, s.withoutExp = c.Type, c.AllowWithoutExp
	if c.Type != credentialJWT {
		s.kind = credentialSimple
		s.secret, err = r.secret(c.Secret, direction+" simple")
		return s, err
	}
	if s.subject, err = r.text(c.Subject, "the subject of "+direction+" jwt_hs256"); err != nil {
		return s, err
	}
	s.secret, err = r.key(c.Secret, direction+" jwt_hs256")
	return s, err
}

// routing says whether the account is told routes, and asked for them.
func (a *Account) routing(relation connector.Relation) (send, receive bool) {
	send, receive = relation.Routing()
	if a.SendRoutes != nil {
		send = *a.SendRoutes
	}
	if a.ReceiveRoutes != nil {
		receive = *a.ReceiveRoutes
	}
	return send, receive
}

// amount returns 0 for an amount that is not set, or not known.
func (r resolver) amount(n Number, what string) (amount.Amount, error) {
	if n == "" || r.unknown(string(n)) {
		return 0, nil
	}
	return n.resolve(what)
}
