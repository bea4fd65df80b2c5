package caddymodule

// This file has the node of a payer ask another for STREAM receipts: they prove what arrived, and nobody keeps the secret.

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/spsp"
)

// receiptBody is a payment that asks for receipts.
func receiptBody(receiver string, units int, terms *payer.ReceiptTerms) string {
	return fmt.Sprintf(`{"receiver":%q,"source_amount":%d,"receipt_nonce":%q,"receipt_secret":%q}`, receiver, units,
		base64.StdEncoding.EncodeToString(terms.Nonce[:]), base64.RawURLEncoding.EncodeToString(terms.Secret))
}

// proven is what the receipt in an answer proves under the terms.
func proven(t *testing.T, answer map[string]any, terms *payer.ReceiptTerms) amount.Amount {
	t.Helper()
	text, _ := answer["stream_receipt"].(string)
	receipt, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(receipt) != 58 {
		t.Fatalf("%v has the receipt %q", answer, text)
	}
	verified, err := terms.Verify(receipt)
	if err != nil {
		t.Fatal(err)
	}
	return verified.TotalReceived
}

func newTerms(t *testing.T) *payer.ReceiptTerms {
	t.Helper()
	terms, err := payer.NewReceiptTerms(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return terms
}

func TestPaymentsWithReceipts(t *testing.T) {
	near, far := newTwin(t, "near"), newTwin(t, "far")
	both := `"ilp_over_http_incoming_token":"` + peerToken + `","ilp_over_http_outgoing_token":"` + peerToken + `","ilp_over_http_url":"`
	near.asks(t, "POST", "/accounts", "", userBody("alice", aliceToken), http.StatusOK)
	far.asks(t, "POST", "/accounts", "", userBody("bob", bobToken), http.StatusOK)
	far.asks(t, "POST", "/accounts", "", peerBody("near", both+near.url+`/accounts/far/ilp"`), http.StatusOK)
	near.asks(t, "POST", "/accounts", "", peerBody("far", both+far.url+`/accounts/near/ilp"`), http.StatusOK)
	bob := far.url + "/accounts/bob/spsp"

	var secrets [][]byte
	for _, token := range []string{"alice:" + aliceToken, aliceToken} { // in both dialects
		terms := newTerms(t)
		secrets = append(secrets, terms.Secret)
		answer := object(t, near.asks(t, "POST", "/accounts/alice/payments", token, receiptBody(bob, 1000, terms), http.StatusOK))
		wantReceipt(t, answer, "test.far.bob", "1000")
		if got := proven(t, answer, terms); got != 1000 {
			t.Errorf("the receipt proves %v", got)
		}
		if _, err := newTerms(t).Verify(mustDecode(t, answer["stream_receipt"].(string))); err == nil {
			t.Error("the receipt is good under other terms")
		}
	}
	if answer := near.pays(t, "alice", aliceToken, bob, "1000"); answer["stream_receipt"] != nil {
		t.Errorf("a receipt that nobody asked for: %v", answer)
	}

	terms := newTerms(t)
	secrets = append(secrets, terms.Secret)
	first := near.asksWithKey(t, "k", receiptBody(bob, 1000, terms), http.StatusOK)
	if again := near.asksWithKey(t, "k", receiptBody(bob, 1000, terms), http.StatusOK); again != first {
		t.Errorf("asked again the answer is %s, and was %s", again, first)
	}
	near.asksWithKey(t, "k", receiptBody(bob, 1000, newTerms(t)), http.StatusConflict)
	near.restart(t)
	if again := near.asksWithKey(t, "k", receiptBody(bob, 1000, terms), http.StatusOK); again != first {
		t.Errorf("asked again after a restart the answer is %s, and was %s", again, first)
	}
	if got := proven(t, object(t, first), terms); got != 1000 {
		t.Errorf("the kept receipt proves %v", got)
	}
	near.wantBalances(t, map[ilpcore.AccountID]int64{"alice": -4000, "far": 4000})
	far.wantBalances(t, map[ilpcore.AccountID]int64{"bob": 4000, "near": -4000})
	near.wantNowhere(t, secrets)
	far.wantNowhere(t, secrets)
}

// TestPaymentsThatGetNoReceipt: who insists on receipts does not pay a receiver that gives none; a verifier in between asks for them itself.
func TestPaymentsThatGetNoReceipt(t *testing.T) {
	near := newTwin(t, "near")
	for name, token := range map[string]string{"alice": aliceToken, "bob": bobToken} {
		near.asks(t, "POST", "/accounts", "", userBody(name, token), http.StatusOK)
	}
	terms := newTerms(t)
	between := func(edit func(*http.Request)) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			edit(r)
			r.URL.Path = "/accounts/bob/spsp"
			near.ServeHTTP(w, r)
		}))
		t.Cleanup(server.Close)
		return server.URL + "/bob"
	}
	deaf := between(func(r *http.Request) { r.Header.Del("Receipt-Nonce"); r.Header.Del("Receipt-Secret") })
	got := near.asks(t, "POST", "/accounts/alice/payments", aliceToken, receiptBody(deaf, 1000, terms), http.StatusInternalServerError)
	if detail, _ := object(t, got)["detail"].(string); !strings.Contains(detail, "gives no STREAM receipts") {
		t.Errorf("%s", got)
	}
	near.wantBalances(t, map[ilpcore.AccountID]int64{"alice": 0, "bob": 0})
	verifier := between(func(r *http.Request) {
		r.Header.Set("Receipt-Nonce", base64.StdEncoding.EncodeToString(terms.Nonce[:]))
		r.Header.Set("Receipt-Secret", base64.StdEncoding.EncodeToString(terms.Secret))
		if asked, err := spsp.ReadReceiptTerms(r.Header); err != nil || asked.Nonce != terms.Nonce {
			t.Errorf("%v, %v", asked, err)
		}
	})
	if got := proven(t, near.pays(t, "alice", aliceToken, verifier, "1000"), terms); got != 1000 {
		t.Errorf("the verifier's receipt proves %v", got)
	}
}

// asksWithKey pays for alice with an Idempotency-Key.
func (n *twin) asksWithKey(t *testing.T, key, body string, want int) string {
	t.Helper()
	request := httptest.NewRequest("POST", n.url+"/accounts/alice/payments", strings.NewReader(body))
	request.Header.Set("Authorization", "Bearer "+aliceToken)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Idempotency-Key", key)
	w := httptest.NewRecorder()
	n.ServeHTTP(w, request)
	if w.Code != want {
		t.Fatalf("%d, want %d: %s", w.Code, want, w.Body)
	}
	return w.Body.String()
}

// wantNowhere looks for secrets in the log, in the files of the node, and in the history.
func (n *twin) wantNowhere(t *testing.T, secrets [][]byte) {
	t.Helper()
	page := n.asks(t, "GET", "/accounts", "", "", http.StatusOK)
	for _, account := range []string{"alice", "bob"} {
		if strings.Contains(page, `"`+account+`"`) {
			page += n.asks(t, "GET", "/accounts/"+account+"/payments", "", "", http.StatusOK)
		}
	}
	written := map[string][]byte{"the history": []byte(page)}
	for _, entry := range n.log.All() {
		line, err := json.Marshal(entry.ContextMap())
		if err != nil {
			t.Fatal(err)
		}
		written["the log"] = append(append(written["the log"], entry.Message...), line...)
	}
	err := filepath.WalkDir(n.dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			written[path], err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for where, text := range written {
		for _, secret := range secrets {
			for _, form := range []string{
				string(secret), hex.EncodeToString(secret), base64.RawStdEncoding.EncodeToString(secret), base64.RawURLEncoding.EncodeToString(secret),
			} {
				if bytes.Contains(text, []byte(form)) {
					t.Errorf("%s has the secret of a receipt", where)
				}
			}
		}
	}
}

func mustDecode(t *testing.T, text string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
