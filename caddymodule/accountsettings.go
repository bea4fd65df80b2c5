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
	if err == nil && s.Relation == connector.Parent && s.link.URL == "" {
		err = errors.New("a parent has to be reachable, since it is asked for the node's address: write btp URL, or http URL")
	}
	return s, err
}

func (b *BTPLink) resolve(link *linkSettings, weak, insecure bool) error {
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

func (h *HTTPLink) resolve(link *linkSettings, weak, insecure bool) (incoming []string, err error) {
	for _, credential := range h.Incoming {
		token, err := resolveSecret(credential.Secret, "incoming simple", weak)
		if err != nil {
			return nil, err
		}
		incoming = append(incoming, token)
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
	link.Kind = linkHTTP
	link.Outgoing, err = resolveSecret(h.Outgoing.Secret, "outgoing simple", weak)
	return incoming, err
}
