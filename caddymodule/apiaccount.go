package caddymodule

// This file turns an account as the API keeps it into what the node and its links take, and finds what is wrong with it.

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/payer"
)

// The names of settings in errors: those of the JSON that is kept.
const (
	fieldHTTPURL      = "http.url"
	fieldHTTPIncoming = "http.incoming"
	fieldHTTPOutgoing = "http.outgoing"
	fieldBTPURL       = "btp.url"
	fieldBTPIncoming  = "btp.incoming"
	fieldBTPOutgoing  = "btp.outgoing"
)

// resolveAPI returns what s asks for. The errors are *nodeapi.FieldError and hold no secret.
func (r *running) resolveAPI(s nodeapi.Settings) (a accountSettings, err error) {
	if !nodeapi.ValidID(string(s.ID)) {
		return a, mistake("id", "an account's name has 1 to 64 letters, digits, and any of - _ . ~")
	}
	if a.Relation, err = connector.ParseRelation(s.Relation); err != nil {
		return a, mistake("relation", err.Error())
	}
	if a.Relation == connector.Parent && r.settings.sandbox {
		return a, mistake("relation", errPlayMoney.Error())
	}
	a.ID, a.UUID, a.Asset, a.Address, a.Segment = s.ID, s.UUID, ilpcore.Asset(s.Asset), s.Address, s.Segment
	if !a.Asset.Valid() {
		return a, mistake("asset", "an asset has a code such as USD, and a scale from 0 to 255")
	}
	a.SendRoutes, a.ReceiveRoutes = a.Relation.Routing()
	if s.SendRoutes != nil {
		a.SendRoutes = *s.SendRoutes
	}
	if s.ReceiveRoutes != nil {
		a.ReceiveRoutes = *s.ReceiveRoutes
	}
	if err := limitsOf(s, &a); err != nil {
		return a, err
	}
	return a, r.resolveLinks(s, &a)
}

func mistake(field, why string) error { return &nodeapi.FieldError{Field: field, Why: why} }

// limitsOf fills in the limits. A limit of 0 would mean none to the node.
func limitsOf(s nodeapi.Settings, a *accountSettings) error {
	for field, limit := range map[string]*amount.Amount{"max_packet": s.MaxPacket, "amount_per_minute": s.AmountPerMinute} {
		if limit != nil && *limit == 0 {
			return mistake(field, "0 would let nothing through: write at least 1, or leave it out for no limit")
		}
	}
	if s.MaxPacket != nil {
		a.MaxPacketAmount = *s.MaxPacket
	}
	if s.AmountPerMinute != nil {
		a.MaxAmountPerMinute = *s.AmountPerMinute
	}
	if s.PacketsPerMinute != nil {
		if *s.PacketsPerMinute == 0 {
			return mistake("packets_per_minute", "0 would let nothing through: write at least 1, or leave it out for the default")
		}
		a.MaxPacketsPerMinute = int(*s.PacketsPerMinute)
	}
	if s.RoundTrip != nil {
		a.RoundTrip = max(time.Duration(*s.RoundTrip)*time.Millisecond, time.Millisecond)
		if a.RoundTrip > maxRoundTrip {
			return mistake("round_trip", fmt.Sprintf("the way there and back takes at most %d milliseconds", maxRoundTrip.Milliseconds()))
		}
	}
	a.MinBalance, a.SettleThreshold, a.SettleTo = s.MinBalance, s.SettleThreshold, s.SettleTo
	return nil
}

// resolveLinks fills in the links, the one that packets go out by first, and what the neighbour logs in with.
func (r *running) resolveLinks(s nodeapi.Settings, a *accountSettings) error {
	base := linkSettings{
		Account: s.ID, Asset: a.Asset, Parent: a.Relation == connector.Parent, Insecure: r.settings.insecure, Guarded: !r.app.allowPrivate,
	}
	for _, c := range s.HTTP.Incoming {
		secret, err := r.openSecret(c.Secret, fieldHTTPIncoming)
		if err != nil {
			return err
		}
		a.incoming = append(a.incoming, incomingCredential{kind: c.Kind, subject: c.Subject, secret: secret})
	}
	add := func(link linkSettings) {
		link.Parent = link.Parent && len(a.more) == 0 // one link asks for the address
		a.more = append(a.more, link)
	}
	switch s.Link {
	case nodeapi.LinkLoopback, nodeapi.LinkPing:
		if base.Parent {
			return mistake("link", "a parent gives the node its address, and this link leads nowhere")
		}
		base.Kind, base.Guarded = linkPing, false
		if s.Link == nodeapi.LinkLoopback {
			base.Kind = linkLoopback
			base.Simulate = simulated(s.Custom)
		}
		add(base)
	case nodeapi.LinkHTTP, "":
	default:
		return mistake("link", fmt.Sprintf("there is no link type %q: write %s, %s or %s", s.Link, nodeapi.LinkHTTP, nodeapi.LinkLoopback, nodeapi.LinkPing))
	}
	if s.HTTP.URL != "" {
		link, err := r.httpLink(s.HTTP, base)
		if err != nil {
			return err
		}
		add(link)
	}
	return r.btpLinks(s.BTP, base, add)
}

// simulated is what a loopback of the Java connector is to reject with.
func simulated(custom map[string]any) (code ilpcore.Code) {
	text, _ := custom["simulatedRejectErrorCode"].(string)
	if len(text) == len(code) {
		copy(code[:], text)
	}
	return code
}

func (r *running) httpLink(h nodeapi.HTTPLink, link linkSettings) (linkSettings, error) {
	link.Kind, link.URL = linkHTTP, h.URL
	if err := link.checkHost(fieldHTTPURL); err != nil {
		return link, err
	}
	if h.Outgoing == nil {
		link.Outgoing = " " // nothing, as interledger-rs sends; the blank is not sent
		return link, nil
	}
	secret, err := r.openSecret(h.Outgoing.Secret, fieldHTTPOutgoing)
	link.Outgoing = secret
	if h.Outgoing.Kind == nodeapi.JWTHS256 {
		if h.Outgoing.Subject == "" {
			return link, mistake(fieldHTTPOutgoing, "the tokens we sign need a subject")
		}
		link.Subject, link.Lifetime = h.Outgoing.Subject, h.Outgoing.Lifetime
	}
	return link, err
}

// btpLinks adds the link that we dial, and the one that the neighbour may dial.
func (r *running) btpLinks(b nodeapi.BTPLink, base linkSettings, add func(linkSettings)) error {
	if b.URL != "" {
		link, err := r.dialledLink(b, base)
		if err != nil {
			return err
		}
		add(link)
	}
	if b.Incoming == "" {
		return nil
	}
	secret, err := r.openSecret(b.Incoming, fieldBTPIncoming)
	if err != nil {
		return err
	}
	base.Kind, base.Outgoing, base.Insecure, base.Guarded = linkListen, secret, false, false
	add(base)
	return nil
}

// dialledLink takes user and token from the URL, or the token from the setting of its own, which wins.
func (r *running) dialledLink(b nodeapi.BTPLink, link linkSettings) (linkSettings, error) {
	scheme, rest, ok := strings.Cut(strings.TrimPrefix(b.URL, "btp+"), "://")
	if !ok || scheme != "ws" && scheme != "wss" {
		return link, mistake(fieldBTPURL, "a BTP URL begins with btp+wss:// or btp+ws://")
	}
	authority, path := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, path = rest[:i], rest[i:]
	}
	token := ""
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		link.Subject, token, _ = strings.Cut(authority[:at], ":")
		authority = authority[at+1:]
	}
	link.Kind, link.URL = linkBTP, scheme+"://"+authority+path
	if err := link.checkHost(fieldBTPURL); err != nil {
		return link, err
	}
	if b.Outgoing == "" {
		link.Outgoing = token
		return link, r.checkSecret(token, fieldBTPOutgoing)
	}
	secret, err := r.openSecret(b.Outgoing, fieldBTPOutgoing)
	link.Outgoing = secret
	return link, err
}

// checkHost says at once what the guard would say at each dial, where the URL shows it.
func (s linkSettings) checkHost(field string) error {
	u, err := url.Parse(s.URL) // whose error would repeat the URL
	if err != nil || u.Host == "" {
		return mistake(field, "this is no URL with a host")
	}
	if s.Guarded && !payer.PublicHost(u.Hostname()) {
		return mistake(field, u.Hostname()+" is not on the public Internet, and the API connects the node to nothing else: the operator may write allow_private into ilp_node")
	}
	return nil
}

func (r *running) openSecret(sealed nodeapi.Sealed, field string) (string, error) {
	secret, err := r.books.keeper.Open(sealed)
	if err != nil {
		return "", mistake(field, "the secret is "+err.Error())
	}
	return secret, r.checkSecret(secret, field)
}

func (r *running) checkSecret(secret, field string) error {
	if err := checkStrength(secret, "the secret", r.settings.weak); err != nil {
		return mistake(field, err.Error())
	}
	return nil
}
