package interop

// This file lets unmodified ilp-fetch pay the gateway: PSK2 and STREAM, GET and POST, over both kinds of link.

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// fetchOptions are those of peers/pay.js.
type fetchOptions struct {
	Server   string            `json:"server"`
	URL      string            `json:"url"`
	MaxPrice string            `json:"maxPrice"`
	Method   string            `json:"method"`
	Body     string            `json:"body,omitempty"`
	Headers  map[string]string `json:"headers,omitempty"`
}

// fetched is what peers/pay.js prints. Price is the client's own word, and only for STREAM; Spent is what its link says.
type fetched struct {
	Error           string
	Status          int
	Pay, PayBalance string
	Body            string
	Price           string
	Spent           uint64 `json:",string"`
}

func pay(t *testing.T, options fetchOptions) fetched {
	t.Helper()
	var result fetched
	run(t, "pay.js", options, &result)
	return result
}

// market is what the connector takes and how it counts: what a payer's unit is worth at the gateway is its rate.
type market struct {
	name    string
	options connectorOptions
	rate    [2]uint64 // as a fraction
	price   uint64
	methods []string
}

var (
	both    = []string{"psk2", "stream"}
	markets = []market{
		{"one to one", connectorOptions{}, [2]uint64{1, 1}, 10, both},
		{"the connector keeps 1 percent", connectorOptions{Spread: 0.01}, [2]uint64{99, 100}, 1000, both},
		{"a payer's unit is worth 1000", connectorOptions{PayerScale: 6}, [2]uint64{1000, 1}, 10, both},
		{"packets of at most 300", connectorOptions{MaxPacketAmount: "300"}, [2]uint64{1, 1}, 900, []string{"stream"}}, // PSK2 has one packet
	}
)

func TestFetchPays(t *testing.T) {
	needNode(t)
	for _, link := range []string{"btp", "http"} {
		for _, m := range markets {
			t.Run(link+", "+m.name, func(t *testing.T) { testFetchPays(t, link, m) })
		}
	}
}

func testFetchPays(t *testing.T, link string, m market) {
	backend := newBackend(t)
	config := gatewayConfig{sites: []string{paidSite(m.price, backend)}}
	var conn *connector
	if link == "http" {
		conn = uplinkByHTTP(t, m.options, &config)
	} else {
		conn = startConnector(t, m.options)
		config.accounts = []string{dialledUplink(conn)}
	}
	g := newGateway(t, config)

	for _, method := range m.methods {
		for _, verb := range []string{"GET", "POST"} {
			t.Run(method+" "+verb, func(t *testing.T) {
				options := fetchOptions{Server: conn.Payers, URL: g.url(0) + "echo", MaxPrice: "5000", Method: verb,
					Headers: map[string]string{"Pay-Accept": "interledger-" + method}}
				if verb == "POST" {
					options.Body = strings.Repeat("a body that is sent twice, ", 1000)
				}
				before, _ := conn.delivered()
				got := pay(t, options)
				after, _ := conn.delivered()
				checkFetched(t, got, options, m, after-before)
			})
		}
	}
}

// checkFetched wants the paid answer, the surplus in Pay-Balance, and no more spent than the price costs.
func checkFetched(t *testing.T, got fetched, options fetchOptions, m market, credited uint64) {
	t.Helper()
	if got.Error != "" {
		t.Fatalf("ilp-fetch failed: %s", got.Error)
	}
	if got.Status != 200 || got.Body != options.Method+" "+options.Body {
		t.Errorf("status %d, body %.80q", got.Status, got.Body)
	}
	if want := options.Headers["Pay-Accept"]; !strings.HasPrefix(got.Pay, want+" ") {
		t.Errorf("Pay is %q, but Pay-Accept asked for %s", got.Pay, want)
	}
	if want := strconv.FormatUint(credited-m.price, 10); got.PayBalance != want {
		t.Errorf("%d was credited for a price of %d, but Pay-Balance is %q", credited, m.price, got.PayBalance)
	}
	if most := (m.price*m.rate[1] + m.rate[0] - 1) / m.rate[0]; got.Spent > most {
		t.Errorf("ilp-fetch spent %d, but the price costs at most %d", got.Spent, most)
	}
}

// paidSite is a site whose every path costs price, in front of a backend.
func paidSite(price uint64, b *backend) string {
	return fmt.Sprintf("\tpaywall {\n\t\tprice %d\n\t}\n\treverse_proxy %s", price, b.address)
}

// dialledUplink is a parent account over BTP that the gateway dials.
func dialledUplink(conn *connector) string {
	return fmt.Sprintf("\t\taccount uplink {\n\t\t\trelation parent\n\t\t\tasset USD 9\n\t\t\tbtp %s\n\t\t}", withToken(conn.Gateways, newSecret()))
}

// withToken puts a token into a BTP URL, with no user: "btp+ws://:token@host:port".
func withToken(url, token string) string { return strings.Replace(url, "://", "://:"+token+"@", 1) }

// uplinkByHTTP starts a connector that has the gateway as its child over ILP-over-HTTP, and adds the gateway's end to config.
func uplinkByHTTP(t *testing.T, options connectorOptions, config *gatewayConfig) *connector {
	t.Helper()
	config.nodePort = freePort(t)
	toGateway, fromGateway := newSecret(), newSecret()
	options.HTTP = &httpOptions{
		URL:      fmt.Sprintf("http://127.0.0.1:%d/accounts/uplink/ilp", config.nodePort),
		Incoming: fromGateway,
		Outgoing: toGateway,
	}
	conn := startConnector(t, options)
	config.accounts = append(config.accounts, fmt.Sprintf(
		"\t\taccount uplink {\n\t\t\trelation parent\n\t\t\tasset USD 9\n\t\t\thttp %s {\n\t\t\t\tincoming simple %s\n\t\t\t\toutgoing simple %s\n\t\t\t}\n\t\t}",
		conn.HTTP, toGateway, fromGateway))
	return conn
}
