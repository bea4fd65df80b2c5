package main

// This file is a site with all that can go wrong in it, and the requests that make it log about that.

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const (
	canaryToken    = "Y2FuYXJ5LXRva2VuLTAxMjM0NTY3ODlhYmNkZWY"
	canaryReceiver = "canary-receiver-secret-0123456789abcdef"
	canaryLink     = "canary-link-token-0123456789-abcdefghij"
)

// shop is one server with a paid site, a free one and a node.
type shop struct {
	t                       *testing.T
	paid, free, node, admin string // host and port
	backend                 *httptest.Server
	global, servers, site   string // what is added to the global options, to their servers block, and to each site
	client                  *http.Client
	secrets                 []string // what was seen and must be in no log
}

func newShop(t *testing.T) *shop {
	s := &shop{t: t, paid: freeAddress(t), free: freeAddress(t), node: freeAddress(t), admin: freeAddress(t)}
	s.secrets = []string{canaryToken, canaryReceiver, canaryLink}
	s.backend = httptest.NewServer(http.HandlerFunc(serveBackend))
	t.Cleanup(s.backend.Close)
	transport := &http.Transport{DisableKeepAlives: true}
	t.Cleanup(transport.CloseIdleConnections)
	s.client = &http.Client{Transport: transport, Timeout: 30 * time.Second}
	return s
}

func serveBackend(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/broken":
		panic(http.ErrAbortHandler)
	case "/slow":
		<-r.Context().Done()
	case "/socket":
		connection, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer func() { _ = connection.Close() }()
		_, _ = buffered.WriteString("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello")
		_ = buffered.Flush()
	default:
		_, _ = io.WriteString(w, "worth it")
	}
}

func (s *shop) env() []string {
	return []string{"CANARY_RECEIVER=" + canaryReceiver, "CANARY_LINK=" + canaryLink}
}

func (s *shop) caddyfile() string {
	backend := s.backend.Listener.Addr().String()
	return fmt.Sprintf(`{
	admin %[1]s
	auto_https off
	grace_period 1s
	servers {
		%[2]s
	}
	%[3]s
	ilp {
		data_dir data
		secret {env.CANARY_RECEIVER}
		sandbox
		account kid {
			relation child
			http {
				incoming simple {env.CANARY_LINK}
			}
		}
		account gone {
			relation peer
			btp btp+ws://canary:{env.CANARY_LINK}@127.0.0.1:9
		}
	}
}
http://%[4]s {
	bind 127.0.0.1
	%[5]s
	log_append <early {header.Pay-Token}
	log_append late {header.Pay-Token}
	log_append answer {http.response.header.Pay}
	log_append / body {http.response.body}
	paywall 10
	reverse_proxy /gone 127.0.0.1:9
	reverse_proxy %[6]s {
		transport http {
			response_header_timeout 100ms
		}
	}
}
http://%[7]s {
	bind 127.0.0.1
	%[5]s
	log_append who {header.Authorization}
	forward_auth /asked %[6]s {
		uri /asked
		copy_headers Pay-Token
	}
	error /refused "no {header.Pay-Token} here" 500
	reverse_proxy %[6]s
}
http://%[8]s {
	bind 127.0.0.1
	%[5]s
	log_append body {http.request.body}
	ilp_node
}
`, s.admin, s.servers, s.global, s.paid, s.site, backend, s.free, s.node)
}

// visit makes every kind of request, and wants of each that it went as it should.
func (s *shop) visit() {
	s.t.Helper()
	quote := s.do(http.MethodOptions, s.paid, "/", http.StatusNoContent, "Pay-Token", canaryToken)
	refused := s.do(http.MethodGet, s.paid, "/", http.StatusPaymentRequired, "Pay-Token", canaryToken, "Authorization", "Bearer "+canaryLink)
	s.askPointer(refused.Header.Get("Link"))
	minted := s.do(http.MethodGet, s.paid, "/", http.StatusPaymentRequired)
	s.secrets = append(s.secrets, minted.Header.Get("Pay-Token"))
	s.pay(quote.Header.Get("Pay"))
	s.do(http.MethodGet, s.paid, "/worth?pay-token="+canaryToken, http.StatusOK, "Pay-Token", canaryToken)
	s.do(http.MethodGet, s.paid, "/gone", http.StatusBadGateway, "Pay-Token", canaryToken)
	s.do(http.MethodGet, s.paid, "/broken", http.StatusBadGateway, "Pay-Token", canaryToken)
	s.do(http.MethodGet, s.paid, "/slow", http.StatusGatewayTimeout, "Pay-Token", canaryToken)
	s.do(http.MethodGet, s.paid, "/", http.StatusBadRequest, "Pay-Token", canaryToken+", "+canaryToken)
	s.do(http.MethodGet, s.free, "/refused", http.StatusInternalServerError, "Pay-Token", canaryToken)
	s.do(http.MethodGet, s.free, "/asked", http.StatusOK, "Pay-Token", canaryToken, "Authorization", "Bearer kid:"+canaryLink)
	s.do(http.MethodPost, s.node, "/ilp", http.StatusBadRequest, "Authorization", "Bearer "+canaryLink, "Pay-Token", canaryToken)
	s.do(http.MethodPost, s.node, "/accounts/kid/ilp", http.StatusUnauthorized, "Authorization", "Bearer x"+canaryLink)
	s.upgrade()
}

// askPointer asks the payment pointer of a 402 where to pay, as a verifier of receipts does. The pointer is in the log, the secrets are not.
func (s *shop) askPointer(link string) {
	s.t.Helper()
	path := strings.TrimSuffix(strings.TrimPrefix(link, "<"), `>; rel="payment"`)
	secret := base64.StdEncoding.EncodeToString([]byte("the canary secret of receipts 32"))
	s.secrets = append(s.secrets, secret)
	before := len(s.secrets)
	s.do(http.MethodGet, s.paid, path, http.StatusOK, "Receipt-Nonce", "AAAAAAAAAAAAAAAAAAAAAA==", "Receipt-Secret", secret)
	if len(s.secrets) != before+1 {
		s.t.Errorf("%s has no secret", path)
	}
}

// do makes a request, checks its status, and remembers the secret that is in the answer.
func (s *shop) do(method, host, path string, status int, headers ...string) *http.Response {
	s.t.Helper()
	r, err := http.NewRequest(method, "http://"+host+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	if host == s.node {
		r.Header.Set("Content-Type", "application/octet-stream")
	}
	return s.send(r, status)
}

func (s *shop) send(r *http.Request, status int) *http.Response {
	s.t.Helper()
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if err != nil || answer.StatusCode != status {
		s.t.Fatalf("%s %s answers %s, not %d: %s (%v)", r.Method, r.URL, answer.Status, status, body, err)
	}
	if pay := strings.Fields(answer.Header.Get("Pay")); len(pay) == 4 {
		s.secrets = append(s.secrets, pay[2])
	}
	var spsp struct {
		Secret string `json:"shared_secret"`
	}
	if json.Unmarshal(body, &spsp) == nil && spsp.Secret != "" {
		s.secrets = append(s.secrets, spsp.Secret)
	}
	return answer
}

// pay pays for the requests to come, with the sandbox wallet.
func (s *shop) pay(quote string) {
	s.t.Helper()
	form := url.Values{"pay": {quote}, "amount": {"1000"}, "token": {canaryToken}}
	r, err := http.NewRequest(http.MethodPost, "http://"+s.node+"/sandbox/pay", strings.NewReader(form.Encode()))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	s.send(r, http.StatusOK)
}

// upgrade opens a WebSocket as far as the log is concerned.
func (s *shop) upgrade() {
	s.t.Helper()
	connection, err := net.DialTimeout("tcp", s.paid, 10*time.Second)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	_ = connection.SetDeadline(time.Now().Add(30 * time.Second))
	fmt.Fprintf(connection, "GET /socket HTTP/1.1\r\nHost: %s\r\nPay-Token: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", s.paid, canaryToken)
	answer, err := http.ReadResponse(bufio.NewReader(connection), nil)
	if err != nil || answer.StatusCode != http.StatusSwitchingProtocols {
		s.t.Fatalf("the upgrade answers %v (%v)", answer, err)
	}
}
