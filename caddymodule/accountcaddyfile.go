package caddymodule

// This file reads an account of the ilp block, and its link.

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// readAccount reads
//
//	account NAME {
//		relation  parent|peer|child|local|non_routing
//		asset     CODE SCALE
//		btp       btp+wss://USER:TOKEN@HOST
//		btp       listen [USER] TOKEN
//		http [URL] {
//			incoming simple TOKEN
//			incoming jwt_hs256 [SUBJECT] SECRET
//			allow_jwt_without_exp
//			outgoing simple TOKEN
//			outgoing jwt_hs256 SUBJECT SECRET
//		}
//		headers [URL] { ... as http ... }
//		loopback
//		ping
//		address             ILP_ADDRESS
//		segment             SEGMENT
//		max_packet          AMOUNT
//		packets_per_minute  COUNT
//		max_in_flight       COUNT
//		amount_per_minute   AMOUNT
//		round_trip          DURATION
//		min_balance         BALANCE
//		settle_threshold    BALANCE
//		settle_to           BALANCE
//		settlement_engine   URL
//		send_routes         on|off
//		receive_routes      on|off
//	}
func readAccount(d *caddyfile.Dispenser) (*Account, error) {
	l := newLines(d)
	name, err := l.one("account uplink {")
	if err != nil {
		return nil, err
	}
	account := &Account{Name: name}
	account.keep(l, "account")
	if err := checkAccountName(name); err != nil {
		return nil, l.WrapErr(err)
	}
	start := *d
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := l.once(); err != nil {
			return nil, err
		}
		account.note(l, d.Val())
		if err := account.readOption(l, d.Val()); err != nil {
			return nil, err
		}
	}
	if err := account.check(); err != nil {
		return nil, start.WrapErr(err)
	}
	return account, nil
}

func (a *Account) readOption(l lines, option string) (err error) {
	switch option {
	case "relation":
		if a.Relation, err = l.one("relation child"); err == nil {
			err = checkRelation(a.Relation)
			if err != nil {
				err = l.WrapErr(err)
			}
		}
	case "asset":
		a.Asset, err = l.asset("asset USD 9")
	case "btp":
		err = a.readBTP(l)
	case "http":
		a.HTTP, err = a.readHTTP(l)
	case "headers":
		a.Headers, err = a.readHTTP(l)
	case linkLoopback:
		a.Loopback, err = true, l.none(linkLoopback)
	case linkPing:
		a.Ping, err = true, l.none(linkPing)
	case "address":
		a.Address, err = l.one("address test.bob")
	case "segment":
		a.Segment, err = l.one("segment bob")
	default:
		return a.readLimit(l, option)
	}
	return err
}

func (a *Account) readLimit(l lines, option string) (err error) {
	switch option {
	case "max_packet":
		a.MaxPacket, err = l.number("max_packet 1000000")
	case "packets_per_minute":
		a.PacketsPerMinute, err = l.count("packets_per_minute 6000")
	case "max_in_flight":
		a.MaxInFlight, err = l.count("max_in_flight 100")
	case "amount_per_minute":
		a.AmountPerMinute, err = l.number("amount_per_minute 1000000")
	case "round_trip":
		a.RoundTrip, err = l.duration("round_trip 500ms", checkRoundTrip)
	case "min_balance":
		a.MinBalance, err = l.signed("min_balance -1000")
	case "settle_threshold":
		a.SettleThreshold, err = l.signed("settle_threshold 1000")
	case "settle_to":
		a.SettleTo, err = l.signed("settle_to 0")
	case "settlement_engine":
		a.SettlementEngine, err = l.one("settlement_engine http://localhost:3000")
		if err == nil {
			if err = a.checkEngine(); err != nil {
				err = l.WrapErr(err)
			}
		}
	case "send_routes":
		a.SendRoutes, err = l.onOff("send_routes on, or send_routes off")
	case "receive_routes":
		a.ReceiveRoutes, err = l.onOff("receive_routes on, or receive_routes off")
	default:
		return l.unknown("relation", "asset", "btp", "http", "headers", "loopback", "ping", "address", "segment", "max_packet", "packets_per_minute",
			"max_in_flight", "amount_per_minute", "round_trip", "min_balance", "settle_threshold", "settle_to", "settlement_engine", "send_routes", "receive_routes")
	}
	return err
}

func (a *Account) readBTP(l lines) error {
	args := l.RemainingArgs()
	switch {
	case len(args) == 1 && args[0] != "listen":
		a.BTP = &BTPLink{URL: args[0]}
	case len(args) == 2 && args[0] == "listen":
		a.BTP = &BTPLink{Listen: &BTPListen{Token: args[1]}}
	case len(args) == 3 && args[0] == "listen":
		a.BTP = &BTPLink{Listen: &BTPListen{User: args[1], Token: args[2]}}
	case len(args) > 0 && args[0] == "listen":
		return l.usage("btp listen {env.TOKEN}, or btp listen USER {env.TOKEN}")
	default:
		return l.usage("btp btp+wss://USER:{env.TOKEN}@connector.example to dial, or btp listen {env.TOKEN} to be dialled")
	}
	if err := a.BTP.check(); err != nil {
		return l.WrapErr(err)
	}
	return nil
}

// readHTTP reads the block http or headers.
func (a *Account) readHTTP(l lines) (*HTTPLink, error) {
	link := new(HTTPLink)
	option := l.Val()
	switch args := l.RemainingArgs(); len(args) {
	case 0:
	case 1:
		link.URL = args[0]
	default:
		return nil, l.usage(option + " https://connector.example/accounts/NAME/ilp {")
	}
	withoutExp := false
	for nesting := l.Nesting(); l.NextBlock(nesting); {
		switch l.Val() {
		case "incoming":
			a.note(l, incomingLine(len(link.Incoming)))
			credential, err := readCredential(l)
			if err != nil {
				return nil, err
			}
			link.Incoming = append(link.Incoming, credential)
		case "outgoing":
			if link.Outgoing != nil {
				return nil, l.Err("there are two outgoing credentials, and only one can be sent: keep one of the two")
			}
			a.note(l, "outgoing")
			credential, err := readCredential(l)
			if err != nil {
				return nil, err
			}
			link.Outgoing = &credential
		case "allow_jwt_without_exp":
			if err := l.none("allow_jwt_without_exp"); err != nil {
				return nil, err
			}
			withoutExp = true
		default:
			return nil, l.unknown("incoming", "outgoing", "allow_jwt_without_exp")
		}
	}
	return link, link.allowWithoutExp(l, withoutExp)
}

// allowWithoutExp spreads the option over the credentials that it is about.
func (h *HTTPLink) allowWithoutExp(l lines, allowed bool) error {
	if !allowed {
		return nil
	}
	found := false
	for i := range h.Incoming {
		if h.Incoming[i].Type == credentialJWT {
			h.Incoming[i].AllowWithoutExp, found = true, true
		}
	}
	if !found {
		return l.Err("allow_jwt_without_exp is about incoming jwt_hs256, which there is not: remove it, or write incoming jwt_hs256 SUBJECT {env.SECRET}")
	}
	return nil
}

// readCredential reads the line incoming or outgoing.
func readCredential(l lines) (Credential, error) {
	direction := l.Val()
	simple := direction + " simple {env.TOKEN}"
	jwt := direction + " jwt_hs256 SUBJECT {env.SECRET}"
	args := l.RemainingArgs()
	var c Credential
	switch {
	case len(args) == 2 && args[0] == credentialSimple:
		c = Credential{Type: credentialSimple, Secret: args[1]}
	case len(args) == 3 && args[0] == credentialJWT:
		c = Credential{Type: credentialJWT, Subject: args[1], Secret: args[2]}
	case len(args) == 2 && args[0] == credentialJWT && direction == "incoming":
		c = Credential{Type: credentialJWT, Secret: args[1]}
	case len(args) > 0 && args[0] == credentialSimple:
		return c, l.usage(simple)
	case len(args) > 0 && args[0] == credentialJWT:
		return c, l.usage(jwt)
	case len(args) > 0 && args[0] == "jwt_rs256":
		return c, l.later(args[0], "write "+jwt+", or "+simple)
	default:
		return c, l.usage(simple + ", or " + jwt)
	}
	return c, nil
}
