package nodeapi

// This file writes an account as interledger-rs does.

import (
	"strconv"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// rustAccount is an account in answers. What is not set is null; tokens are SECRET whether they are set or not.
type rustAccount struct {
	ID        string            `json:"id"`
	Username  ilpcore.AccountID `json:"username"`
	Address   *string           `json:"ilp_address"` // null of an account without one, and while the node has none
	AssetCode string            `json:"asset_code"`
	Scale     uint8             `json:"asset_scale"`

	MaxPacket  amountNumber `json:"max_packet_amount"` // the largest number there is: no maximum
	MinBalance *int64       `json:"min_balance"`

	HTTPURL      *string `json:"ilp_over_http_url"`
	HTTPIncoming string  `json:"ilp_over_http_incoming_token"`
	HTTPOutgoing string  `json:"ilp_over_http_outgoing_token"`
	BTPURL       *string `json:"ilp_over_btp_url"`
	BTPIncoming  string  `json:"ilp_over_btp_incoming_token"`
	BTPOutgoing  string  `json:"ilp_over_btp_outgoing_token"`

	SettleThreshold  *int64        `json:"settle_threshold"`
	SettleTo         *int64        `json:"settle_to"`
	Relation         string        `json:"routing_relation"`
	RoundTrip        uint32        `json:"round_trip_time"` // milliseconds
	AmountPerMinute  *amountNumber `json:"amount_per_minute_limit"`
	PacketsPerMinute *uint32       `json:"packets_per_minute_limit"`
	EngineURL        *string       `json:"settlement_engine_url"`
}

// amountNumber is an amount as a JSON number. amount.Amount is a string there.
type amountNumber amount.Amount

func (n amountNumber) MarshalJSON() ([]byte, error) {
	return strconv.AppendUint(nil, uint64(n), 10), nil
}

// rustAccount returns s for an answer.
func (a *API) rustAccount(s Settings) rustAccount {
	shown := rustAccount{
		ID: s.UUID, Username: s.ID, Address: filled(a.addressOf(s)), AssetCode: a.shownAsset(s).Code, Scale: a.shownAsset(s).Scale,
		MaxPacket: amountNumber(amount.Max), MinBalance: s.MinBalance,
		HTTPURL: filled(s.HTTP.URL), HTTPIncoming: shownSecret, HTTPOutgoing: shownSecret,
		BTPURL: filled(s.BTP.URL), BTPIncoming: shownSecret, BTPOutgoing: shownSecret,
		SettleThreshold: s.SettleThreshold, SettleTo: s.SettleTo,
		Relation: routingRelation(s.Relation), RoundTrip: uint32(connector.DefaultRoundTrip.Milliseconds()), PacketsPerMinute: s.PacketsPerMinute,
		EngineURL: filled(a.EngineOf(s).URL),
	}
	if s.MaxPacket != nil {
		shown.MaxPacket = amountNumber(*s.MaxPacket)
	}
	if s.RoundTrip != nil {
		shown.RoundTrip = *s.RoundTrip
	}
	if s.AmountPerMinute != nil {
		n := amountNumber(*s.AmountPerMinute)
		shown.AmountPerMinute = &n
	}
	return shown
}

// filled returns nil for "".
func filled(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func (a *API) addressOf(s Settings) string {
	if s.Address != "" {
		return string(s.Address)
	}
	address, _ := a.node.AddressOf(s.ID)
	return string(address)
}

// shownAsset is the account's asset: the node's own where the Caddyfile gives it none.
func (a *API) shownAsset(s Settings) Asset {
	if s.Asset != (Asset{}) {
		return s.Asset
	}
	_, asset, _ := a.node.Address()
	return Asset(asset)
}

// routingRelation returns interledger-rs' word; a party inside this process is a user like others.
func routingRelation(word string) string {
	for name, relation := range routingRelations {
		if word == relation.String() {
			return name
		}
	}
	return "NonRoutingAccount"
}
