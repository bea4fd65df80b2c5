package payer

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestParsePointer(t *testing.T) {
	tests := []struct {
		in       string
		insecure bool
		want     string // "" means ErrPointer
	}{
		{"$wallet.example", false, "https://wallet.example/.well-known/pay"},
		{"$wallet.example/", false, "https://wallet.example/.well-known/pay"},
		{"$wallet.example/alice", false, "https://wallet.example/alice"},
		{"$wallet.example/alice/", false, "https://wallet.example/alice"},
		{"$wallet.example/a%2Fb/", false, "https://wallet.example/a%2Fb"},
		{"https://wallet.example", false, "https://wallet.example/.well-known/pay"},
		{"https://wallet.example/alice?x=1", false, "https://wallet.example/alice?x=1"},
		{"https://wallet.example:443/alice", false, "https://wallet.example:443/alice"},
		{"http://localhost:7770/accounts/alice/spsp", true, "http://localhost:7770/accounts/alice/spsp"},
		{"$localhost:7770/alice", true, "http://localhost:7770/alice"},
		{"http://wallet.example/alice", false, ""},
		{"$wallet.example:8443/alice", false, ""},
		{"$wallet.example:/alice", false, ""},
		{"$user@wallet.example", false, ""},
		{"$user:pass@wallet.example", true, ""},
		{"https://user@wallet.example/", false, ""},
		{"$wallet.example?x=1", false, ""},
		{"$wallet.example/?", false, ""},
		{"$wallet.example#x", false, ""},
		{"https://wallet.example/#x", false, ""},
		{"$", false, ""},
		{"", false, ""},
		{"wallet.example/alice", false, ""},
		{"ftp://wallet.example/alice", true, ""},
		{"file:///etc/passwd", true, ""},
		{"https:wallet.example", false, ""},
		{"$wallet example", false, ""},
		{"$$wallet.example", false, ""},
	}
	for _, test := range tests {
		u, err := ParsePointer(test.in, test.insecure)
		if test.want == "" {
			if !errors.Is(err, ErrPointer) {
				t.Errorf("%q: %v, %v", test.in, u, err)
			}
			continue
		}
		if err != nil || u.String() != test.want {
			t.Errorf("%q: %v, %v", test.in, u, err)
		}
	}
}

// What cannot be read may hold a password all the same, and errors are logged.
func TestParsePointerTellsNoPassword(t *testing.T) {
	for _, in := range []string{
		"https://alice:hunter2@wallet.example:port/", "https://alice:hunter2@wallet example/", "$alice:hunter2@wallet.example/%zz", "https://alice:hunter2@wallet.example/",
		"http://alice:hunter2@wallet.example/", "alice:hunter2@wallet.example", "https://alice:hunter2@[wallet.example/",
	} {
		if _, err := ParsePointer(in, false); !errors.Is(err, ErrPointer) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzParsePointer(f *testing.F) {
	f.Add("$wallet.example/alice")
	f.Add("https://wallet.example:443/alice?x")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := ParsePointer(s, false)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" || u.Fragment != "" || u.Path == "" {
			t.Errorf("%q became %v", s, u)
		}
	})
}

// wallet serves SPSP answers over TLS.
func wallet(t *testing.T, handler http.HandlerFunc) (base string, r Resolver) {
	server := httptest.NewTLSServer(handler)
	t.Cleanup(server.Close)
	roots := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	return server.URL, Resolver{AllowPrivate: true, TLS: &tls.Config{RootCAs: roots}}
}

func TestResolve(t *testing.T) {
	secret := bytes.Repeat([]byte{0xfb}, 32)
	answer := func(secret string) string {
		return fmt.Sprintf(`{"destination_account": "test.wallet.x", "shared_secret": %q, "receipts_enabled": true, "more": [1]}`, secret)
	}
	padded, raw := base64.StdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret)
	tests := []struct {
		name, path string
		status     int
		body       string
		location   string
		err        error
	}{
		{name: "base64", status: 200, body: answer(padded)},
		{name: "base64url", status: 200, body: answer(raw)},
		{name: "short secret", status: 200, body: answer("c2hvcnQ"), err: ErrSPSP},
		{name: "no secret", status: 200, body: `{"destination_account": "test.wallet.x"}`, err: ErrSPSP},
		{name: "no address", status: 200, body: fmt.Sprintf(`{"shared_secret": %q}`, padded), err: ErrSPSP},
		{name: "no JSON", status: 200, body: "<html>", err: ErrSPSP},
		{name: "too long", status: 200, body: answer(padded) + strings.Repeat(" ", spspBody), err: ErrSPSP},
		{name: "unknown receiver", status: 404, body: `{"id":"InvalidReceiverError"}`, err: ErrNoReceiver},
		{name: "failure", status: 500, err: ErrSPSP},
		{name: "redirect", status: 302, location: "/ok"},
		{name: "redirect to itself", status: 302, location: "/start", err: ErrPointer},
		{name: "redirect to http", status: 302, location: "http://wallet.example/", err: ErrPointer},
		{name: "redirect to another scheme", status: 302, location: "file:///etc/passwd", err: ErrPointer},
		{name: "redirect with a user", status: 302, location: "https://user:pass@wallet.example/", err: ErrPointer},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			asked := 0
			base, r := wallet(t, func(w http.ResponseWriter, request *http.Request) {
				if asked++; !strings.Contains(request.Header.Get("Accept"), "application/spsp4+json") {
					t.Errorf("the question accepts %q", request.Header.Get("Accept"))
				}
				w.Header().Set("Content-Type", "application/spsp4+json")
				if request.URL.Path == "/ok" {
					fmt.Fprint(w, answer(padded))
					return
				}
				if test.location != "" {
					w.Header().Set("Location", test.location)
				}
				w.WriteHeader(test.status)
				fmt.Fprint(w, test.body)
			})
			got, err := r.Resolve(t.Context(), base+"/start")
			if test.err != nil {
				if !errors.Is(err, test.err) || strings.Contains(err.Error(), padded) || asked > spspRedirects+1 {
					t.Errorf("got %+v, %v after %d questions", got, err, asked)
				}
				return
			}
			if err != nil || got.Address != "test.wallet.x" || !bytes.Equal(got.Secret, secret) || !got.Receipts || !strings.HasPrefix(got.URL, base) {
				t.Errorf("got %+v, %v", got, err)
			}
			if shown := fmt.Sprintf("%v %+v %#v", got, got, got); strings.Contains(shown, padded) || strings.Contains(shown, fmt.Sprint(secret)) {
				t.Errorf("the secret is shown in %s", shown)
			}
		})
	}
}

// TestResolveStaysPublic asks for what strangers would like us to connect to.
func TestResolveStaysPublic(t *testing.T) {
	tests := []struct {
		pointer string
		err     error
	}{
		{"$localhost", ErrPrivateAddress},
		{"$127.0.0.1", ErrPrivateAddress},
		{"$169.254.169.254", ErrPrivateAddress},
		{"https://[::ffff:127.0.0.1]/", ErrPrivateAddress},
		{"https://0.0.0.0/", ErrPrivateAddress},
		{"https://wallet.example:2019/", ErrPointer},
		{"$localhost:2019", ErrPointer},
		{"http://localhost/", ErrPointer},
	}
	for _, test := range tests {
		if got, err := (Resolver{}).Resolve(t.Context(), test.pointer); !errors.Is(err, test.err) {
			t.Errorf("%s: %+v, %v", test.pointer, got, err)
		}
	}
}

func FuzzDecodeEndpoint(f *testing.F) {
	f.Add([]byte(`{"destination_account": "test.wallet.x", "shared_secret": "SkTcFTZCBKgP6A6QOUVcwWCCgYIP4rJPHlIzreavHdU="}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := decodeEndpoint(body)
		if err == nil && (!e.Address.Valid() || len(e.Secret) != 32) {
			t.Errorf("%q was taken as %v", body, e)
		}
	})
}

// TestResolvedPayment pays to what a pointer leads to.
func TestResolvedPayment(t *testing.T) {
	m := newMarket(t)
	base, r := wallet(t, func(w http.ResponseWriter, _ *http.Request) {
		p := m.payment(t, 0, false)
		fmt.Fprintf(w, `{"destination_account": %q, "shared_secret": %q}`, p.Address, base64.StdEncoding.EncodeToString(p.Secret))
	})
	to, err := r.Resolve(t.Context(), base)
	if err != nil {
		t.Fatal(err)
	}
	got, err := streamOver(m).Pay(t.Context(), Payment{Address: to.Address, Secret: to.Secret, Send: 100})
	if err != nil || got.Delivered != 100 || m.till.sum() != 100 {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestUplink(t *testing.T) {
	config := ilpcore.ILDCP{Address: "test.parent.child", Asset: ilpcore.Asset{Code: "USD", Scale: 9}}
	good, err := config.Reply()
	if err != nil {
		t.Fatal(err)
	}
	wrong := good
	wrong.Fulfillment[0] = 1
	tests := []struct {
		name  string
		reply ilpcore.Reply
		err   error
	}{
		{"told", good, nil},
		{"refused", ilpcore.Reject(ilpcore.F00, "test.parent", "no child", nil), ErrRejected},
		{"nonsense", ilpcore.Fulfill(ilpcore.PeerFulfillment, []byte{1}), ilpcore.ErrILDCP},
		{"another fulfillment", wrong, ErrUnverified},
	}
	for _, test := range tests {
		link := &network{to: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply { return test.reply })}
		got, err := Uplink(t.Context(), link, time.Now)
		if test.err == nil && (err != nil || got != config) || test.err != nil && (!errors.Is(err, test.err) || !errors.Is(err, ErrUplink)) {
			t.Errorf("%s: %+v, %v", test.name, got, err)
		}
	}
}
