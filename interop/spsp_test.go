package interop

// This file is SPSP in both directions: the wallets of other people pay our payment pointers, of an account and of a token, and we pay an
// SPSP server of theirs; receipts are asked for and verified at both ends.

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	paying "github.com/paydoor/paydoor/payer"
)

// hosts are sites of a gateway under names, at ports of their own: an address for each name.
type hosts map[string]string

// newHosts makes sites with TLS of the texts, by host, and says where they are.
func newHosts(t *testing.T, sites map[string]string) (at hosts, more string) {
	at = hosts{}
	for host, site := range sites {
		port := freePort(t)
		at[host] = fmt.Sprintf("127.0.0.1:%d", port)
		more += fmt.Sprintf("\nhttps://%s:%d {\n\tbind 127.0.0.1\n\ttls internal\n%s\n}\n", host, port, site)
	}
	return at, more
}

// client is one that finds the hosts, and trusts the gateway's authority. It waits until each has its certificate.
func (h hosts) client(t *testing.T, trust *tls.Config) *http.Client {
	t.Helper()
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return new(net.Dialer).DialContext(ctx, network, h[host])
	}
	transport := &http.Transport{TLSClientConfig: trust.Clone(), DialContext: dial}
	t.Cleanup(transport.CloseIdleConnections)
	client := &http.Client{Transport: transport}
	for host := range h {
		eventually(t, host+" has a certificate", func() bool {
			response, err := client.Get("https://" + host + "/")
			if err != nil {
				return false
			}
			return response.Body.Close() == nil
		})
	}
	return client
}

// walletPayment is what peers/pay-pointer.js prints.
type walletPayment struct {
	Told, Spent, Proven string
	Asset               struct {
		Code  string
		Scale int
	}
	Enabled, Ours bool
}

// wallet lets one of the wallets in peers/pay-pointer.js pay.
func (g *gateway) wallet(conn *connector, at hosts, with, pointer, units string) (paid walletPayment) {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := nodeCommand(ctx, g.t, "pay-pointer.js", map[string]any{
		"server": conn.Payers, "hosts": at, "with": with, "pointer": pointer, "amount": units, "scale": 9,
	})
	command.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+filepath.Join(g.dir, "xdg", "caddy", "pki", "authorities", "local", "root.crt"))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		g.t.Fatalf("%s pays %s: %v\n%s", with, pointer, err, stderr.Bytes())
	}
	if err := json.Unmarshal(out, &paid); err != nil {
		g.t.Fatalf("%s printed %q: %v", with, out, err)
	}
	return paid
}

func TestTheirWalletsPayOurPointers(t *testing.T) {
	needNode(t)
	conn, alice := startConnector(t, connectorOptions{MaxPacketAmount: "3000"}), newLink(t, "alice")
	at, more := newHosts(t, map[string]string{"shop.example": "\tpaywall /paid/* 10\n\trespond paid", "ilp.example": "\tilp_node"})
	g := newGateway(t, gatewayConfig{
		accounts: []string{dialledUplink(conn), alice.account()}, options: []string{"\t\tdefault_spsp_account alice"}, sites: []string{site}, secure: true, more: more,
	})
	client, token := at.client(t, g.trust(t)), newToken()
	pointer := topUpPointer(t, client, "https://shop.example/paid/x", token)
	inToken, inAccount := func() int { return int(ask(t, g.url(0), token).balance) }, func() int { return g.owed("alice") }
	for _, test := range []struct {
		with, pointer string
		arrived       func() int
		units         int
	}{
		{"ilp-protocol-spsp", pointer, inToken, 10_007},
		{"@interledger/pay", pointer, inToken, 8_009},
		{"receipts", pointer, inToken, 7_001},
		{"ilp-protocol-spsp", "$ilp.example", inAccount, 10_007},
		{"@interledger/pay", "$ilp.example", inAccount, 8_009},
		{"receipts", "$ilp.example/accounts/alice/spsp", inAccount, 7_001},
	} {
		before, crossed, units := test.arrived(), countCrossed(conn), fmt.Sprint(test.units)
		paid := g.wallet(conn, at, test.with, test.pointer, units)
		if arrived := test.arrived() - before; paid.Told != units || paid.Spent != units || arrived != test.units || countCrossed(conn).since(crossed).Amount != uint64(test.units) {
			t.Errorf("%s paid %s to %s: it says %+v, and %d arrived", test.with, units, test.pointer, paid, arrived)
		}
		switch {
		case test.with == "@interledger/pay" && (paid.Asset.Code != "USD" || paid.Asset.Scale != 9):
			t.Errorf("%s was told the asset %+v", test.with, paid.Asset)
		case test.with == "receipts" && (!paid.Enabled || !paid.Ours || paid.Proven != units):
			t.Errorf("the receipt of %s to %s: %+v", units, test.pointer, paid)
		}
	}
	// The rest is the token's balance, and any of its requests is paid from it.
	got, err := send(client, http.MethodGet, "https://shop.example/paid/x", token, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantAnswer(t, got, http.StatusOK, fmt.Sprint(10_007+8_009+7_001-10))
}

// topUpPointer returns the payment pointer that a 402 tells.
func topUpPointer(t *testing.T, client *http.Client, url, token string) string {
	t.Helper()
	refused, err := send(client, http.MethodGet, url, token, nil)
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Pointer string `json:"payment_pointer"`
	}
	if err := json.Unmarshal([]byte(refused.body), &said); err != nil || refused.status != http.StatusPaymentRequired || !strings.HasPrefix(said.Pointer, "$shop.example/.well-known/pay/") {
		t.Fatalf("%d %s", refused.status, refused.body)
	}
	if strings.Contains(refused.header.Get("Link"), token) || strings.Contains(said.Pointer, token) {
		t.Errorf("the pointer shows the token")
	}
	return said.Pointer
}

// spspServer is peers/spsp-server.js.
type spspServer struct {
	*peer
	URL string
}

func (s *spspServer) wantReceived(sum, closed, verified int) {
	s.t.Helper()
	var got struct {
		Amount           int `json:",string"`
		Closed, Verified int
	}
	if s.ask("received", &got); got.Amount != sum || got.Closed != closed || got.Verified != verified {
		s.t.Errorf("the server has %+v, want %d in %d connections, %d of them verified", got, sum, closed, verified)
	}
}

func TestWePayTheirPointer(t *testing.T) {
	needNode(t)
	conn, alice := startConnector(t, connectorOptions{MaxPacketAmount: "3000"}), newLink(t, "alice")
	server := new(spspServer)
	server.peer = startPeer(t, "spsp-server.js", map[string]any{"server": conn.Gateways}, server)
	g := newGateway(t, gatewayConfig{
		accounts: []string{dialledUplink(conn), alice.account()}, handler: "\t\tallow_private", options: []string{"\t\troute * uplink"}, sites: []string{site},
	})

	// By package payer, which verifies a receipt with each packet.
	terms, err := paying.NewReceiptTerms(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	to, err := paying.Resolver{AllowPrivate: true, Insecure: true}.ResolveWithReceipts(t.Context(), server.URL, terms)
	if err != nil || !to.Receipts {
		t.Fatalf("%v, %v", to, err)
	}
	var last amount.Amount
	got, err := paying.Stream{Link: dialPayers(t, conn), Random: rand.Reader, Now: time.Now}.Pay(t.Context(), paying.Payment{
		Address: to.Address, Secret: to.Secret, Deliver: 10_007, MaxSend: 10_007, Receipts: terms,
		Progress: func(r paying.Result) {
			n, err := terms.Proven(r)
			if err != nil || n < last {
				t.Errorf("after %+v the receipt proves %s, %v", r, n, err)
			}
			last = n
		},
	})
	if err != nil || got.Sent != 10_007 || got.Delivered != 10_007 || last != 10_007 {
		t.Errorf("%+v, %v; the last receipt proves %s", got, err, last)
	}
	server.wantReceived(10_007, 1, 1)

	// By the node, for an account: over its API, and by the command.
	receipt := g.payFrom(alice, server.URL, 8_009)
	if receipt.Sent != 8_009 || receipt.Delivered != 8_009 || receipt.Code != "USD" || receipt.Scale != 9 {
		t.Errorf("the receipt is %+v", receipt)
	}
	server.wantReceived(10_007+8_009, 2, 1)
	out := g.nodePay(alice, server.URL, 7_001)
	if !strings.Contains(out, "sent       7001 ") || !strings.Contains(out, "delivered  7001 ") {
		t.Errorf("paydoor node pay prints %s", out)
	}
	server.wantReceived(10_007+8_009+7_001, 3, 1)
	g.wantOwed(map[string]int{"alice": -8_009 - 7_001, "uplink": 8_009 + 7_001})
}

// accountReceipt is the answer to a payment.
type accountReceipt struct {
	Sent      int    `json:"sent_amount"`
	Delivered int    `json:"delivered_amount"`
	Code      string `json:"delivered_asset_code"`
	Scale     int    `json:"delivered_asset_scale"`
}

// payFrom pays from the account that the link holds, over the node's API.
func (g *gateway) payFrom(l *link, receiver string, units int) (receipt accountReceipt) {
	g.t.Helper()
	body := fmt.Sprintf(`{"receiver":%q,"source_amount":%d}`, receiver, units)
	request, err := http.NewRequest(http.MethodPost, g.nodeURL()+"/accounts/"+l.name+"/payments", strings.NewReader(body))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+l.name+":"+l.secret)
	request.Header.Set("Content-Type", "application/json")
	response, err := l.client.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil {
		err = json.Unmarshal(text, &receipt)
	}
	if err != nil || response.StatusCode != http.StatusOK {
		g.t.Fatalf("%v, %d %s", err, response.StatusCode, text)
	}
	return receipt
}

// nodePay pays by the command paydoor node pay, and returns what it prints.
func (g *gateway) nodePay(l *link, receiver string, units int) string {
	g.t.Helper()
	path, err := binary()
	if err != nil {
		g.t.Fatal(err)
	}
	command := exec.Command(path, "node", "pay", l.name, "--to", receiver, "--amount", fmt.Sprint(units), "--node", g.nodeURL())
	command.Env = append(os.Environ(), "PAYDOOR_TOKEN="+l.secret, "HOME="+g.dir)
	out, err := command.CombinedOutput()
	if err != nil {
		g.t.Fatalf("paydoor node pay: %v: %s", err, out)
	}
	return string(out)
}
