package caddymodule

// This file shows the accounts of the Caddyfile to the node's API, which lists them and changes none.

import (
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/nodeapi"
)

// elsewhere is the origin of accounts whose line is not known.
const elsewhere = "in a config that was not written as a Caddyfile"

// staticAccounts returns the accounts of the config. Their secrets are encrypted.
func (r *running) staticAccounts() (list []nodeapi.Settings, err error) {
	now := time.Now().UTC()
	for _, a := range r.settings.accounts {
		s := nodeapi.Settings{
			ID: a.ID, Form: nodeapi.FormRust, UUID: uuidOf(string(a.ID)), Relation: a.Relation.String(), Asset: nodeapi.Asset(r.expectedAsset(a)),
			Address: a.Address, Segment: a.Segment, MinBalance: a.MinBalance, SettleThreshold: a.SettleThreshold, SettleTo: a.SettleTo,
			Engine: nodeapi.Engine{URL: a.engine}, SendRoutes: &a.SendRoutes, ReceiveRoutes: &a.ReceiveRoutes, Created: now, Modified: now, Origin: a.origin,
		}
		if s.Origin == "" {
			s.Origin = elsewhere
		}
		showLimits(&s, a.Account)
		if err := r.showLink(&s, a); err != nil {
			return nil, fmt.Errorf("account %s: %w", a.ID, err)
		}
		list = append(list, s)
	}
	return list, nil
}

func showLimits(s *nodeapi.Settings, a connector.Account) {
	if a.MaxPacketAmount > 0 {
		s.MaxPacket = &a.MaxPacketAmount
	}
	if a.MaxAmountPerMinute > 0 {
		s.AmountPerMinute = &a.MaxAmountPerMinute
	}
	if n := uint32(a.MaxPacketsPerMinute); n > 0 {
		s.PacketsPerMinute = &n
	}
	if ms := uint32(a.RoundTrip.Milliseconds()); ms > 0 {
		s.RoundTrip = &ms
	}
}

// showLink fills in the link. Of a BTP URL only scheme, host and path are shown.
func (r *running) showLink(s *nodeapi.Settings, a accountSettings) error {
	for _, c := range a.incoming {
		sealed, err := r.books.keeper.Seal(c.secret)
		if err != nil {
			return err
		}
		s.HTTP.Incoming = append(s.HTTP.Incoming, nodeapi.Credential{Kind: c.kind, Subject: c.subject, Secret: sealed})
	}
	sealed, err := r.books.keeper.Seal(a.link.Outgoing)
	if err != nil {
		return err
	}
	switch a.link.Kind {
	case linkHTTP, linkHeaders: // the API knows one way to post packets
		s.Link, s.HTTP.URL = nodeapi.LinkHTTP, a.link.URL
		s.HTTP.Outgoing = &nodeapi.Credential{Kind: nodeapi.Simple, Secret: sealed}
		if a.link.Subject != "" {
			s.HTTP.Outgoing.Kind, s.HTTP.Outgoing.Subject = nodeapi.JWTHS256, a.link.Subject
		}
	case linkBTP:
		s.BTP.URL = withoutLogin(a.link.URL)
	case linkListen:
		s.BTP.Incoming = sealed
	case linkLoopback:
		s.Link = nodeapi.LinkLoopback
	case linkPing:
		s.Link = nodeapi.LinkPing
	}
	return nil
}

// uuidOf is the UUID of an account that has nowhere to keep one: of version 8 (RFC 9562), made of its name.
func uuidOf(name string) string {
	b := sha256.Sum256([]byte("paydoor/account-uuid/v1" + name))
	b[6], b[8] = b[6]&0x0f|0x80, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
