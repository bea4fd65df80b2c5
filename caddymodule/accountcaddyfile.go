package caddymodule

// This file reads an account of the ilp block, and its link.

import (
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

// readAccount reads
//
//	account NAME {
//		relation  parent|peer|child|local
//		asset     CODE SCALE
//		btp       btp+wss://USER:TOKEN@HOST
//		http [URL] {
//			incoming simple TOKEN
//			outgoing simple TOKEN
//		}
//		max_packet          AMOUNT
//		packets_per_minute  COUNT
//		max_in_flight       COUNT
//	}
func readAccount(d *caddyfile.Dispenser) (*Account, error) {
	l := newLines(d)
	name, err := l.one("account uplink {")
	if err != nil {
		return nil, err
	}
	account := &Account{Name: name}
	if err := checkAccountName(name); err != nil {
		return nil, l.WrapErr(err)
	}
	start := *d
	for nesting := d.Nesting(); d.NextBlock(nesting); {
		if err := l.once(); err != nil {
			return nil, err
		}
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
		err = a.readHTTP(l)
	case "headers":
		err = l.later("the headers link", "link the account with http, or with btp")
	case "max_packet":
		a.MaxPacket, err = l.number("max_packet 1000000")
	case "packets_per_minute":
		a.PacketsPerMinute, err = l.count("packets_per_minute 6000")
	case "max_in_flight":
		a.MaxInFlight, err = l.count("max_in_flight 100")
	default:
		return l.unknown("relation", "asset", "btp", "http", "max_packet", "packets_per_minute", "max_in_flight")
	}
	return err
}

func (a *Account) readBTP(l lines) error {
	const usage = "btp btp+wss://USER:{env.TOKEN}@connector.example"
	args := l.RemainingArgs()
	if len(args) > 0 && args[0] == "listen" {
		return l.later("btp listen", "dial the other node instead ("+usage+"), or link it with http")
	}
	if len(args) != 1 {
		return l.usage(usage)
	}
	a.BTP = &BTPLink{URL: args[0]}
	return nil
}

func (a *Account) readHTTP(l lines) error {
	link := new(HTTPLink)
	switch args := l.RemainingArgs(); len(args) {
	case 0:
	case 1:
		link.URL = args[0]
	default:
		return l.usage("http https://connector.example/accounts/NAME/ilp {")
	}
	a.HTTP = link
	for nesting := l.Nesting(); l.NextBlock(nesting); {
		switch l.Val() {
		case "incoming":
			credential, err := readCredential(l)
			if err != nil {
				return err
			}
			link.Incoming = append(link.Incoming, credential)
		case "outgoing":
			if link.Outgoing != nil {
				return l.Err("there are two outgoing credentials, and only one can be sent: keep one of the two")
			}
			credential, err := readCredential(l)
			if err != nil {
				return err
			}
			link.Outgoing = &credential
		default:
			return l.unknown("incoming", "outgoing")
		}
	}
	return nil
}

func readCredential(l lines) (Credential, error) {
	usage := l.Val() + " simple {env.TOKEN}"
	args := l.RemainingArgs()
	switch {
	case len(args) > 0 && (args[0] == "jwt_hs256" || args[0] == "jwt_rs256"):
		return Credential{}, l.later(args[0], "write "+usage)
	case len(args) != 2 || args[0] != credentialSimple:
		return Credential{}, l.usage(usage)
	}
	return Credential{Type: credentialSimple, Secret: args[1]}, nil
}
