package caddymodule

// This file declares an account of the node: a neighbour, the link to it, and its limits.

import "github.com/caddyserver/caddy/v2"

// Account is a neighbour of the node. Its name is what packets from its link are attributed to.
type Account struct {
	// Name has 1 to 64 letters, digits, and any of - _ . ~
	Name string `json:"name"`
	// Relation is "parent" (gives the node its address, and gets what routes send there: "*" for everything else), "peer", "child" (gets
	// an address below the node's), "local" (a wallet on this node) or "non_routing" (a user of this node, who has an address like a
	// child and takes no part in routing).
	Relation string `json:"relation"`
	// Asset is what the account counts in. Default: the node's.
	Asset *Asset `json:"asset,omitempty"`

	// BTP links by BTP over WebSocket: this node dials, or is dialled. An account has one link at most.
	BTP *BTPLink `json:"btp,omitempty"`
	// HTTP links by ILP over HTTP (RFC 35).
	HTTP *HTTPLink `json:"http,omitempty"`
	// Headers links by draft 1 of ILP over HTTP, whose packets are in ILP-* headers.
	Headers *HTTPLink `json:"headers,omitempty"`
	// Loopback is a link that leads nowhere, to try out an account: it fulfils what is sent to it with 32 zero bytes. Default: false.
	Loopback bool `json:"loopback,omitempty"`
	// Ping is a link that fulfils pings, and nothing else. Default: false.
	Ping bool `json:"ping,omitempty"`

	// Address is the account's ILP address. Default: the node's and Segment for those that have one below it, else none.
	Address string `json:"address,omitempty"`
	// Segment is what follows the node's address in that of a child, a local or a non_routing account. Default: the name.
	Segment string `json:"segment,omitempty"`

	// MaxPacket is the largest amount of one packet from the account. Default: no maximum.
	MaxPacket Number `json:"max_packet,omitempty"`
	// PacketsPerMinute is how many packets it may send. Default: 10000.
	PacketsPerMinute int `json:"packets_per_minute,omitempty"`
	// MaxInFlight is how many of its packets may be under way at once. Default: 1000.
	MaxInFlight int `json:"max_in_flight,omitempty"`
	// AmountPerMinute is how much it may send in a minute. Default: no maximum.
	AmountPerMinute Number `json:"amount_per_minute,omitempty"`
	// RoundTrip is how long the way to its other end and back takes, at most 10s: packets that are forwarded expire earlier by the
	// round trips of both accounts. Default: 500ms.
	RoundTrip caddy.Duration `json:"round_trip,omitempty"`
	// MinBalance is how low its balance may fall: with "-1000" it may owe the node 1000. Default: no minimum.
	MinBalance SignedNumber `json:"min_balance,omitempty"`
	// SettleThreshold is the balance from which on the node pays what it owes. Default: never.
	SettleThreshold SignedNumber `json:"settle_threshold,omitempty"`
	// SettleTo is the balance that such a payment leaves. Default: 0.
	SettleTo SignedNumber `json:"settle_to,omitempty"`
	// SettlementEngine is the URL of the engine (RFC 38) that settles with the account. It may be on this machine and on a private network.
	// Default: the one that the node's API has for the asset, if any.
	SettlementEngine string `json:"settlement_engine,omitempty"`
	// SendRoutes is whether the node tells it the routes that it knows (CCP). Default: of a peer or child.
	SendRoutes *bool `json:"send_routes,omitempty"`
	// ReceiveRoutes is whether the node asks it for routes and takes them (CCP). Default: of a peer.
	ReceiveRoutes *bool `json:"receive_routes,omitempty"`

	origin
}

// BTPLink is a connection that this node dials and keeps up, with URL, or that the neighbour dials, with Listen.
type BTPLink struct {
	// URL is btp+wss://USER:TOKEN@HOST/PATH, or btp+ws:// on one's own machine. User and token go out exactly as written.
	URL string `json:"url,omitempty"`
	// Listen lets the neighbour dial /ilp/btp or /accounts/NAME/ilp/btp of ilp_node.
	Listen *BTPListen `json:"listen,omitempty"`
}

// BTPListen is what the neighbour logs in with. A new login takes the place of its connection.
type BTPListen struct {
	// User is the auth_username that the neighbour may send besides the account's name. Default: none. It may also send none.
	User string `json:"user,omitempty"`
	// Token is the auth_token, or a placeholder for it.
	Token string `json:"token"`
}

// HTTPLink posts packets to URL and takes those that come to the node's own /accounts/NAME/ilp, or /ilp, or in headers also /, with an
// Incoming secret.
type HTTPLink struct {
	// URL is where packets go out to. Default: none go out, as suits an account that only pays.
	URL string `json:"url,omitempty"`
	// Incoming are the credentials that the neighbour may send; several while a secret is being changed.
	Incoming []Credential `json:"incoming,omitempty"`
	// Outgoing is the credential that we send. It is required with URL.
	Outgoing *Credential `json:"outgoing,omitempty"`
}

// Credential proves who is at the other end of a link.
type Credential struct {
	// Type is "simple": the secret itself is the bearer token; or "jwt_hs256": the bearer token is a JSON Web Token, signed with the
	// secret. Default: "simple".
	Type string `json:"type,omitempty"`
	// Subject is the sub claim of a JSON Web Token: the one that we send, or the one that is required. Incoming, the default is any.
	Subject string `json:"subject,omitempty"`
	// Secret is the token or the key, or a placeholder for it. A key is the text's own bytes, unless that begins with "base64:".
	Secret string `json:"secret"`
	// AllowWithoutExp takes incoming JSON Web Tokens that never expire. Default: false.
	AllowWithoutExp bool `json:"allow_without_exp,omitempty"`
}
