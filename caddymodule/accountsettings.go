package caddymodule

// This file resolves one account: its secrets, its limits, and where its link goes.

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
)

// resolve returns the account's settings. weak and insecure are the app's allow_weak_secrets and insecure.
func (a *Account) resolve(weak, insecure bool) (s accountSettings, err error) {
	if err := a.check(); err != nil {
		return s, err
	}
	s.ID = ilpcore.AccountID(a.Name)
	if s.Relation, err = connector.ParseRelation(a.Relation); err != nil {
		return s, err
	}
	if a.Asset != nil {
		s.Asset = ilpcore.Asset(*a.Asset)
	}
	if s.MaxPacketAmount, err = optionalAmount(a.MaxPacket, "max_packet"); err != nil {
		return s, err
	}
	s.MaxPacketsPerMinute, s.MaxInFlight = a.PacketsPerMinute, a.MaxInFlight
	s.link = linkSettings{Account: s.ID, Asset: s.Asset, Parent: s.Relation == connector.Parent, Insecure: insecure}
	switch {
	case a.BTP != nil:
		err = a.BTP.resolve(&s.link, weak, insecure)
	case a.HTTP != nil:
		s.incoming, err = a.HTTP.resolve(&s.link, weak, insecure)
	}
	if err == nil && s.Relation == connector.Parent && s.link.Kind == "" {
		err = errors.New("a parent has to be reachable, since it is asked for the node's address: write btp URL, btp listen TOKEN, or http URL")
	}
	return s, err
}

func (b *BTPLink) resolve(link *linkSettings, weak, insecure bool) error {
	if b.Listen != nil {
		return b.Listen.resolve(link, weak)
	}
	text, err := resolve(b.URL, "the btp URL")
	if err != nil {
		return err
	}
	u, err := btp.ParseURL(text)
	if err != nil {
		return fmt.Errorf("the btp URL cannot be read: %w", err)
	}
	if u.Exposed() && !insecure {
		return errPlain
	}
	if err := checkStrength(u.Token, "the token in the btp URL", weak); err != nil {
		return err
	}
	link.Kind, link.URL = linkBTP, text
	return nil
}

func (b *BTPListen) resolve(link *linkSettings, weak bool) (err error) {
	link.Kind, link.Insecure = linkListen, false
	if link.Outgoing, err = resolveSecret(b.Token, "the token after btp listen", weak); err != nil {
		return err
	}
	if link.Subject, err = resolve(b.User, "the user after btp listen"); err != nil {
		return err
	}
	return (&BTPLink{Listen: &BTPListen{User: link.Subject, Token: link.Outgoing}}).check()
}

func (h *HTTPLink) resolve(link *linkSettings, weak, insecure bool) (incoming []incomingCredential, err error) {
	for _, credential := range h.Incoming {
		resolved, err := credential.resolve("incoming", weak)
		if err != nil {
			return nil, err
		}
		incoming = append(incoming, resolved)
	}
	if h.URL == "" {
		return incoming, nil
	}
	if link.URL, err = resolve(h.URL, "the http URL"); err != nil {
		return nil, err
	}
	u, err := url.Parse(link.URL) // whose error would repeat the URL
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("the http URL cannot be used: write http https://connector.example/ilp { without user and password, which go into outgoing")
	}
	if err := checkTransport(u, insecure); err != nil {
		return nil, err
	}
	outgoing, err := h.Outgoing.resolve("outgoing", weak)
	link.Kind, link.Outgoing, link.Subject = linkHTTP, outgoing.secret, outgoing.subject
	return incoming, err
}

// incomingCredential is a credential as it is compared with what a neighbour shows; the outgoing one has the same parts.
type incomingCredential struct {
	kind       string
	subject    string // of a JSON Web Token; "": any
	secret     string // the token, or the bytes of the key
	withoutExp bool
}

func (c Credential) resolve(direction string, weak bool) (r incomingCredential, err error) {
	r.kind, r.withoutExp = c.Type, c.AllowWithoutExp
	if c.Type != credentialJWT {
		r.kind = credentialSimple
		r.secret, err = resolveSecret(c.Secret, direction+" simple", weak)
		return r, err
	}
	if r.subject, err = resolve(c.Subject, "the subject of "+direction+" jwt_hs256"); err != nil {
		return r, err
	}
	if c.Subject != "" && r.subject == "" {
		return r, fmt.Errorf("the subject of %s jwt_hs256 is empty", direction)
	}
	r.secret, err = resolveKey(c.Secret, direction+" jwt_hs256", weak)
	return r, err
}
