package nodeapi

// This file reads what interledger-rs calls AccountDetails, an account as POST and PUT /accounts give it: what is left out has its default, or in a
// merge patch stays.

import (
	"fmt"
	"math"
	"mime"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// mergePatch is the media type of a PUT that changes what it gives and leaves the rest (RFC 7396).
const mergePatch = "application/merge-patch+json"

func (r *request) isMergePatch() bool {
	media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && media == mergePatch
}

// defaults give what interledger-rs knows of an account its default, by member.
var defaults = map[string]func(s *Settings){
	"ilp_address":                  func(s *Settings) { s.Address = "" },
	"max_packet_amount":            func(s *Settings) { s.MaxPacket = nil },
	"min_balance":                  func(s *Settings) { s.MinBalance = nil },
	"ilp_over_http_url":            func(s *Settings) { s.HTTP.URL = "" },
	"ilp_over_http_incoming_token": func(s *Settings) { s.HTTP.Incoming = nil },
	"ilp_over_http_outgoing_token": func(s *Settings) { s.HTTP.Outgoing = nil },
	"ilp_over_btp_url":             func(s *Settings) { s.BTP.URL = "" },
	"ilp_over_btp_incoming_token":  func(s *Settings) { s.BTP.Incoming = "" },
	"ilp_over_btp_outgoing_token":  func(s *Settings) { s.BTP.Outgoing = "" },
	"settlement_engine_url": func(s *Settings) {
		if s.Engine.URL != "" {
			s.Engine = Engine{}
		}
	},
	"settle_threshold":         func(s *Settings) { s.SettleThreshold = nil },
	"settle_to":                func(s *Settings) { s.SettleTo = nil },
	"routing_relation":         func(s *Settings) { s.Relation = connector.NonRouting.String() },
	"round_trip_time":          func(s *Settings) { s.RoundTrip = nil },
	"amount_per_minute_limit":  func(s *Settings) { s.AmountPerMinute = nil },
	"packets_per_minute_limit": func(s *Settings) { s.PacketsPerMinute = nil },
}

// readDetails returns old with everything that interledger-rs knows of an account replaced by the body. old is the zero value of a new account.
// A token given as SECRET, as answers have it, stays as it is in old. The errors are *bodyError, *FieldError, ErrSealed and ErrNoKey.
func (a *API) readDetails(f *fields, old Settings) (Settings, error) {
	s := old
	s.ID, s.Asset = "", Asset{}
	for _, clear := range defaults {
		clear(&s)
	}
	f.require("username", "asset_code", "asset_scale")
	if old.ID == "" {
		f.refuseShown("ilp_over_http_incoming_token", "ilp_over_http_outgoing_token", "ilp_over_btp_incoming_token", "ilp_over_btp_outgoing_token")
	}
	if err := a.readGiven(f, &s, old); err != nil {
		return s, err
	}
	a.giveAddress(&s)
	return s, a.checkDetails(s)
}

// mergeDetails is readDetails of a body in mergePatch: null gives a member its default, and what is left out stays.
func (a *API) mergeDetails(f *fields, old Settings) (Settings, error) {
	s := old
	for name, raw := range f.members {
		if clear := defaults[name]; clear != nil && string(raw) == "null" {
			clear(&s)
			delete(f.members, name)
		}
	}
	if err := a.readGiven(f, &s, old); err != nil {
		return s, err
	}
	if s.Address != old.Address || s.Relation != old.Relation {
		a.giveAddress(&s)
	}
	return s, a.checkDetails(s)
}

// readGiven puts into s what the body gives. The errors are those of readDetails.
func (a *API) readGiven(f *fields, s *Settings, old Settings) (err error) {
	if name, given := f.text("username"); given {
		s.ID = ilpcore.AccountID(norm.NFKC.String(name))
	}
	if code, given := f.text("asset_code"); given && strings.EqualFold(code, old.Asset.Code) {
		s.Asset.Code = old.Asset.Code // an account of Java form may have small letters
	} else if given {
		s.Asset.Code = strings.ToUpper(code)
	}
	if scale := f.unsigned("asset_scale", 8, 0); scale != nil {
		s.Asset.Scale = uint8(*scale)
	}
	set(&s.MaxPacket, units(f.unsigned("max_packet_amount", 64, 1)))
	set(&s.AmountPerMinute, units(f.unsigned("amount_per_minute_limit", 64, 1)))
	set(&s.PacketsPerMinute, small(f.unsigned("packets_per_minute_limit", 32, 1)))
	set(&s.RoundTrip, small(f.unsigned("round_trip_time", 32, 1)))
	set(&s.MinBalance, f.signed("min_balance", math.MinInt64))
	set(&s.SettleThreshold, f.signed("settle_threshold", math.MinInt64))
	set(&s.SettleTo, f.signed("settle_to", math.MinInt64))
	if address, given := f.text("ilp_address"); given {
		s.Address = ilpcore.Address(address)
	}
	relation, hasRelation := f.text("routing_relation")
	engine, hasEngine := f.text("settlement_engine_url")
	err = a.readLinks(f, s, old)
	if wrong := f.err(); wrong != nil {
		return wrong
	}
	if hasRelation && err == nil {
		s.Relation, err = parseRoutingRelation(relation)
	}
	if hasEngine && err == nil {
		err = a.giveEngine(s, engine, old)
	}
	return err
}

// set puts what is given into a setting.
func set[T any](to **T, given *T) {
	if given != nil {
		*to = given
	}
}

// giveEngine gives the account an engine, or takes it away with "". The one that it has knows it by the same name as before. The error is a *FieldError.
func (a *API) giveEngine(s *Settings, url string, old Settings) error {
	s.Engine = old.Engine
	if url != old.Engine.URL {
		s.Engine = Engine{URL: url}
	}
	if url == "" {
		return nil
	}
	return a.checkEngineURL("settlement_engine_url", url, false, "http", "https")
}

func units(n *uint64) *amount.Amount {
	if n == nil {
		return nil
	}
	a := amount.Amount(*n)
	return &a
}

func small(n *uint64) *uint32 {
	if n == nil {
		return nil
	}
	v := uint32(*n)
	return &v
}

// routingRelations are the words of interledger-rs.
var routingRelations = map[string]connector.Relation{
	"NonRoutingAccount": connector.NonRouting, "Parent": connector.Parent, "Peer": connector.Peer, "Child": connector.Child,
}

func parseRoutingRelation(word string) (string, error) {
	for name, relation := range routingRelations {
		if strings.EqualFold(word, name) {
			return relation.String(), nil
		}
	}
	return "", &FieldError{Field: "routing_relation", Why: "it is one of NonRoutingAccount, Parent, Peer and Child"}
}

// giveAddress gives a peer without an address the one that interledger-rs would: the node's own, and the name below it. Other accounts
// have theirs from the node, also when that changes.
func (a *API) giveAddress(s *Settings) {
	if s.Address != "" || s.Relation != connector.Peer.String() {
		return
	}
	if own, _, ok := a.node.Address(); ok {
		if address, err := own.With(string(s.ID)); err == nil {
			s.Address = address
		}
	}
}

// checkDetails says which member is wrong of itself. What only the node can tell, it tells when the account is opened.
func (a *API) checkDetails(s Settings) error {
	if !ValidID(string(s.ID)) {
		return &FieldError{Field: "username", Why: "it has 1 to 64 letters, digits and - _ . ~"}
	}
	if !(ilpcore.Asset(s.Asset)).Valid() {
		return &FieldError{Field: "asset_code", Why: "it has 1 to 64 bytes without control characters"}
	}
	if s.Address != "" && !s.Address.Valid() {
		return &FieldError{Field: "ilp_address", Why: fmt.Sprintf("%q is no ILP address", s.Address)}
	}
	return checkThreshold(s)
}

func checkThreshold(s Settings) error {
	if s.SettleThreshold != nil && s.SettleTo != nil && *s.SettleThreshold < *s.SettleTo {
		return &FieldError{Field: "settle_to", Why: "it is not above settle_threshold"}
	}
	return nil
}
