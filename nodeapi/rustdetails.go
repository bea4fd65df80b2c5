package nodeapi

// This file reads what interledger-rs calls AccountDetails, an account as POST and PUT /accounts give it: what is left out has its default.

import (
	"fmt"
	"math"
	"strings"

	"golang.org/x/text/unicode/norm"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// readDetails returns old with everything that interledger-rs knows of an account replaced by the body. old is the zero value of a new account.
// A token given as SECRET, as answers have it, stays as it is in old. The errors are *bodyError, *FieldError, ErrSealed and ErrNoKey.
func (a *API) readDetails(f *fields, old Settings) (Settings, error) {
	s := old
	f.require("username", "asset_code", "asset_scale")
	name, _ := f.text("username")
	code, _ := f.text("asset_code")
	scale := f.unsigned("asset_scale", 8, 0)
	s.MaxPacket = units(f.unsigned("max_packet_amount", 64, 1))
	s.AmountPerMinute = units(f.unsigned("amount_per_minute_limit", 64, 1))
	s.PacketsPerMinute = small(f.unsigned("packets_per_minute_limit", 32, 1))
	s.RoundTrip = small(f.unsigned("round_trip_time", 32, 1))
	s.MinBalance = f.signed("min_balance", math.MinInt64)
	s.SettleThreshold = f.signed("settle_threshold", math.MinInt64)
	s.SettleTo = f.signed("settle_to", math.MinInt64)
	address, _ := f.text("ilp_address")
	relation, hasRelation := f.text("routing_relation")
	engine, _ := f.text("settlement_engine_url")
	s.HTTP, s.BTP = HTTPLink{}, BTPLink{}
	err := a.readLinks(f, &s, old)
	if old.ID == "" {
		f.refuseShown("ilp_over_http_incoming_token", "ilp_over_http_outgoing_token", "ilp_over_btp_incoming_token", "ilp_over_btp_outgoing_token")
	}
	if wrong := f.err(); wrong != nil {
		return s, wrong
	}
	if err != nil {
		return s, err
	}
	s.ID, s.Asset, s.Address = ilpcore.AccountID(norm.NFKC.String(name)), Asset{Code: strings.ToUpper(code), Scale: uint8(*scale)}, ilpcore.Address(address)
	if s.Engine.URL != engine {
		s.Engine = Engine{URL: engine}
	}
	if s.Relation, err = parseRoutingRelation(relation, hasRelation); err != nil {
		return s, err
	}
	a.giveAddress(&s)
	return s, a.checkDetails(s)
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

func parseRoutingRelation(word string, given bool) (string, error) {
	if !given {
		return connector.NonRouting.String(), nil
	}
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
	if s.Engine.URL != "" {
		if err := a.checkEngineURL("settlement_engine_url", s.Engine.URL, false, "http", "https"); err != nil {
			return err
		}
	}
	return checkThreshold(s)
}

func checkThreshold(s Settings) error {
	if s.SettleThreshold != nil && s.SettleTo != nil && *s.SettleThreshold < *s.SettleTo {
		return &FieldError{Field: "settle_to", Why: "it is not above settle_threshold"}
	}
	return nil
}
