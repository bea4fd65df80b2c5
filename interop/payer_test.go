package interop

// This file is the payer's side of HTTP: asking for a price, and requests with a token.

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// quote is what a Pay header and its Pay-Balance say.
type quote struct {
	status      int
	method      string
	destination string
	secret      []byte
	price       amount.Amount
	balance     amount.Amount
}

// answer is a response of a paid site, read to its end.
type answer struct {
	status  int
	balance string // the Pay-Balance header; empty when there is none
	body    string
	header  http.Header
}

// issued are the tokens that no log may contain.
var issued struct {
	sync.Mutex
	tokens []string
}

// newToken returns a fresh Pay-Token of 32 bytes, as in the seed.
func newToken() string {
	var b [32]byte
	rand.Read(b[:])
	token := base64.RawURLEncoding.EncodeToString(b[:])
	issued.Lock()
	defer issued.Unlock()
	issued.tokens = append(issued.tokens, token)
	return token
}

// leaked returns a token that is in a log, or nothing.
func leaked(log []byte) string {
	issued.Lock()
	defer issued.Unlock()
	for _, token := range issued.tokens {
		if bytes.Contains(log, []byte(token)) {
			return token
		}
	}
	return ""
}

// ask asks for the price of url by OPTIONS and fails the test unless the answer is a full quote.
func ask(t *testing.T, url, token string) quote {
	t.Helper()
	q, err := tryQuote(http.DefaultClient, url, token)
	if err != nil {
		t.Fatalf("OPTIONS %s: %v", url, err)
	}
	if q.status != http.StatusNoContent {
		t.Fatalf("OPTIONS %s: status %d, want 204", url, q.status)
	}
	return q
}

func tryQuote(client *http.Client, url, token string) (quote, error) {
	got, err := send(client, http.MethodOptions, url, token, nil)
	if err != nil || got.status != http.StatusNoContent {
		return quote{status: got.status}, err
	}
	return parseQuote(got)
}

// parseQuote reads "interledger-psk2 <address> <secret> <price>" (seed 003, section 2.2).
func parseQuote(a answer) (quote, error) {
	lines := a.header.Values("Pay")
	if len(lines) != 1 {
		return quote{}, fmt.Errorf("%d Pay headers, want 1", len(lines))
	}
	fields := strings.Split(lines[0], " ")
	if len(fields) != 4 {
		return quote{}, fmt.Errorf("Pay has %d fields, want 4", len(fields))
	}
	secret, err := base64.RawURLEncoding.DecodeString(fields[2])
	if err != nil || len(secret) != 32 {
		return quote{}, fmt.Errorf("the secret in Pay is not 32 bytes of unpadded base64url: %v", err)
	}
	price, err := amount.Parse(fields[3])
	if err != nil {
		return quote{}, fmt.Errorf("the price in Pay: %w", err)
	}
	balance, err := amount.Parse(a.balance)
	if err != nil {
		return quote{}, fmt.Errorf("Pay-Balance %q: %w", a.balance, err)
	}
	return quote{status: a.status, method: fields[0], destination: fields[1], secret: secret, price: price, balance: balance}, nil
}

// send makes one request with a token and reads the whole answer.
func send(client *http.Client, method, url, token string, body io.Reader) (answer, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Pay-Token", token)
	response, err := client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header.Get("Pay-Balance"), string(text), response.Header}, err
}

// get is a paid GET that has to be answered; its status is the test's to judge.
func get(t *testing.T, url, token string) answer {
	t.Helper()
	a, err := send(http.DefaultClient, http.MethodGet, url, token, nil)
	if err != nil {
		t.Fatalf("GET %s: %v", url, err)
	}
	return a
}

// wantBalance fails the test unless a price query shows that balance.
func wantBalance(t *testing.T, url, token string, want amount.Amount) {
	t.Helper()
	if got := ask(t, url, token).balance; got != want {
		t.Fatalf("the balance is %v, want %v", got, want)
	}
}

// wantAnswer fails the test unless an answer has that status and that Pay-Balance.
func wantAnswer(t *testing.T, a answer, status int, balance string) {
	t.Helper()
	if a.status != status || a.balance != balance {
		t.Fatalf("status %d with Pay-Balance %q, want %d with %q; body: %.300s", a.status, a.balance, status, balance, a.body)
	}
}
