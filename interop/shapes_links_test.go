package interop

// This file is the four ways in which a gateway hangs below a connector: who opens the link, in which protocol, and who shows what.

import (
	"fmt"
	"testing"
)

// shape is one way. The connector is always the parent: the gateway learns its address from it (ILDCP).
type shape struct {
	name string
	// prepare tells the connector its end of the link to the gateway's ilp_node, which listens on host. It returns what the gateway's
	// account says of the link once the connector listens.
	prepare func(options *connectorSetup, host string) (account func(conn *connector) string)
	// again is set on what differs from another shape only in how the connector speaks: one variant is enough there.
	again bool
}

// shapes are the four of them, some also as connectors with other options speak them.
var shapes = []shape{
	{"BTP, we dial", func(*connectorSetup, string) func(*connector) string {
		return func(conn *connector) string { return "btp " + withToken(conn.Gateways, newSecret()) }
	}, false},
	{"BTP, we are dialled", func(options *connectorSetup, host string) func(*connector) string {
		token := newSecret()
		options.Dial = fmt.Sprintf("btp+ws://uplink:%s@%s/accounts/uplink/ilp/btp", token, host)
		return func(*connector) string { return "btp listen " + token }
	}, false},
	{"BTP, we are dialled at /ilp/btp", func(options *connectorSetup, host string) func(*connector) string {
		token := newSecret()
		options.Dial = fmt.Sprintf("btp+ws://above:%s@%s/ilp/btp", token, host)
		return func(*connector) string { return "btp listen above " + token }
	}, true},
	{"HTTP, bearer tokens", func(options *connectorSetup, host string) func(*connector) string {
		return options.overHTTP(host, "simple %s", "simple %s")
	}, false},
	{"HTTP, JSON web tokens", func(options *connectorSetup, host string) func(*connector) string {
		options.JWT = true
		return options.overHTTP(host, "jwt_hs256 %s", "jwt_hs256 paydoor %s") // ilp-plugin-http's tokens name no subject
	}, false},
	{"HTTP, bearer tokens without Bearer", func(options *connectorSetup, host string) func(*connector) string {
		account := options.overHTTP(host, "simple %s", "simple %s")
		options.HTTP.Old = true
		return account
	}, true},
	{"HTTP, JSON web tokens without Bearer", func(options *connectorSetup, host string) func(*connector) string {
		options.JWT = true
		account := options.overHTTP(host, "jwt_hs256 %s", "jwt_hs256 paydoor %s")
		options.HTTP.Old = true
		return account
	}, true},
	{"HTTP 2, JSON web tokens", func(options *connectorSetup, host string) func(*connector) string {
		options.JWT = true
		account := options.overHTTP(host, "jwt_hs256 %s", "jwt_hs256 paydoor %s")
		options.HTTP.HTTP2 = true
		return account
	}, true},
}

// connectorSetup is all of peers/connector.js's options.
type connectorSetup struct {
	connectorOptions
	GatewayScale int    `json:"gatewayScale,omitempty"`
	Lose         *loss  `json:"lose,omitempty"`
	JWT          bool   `json:"jwt,omitempty"`
	Dial         string `json:"dial,omitempty"`
}

// loss says what the connector loses on purpose, as peers/loss.js describes it.
type loss struct {
	Percent int `json:"percent,omitempty"`
	Answers int `json:"answers,omitempty"`
}

func (c *connectorSetup) overHTTP(host, incoming, outgoing string) func(*connector) string {
	toGateway, fromGateway := newSecret(), newSecret()
	c.HTTP = &httpOptions{URL: fmt.Sprintf("http://%s/accounts/uplink/ilp", host), Incoming: fromGateway, Outgoing: toGateway}
	return func(conn *connector) string {
		return fmt.Sprintf("http %s {\n\t\t\t\tincoming "+incoming+"\n\t\t\t\toutgoing "+outgoing+"\n\t\t\t}", conn.HTTP, toGateway, fromGateway)
	}
}

// start runs a connector of the variant and a gateway below it, linked in this shape, with one site of the variant's price.
func (s shape) start(t *testing.T, v variant, b *backend) (*connector, *gateway) {
	t.Helper()
	config := gatewayConfig{nodePort: freePort(t), sites: []string{paidSite(v.price, b)}}
	options := v.connector
	account := s.prepare(&options, fmt.Sprintf("127.0.0.1:%d", config.nodePort))
	conn := new(connector)
	conn.peer = startPeer(t, "connector.js", options, conn)
	config.accounts = []string{fmt.Sprintf("\t\taccount uplink {\n\t\t\trelation parent\n\t\t\tasset USD %d\n\t\t\t%s\n\t\t}", v.scale(), account(conn))}
	config.scale = v.scale()
	g := newGateway(t, config)
	conn.ask("linked", new(struct{}))
	return conn, g
}
