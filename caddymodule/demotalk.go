package caddymodule

// This file is what the demonstration says: the three requests of a first payment, header by header, and how to go on by hand.

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// errUnexpected says that the demonstration did not go as it should.
var errUnexpected = errors.New("an unexpected answer")

// firstPaidRequest asks the price, pays, and makes paid requests: one, or three to see the balance fall.
func (d *demo) firstPaidRequest(ctx context.Context, once bool) error {
	token := demoToken(d.site)
	page := "http://" + d.site + "/hello"
	fmt.Fprintln(d.out, "1. The client makes up a token and asks for the price. Nothing is paid or stored yet.")
	asked, err := d.exchange(ctx, http.MethodOptions, page, token, http.StatusNoContent)
	if err != nil {
		return err
	}
	pay := asked.Header.Get("Pay")
	fmt.Fprintln(d.out, "\n2. The client pays 100 to the address in Pay. Its wallet is the node's sandbox; elsewhere it would be any Interledger wallet.")
	if err := d.pay(ctx, pay, token); err != nil {
		return err
	}
	fmt.Fprintln(d.out, "\n3. The client makes its request. The price is charged because the backend answers.")
	left := []string{"90", "80", "70"}
	if once {
		left = left[:1]
	}
	for _, balance := range left {
		paid, err := d.exchange(ctx, http.MethodGet, page, token, http.StatusOK)
		if err != nil {
			return err
		}
		if got := paid.Header.Get("Pay-Balance"); got != balance {
			return fmt.Errorf("%w: Pay-Balance is %s, not %s", errUnexpected, got, balance)
		}
	}
	return nil
}

// demoToken derives a token as the seed proposes: HMAC-SHA256(client secret, hostname).
func demoToken(host string) string {
	secret := make([]byte, 32)
	rand.Read(secret)
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte(host))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// exchange makes one request and shows it with its answer.
func (d *demo) exchange(ctx context.Context, method, page, token string, want int) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, page, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Pay-Token", token)
	fmt.Fprintf(d.out, "\n   > %s %s HTTP/1.1\n   > Host: %s\n   > Pay-Token: %s\n", method, r.URL.Path, r.URL.Host, token)
	return d.do(r, want)
}

func (d *demo) do(r *http.Request, want int) (*http.Response, error) {
	client := http.Client{Timeout: 30 * time.Second}
	defer client.CloseIdleConnections()
	answer, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("asking the gateway: %w", err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, 64<<10))
	if err != nil {
		return nil, fmt.Errorf("reading the answer: %w", err)
	}
	fmt.Fprintf(d.out, "   < %s %s\n", answer.Proto, answer.Status)
	for _, name := range slices.Sorted(headerNames(answer.Header)) {
		fmt.Fprintf(d.out, "   < %s: %s\n", name, strings.Join(answer.Header[name], ", "))
	}
	if len(body) > 0 {
		fmt.Fprintf(d.out, "   <\n   < %s\n", strings.TrimSpace(string(body)))
	}
	if answer.StatusCode != want {
		return nil, fmt.Errorf("%w: %s, not %d", errUnexpected, answer.Status, want)
	}
	return answer, nil
}

func headerNames(h http.Header) func(func(string) bool) {
	return func(yield func(string) bool) {
		for name := range h {
			if !yield(name) {
				return
			}
		}
	}
}

// pay pays 100 from the sandbox wallet.
func (d *demo) pay(ctx context.Context, pay, token string) error {
	form := url.Values{"pay": {pay}, "amount": {"100"}, "token": {token}}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.node+"/sandbox/pay", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	fmt.Fprintf(d.out, "\n   > POST /sandbox/pay HTTP/1.1\n   > Host: %s\n   >\n   > pay=<the Pay header> amount=100 token=<the Pay-Token>\n", d.node)
	_, err = d.do(r, http.StatusOK)
	return err
}

// invite says how to do the same by hand.
func (d *demo) invite() {
	fmt.Fprintf(d.out, `
Now you, in another terminal:

   %[3]spaydoor fetch --max 100 http://%[1]s/hello
   %[3]spaydoor wallet

The same with curl:

   TOKEN=$(head -c 32 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=\n')
   curl -i -X OPTIONS -H "Pay-Token: $TOKEN" http://%[1]s/hello
   PAY=$(curl -s -o /dev/null -D - -X OPTIONS -H "Pay-Token: $TOKEN" http://%[1]s/hello | tr -d '\r' | sed -n 's/^Pay: //p')
   curl --data-urlencode "pay=$PAY" -d amount=100 http://%[2]s/sandbox/pay
   curl -i -H "Pay-Token: $TOKEN" http://%[1]s/hello

Without money you get a 402 that says how to pay:

   curl -i http://%[1]s/hello

Ctrl-C ends it.
`, d.site, d.node, d.nodeVariable())
}

// nodeVariable is what fetch needs in front of it to find the node, if that is not where it looks.
func (d *demo) nodeVariable() string {
	if strings.HasSuffix(d.node, ":7770") {
		return ""
	}
	return "PAYDOOR_NODE=http://" + d.node + " "
}

func indent(text string) string {
	return "   " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n   ")
}
