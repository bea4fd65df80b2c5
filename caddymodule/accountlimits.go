package caddymodule

// This file checks and resolves an account's limits, its place in the address space, and its part in routing.

import (
	"errors"
	"fmt"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// maxRoundTrip leaves something of the 30 seconds that a forwarded packet has.
const maxRoundTrip = 10 * time.Second

func checkRoundTrip(d caddy.Duration) error {
	if d <= 0 || time.Duration(d) > maxRoundTrip {
		return fmt.Errorf("round_trip is %s: write how long the way there and back takes, at most %s, such as 500ms", time.Duration(d), maxRoundTrip)
	}
	return nil
}

// checkPlace finds mistakes in address, segment, round trip and routes.
func (a *Account) checkPlace() error {
	switch {
	case a.Address != "" && a.Segment != "":
		return errors.New("both address and segment are set, and the account has one address: keep one of the two")
	case a.Segment != "" && !a.below():
		return fmt.Errorf("a %s has no address below the node's, so it has no segment: remove the line, or write address", a.Relation)
	case a.Segment != "" && !ilpcore.ValidSegment(a.Segment):
		return fmt.Errorf("the segment %q becomes part of an address: use letters, digits, and - _ ~ only", a.Segment)
	case a.Address != "" && a.Relation == relationParent:
		return errors.New("a parent is not below this node, so it has no address here: remove the line; route * leads to it")
	}
	if a.Address != "" {
		if err := checkAddress(a.Address); err != nil {
			return err
		}
	}
	if a.Relation == relationLocal || a.Relation == relationUser {
		if a.SendRoutes != nil || a.ReceiveRoutes != nil {
			return fmt.Errorf("a %s account takes no part in routing: remove send_routes and receive_routes, or write relation child or peer", a.Relation)
		}
	}
	if a.RoundTrip != 0 {
		return checkRoundTrip(a.RoundTrip)
	}
	return nil
}

// resolveLimits fills in the limits of s.
func (a *Account) resolveLimits(s *accountSettings, r resolver) (err error) {
	if s.MaxPacketAmount, err = r.limit(a.MaxPacket, "max_packet"); err != nil {
		return a.at("max_packet", err)
	}
	if s.MaxAmountPerMinute, err = r.limit(a.AmountPerMinute, "amount_per_minute"); err != nil {
		return a.at("amount_per_minute", err)
	}
	for _, balance := range []struct {
		name  string
		value SignedNumber
		into  **int64
	}{
		{"min_balance", a.MinBalance, &s.MinBalance}, {"settle_threshold", a.SettleThreshold, &s.SettleThreshold}, {"settle_to", a.SettleTo, &s.SettleTo},
	} {
		if *balance.into, err = balance.value.resolve(r, balance.name); err != nil {
			return a.at(balance.name, err)
		}
	}
	s.MaxPacketsPerMinute, s.MaxInFlight, s.RoundTrip = a.PacketsPerMinute, a.MaxInFlight, time.Duration(a.RoundTrip)
	if err := a.checkSettlement(s); err != nil {
		return a.at(a.placed("settle_threshold", "settle_to", "account"), err)
	}
	return nil
}

// checkSettlement is about both balances together, which are known only now.
func (a *Account) checkSettlement(s *accountSettings) error {
	switch {
	case s.SettleTo != nil && a.SettleThreshold == "":
		return errors.New("settle_to needs settle_threshold, which says from which balance on the node pays: write settle_threshold 1000")
	case s.SettleThreshold == nil:
		return nil
	}
	if s.SettleTo == nil && a.SettleTo == "" {
		s.SettleTo = new(int64)
	}
	if s.SettleTo != nil && *s.SettleThreshold < *s.SettleTo {
		return fmt.Errorf("settle_threshold is %d and below settle_to, which is %d: the node would pay only to owe less than nothing; write a threshold above it",
			*s.SettleThreshold, *s.SettleTo)
	}
	return nil
}

// limit is amount for what lets something through: 0 would mean none to the node.
func (r resolver) limit(n Number, what string) (amount.Amount, error) {
	value, err := r.amount(n, what)
	if err == nil && n != "" && value == 0 && !r.unknown(string(n)) {
		return 0, fmt.Errorf("%s is 0, and nothing could come through: write an amount, or leave the line out for no limit", what)
	}
	return value, err
}
