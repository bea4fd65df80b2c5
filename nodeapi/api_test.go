package nodeapi

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
	"github.com/paydoor/paydoor/store"
)

const testAdmin = "the admin's token"

// bed is an API with a node of its own and links that go nowhere.
type bed struct {
	*API
	opener    *opener
	directory *Directory
	node      *connector.Node
}

// opener puts accounts without links into the node, and is their Authenticator.
type opener struct {
	node   *connector.Node
	keeper *Keeper
	fail   error // what Open answers instead of opening

	mu     sync.Mutex
	tokens map[ilpcore.AccountID]string
}

func (o *opener) Open(s Settings) error {
	if o.fail != nil {
		return o.fail
	}
	relation, err := connector.ParseRelation(s.Relation)
	if err != nil {
		return &FieldError{Field: "relation", Why: err.Error()}
	}
	a := connector.Account{ID: s.ID, UUID: s.UUID, Relation: relation, Asset: ilpcore.Asset(s.Asset), Address: s.Address, Segment: s.Segment, MinBalance: s.MinBalance}
	if s.Link == LinkLoopback {
		a.Link = connector.NewLoopback(ilpcore.Code{})
	}
	if err := o.node.Put(a); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, c := range s.HTTP.Incoming {
		if o.tokens[s.ID], err = o.keeper.Open(c.Secret); err != nil {
			return err
		}
	}
	return nil
}

func (o *opener) Close(id ilpcore.AccountID) error {
	o.mu.Lock()
	delete(o.tokens, id)
	o.mu.Unlock()
	return o.node.Remove(id)
}

func (o *opener) Authenticate(account, bearer string) (ilpcore.AccountID, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id, token := range o.tokens {
		if (account == "" || account == string(id)) && token != "" && (bearer == token && account != "" || bearer == string(id)+":"+token) {
			return id, true
		}
	}
	return "", false
}

// newBed returns an API on an empty directory; edit may change its Config.
func newBed(t testing.TB, edit func(*Config)) *bed {
	t.Helper()
	return newBedOn(t, openStore(t, filepath.Join(t.TempDir(), "store")), edit)
}

// newBedOn returns an API on what s holds.
func newBedOn(t testing.TB, s *store.Store, edit func(*Config)) *bed {
	t.Helper()
	books, err := connector.OpenBooks(s)
	if err != nil {
		t.Fatal(err)
	}
	rates, err := connector.NewRates(connector.Rate{})
	if err != nil {
		t.Fatal(err)
	}
	holders := &Holders{Now: time.Now}
	node, err := connector.NewNode(connector.Config{Address: "test.node", Asset: ilpcore.Asset{Code: "USD", Scale: 9}, Books: books, Rates: rates, Holders: holders})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	holders.Receiver, err = receiver.New(receiver.Config{Secrets: [][]byte{testSecret}, Addresses: node, Crediter: noTokens{}, Random: rand.Reader, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	directory := openDirectory(t, s)
	o := &opener{node: node, keeper: directory.Keeper(), tokens: make(map[ilpcore.AccountID]string)}
	c := Config{
		Directory: directory, Node: node, Books: books, Rates: rates, Opener: o, Accounts: o, AdminToken: testAdmin, Version: "1.2.3", Random: rand.Reader,
		Quoter: holders.Receiver,
	}
	if edit != nil {
		edit(&c)
	}
	api, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	holders.Notify, holders.History = api.Notify, api
	t.Cleanup(func() { api.Close() })
	api.OpenAccounts()
	return &bed{API: api, opener: o, directory: c.Directory, node: node}
}

// noTokens is the ledger of a node where only accounts are paid.
type noTokens struct{}

func (noTokens) Credit(context.Context, receiver.Credit) (bool, error) {
	return false, receiver.ErrUnavailable
}

func (noTokens) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

// ask sends a request; authorization may be "".
func (b *bed) ask(t testing.TB, method, path, authorization, body string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if authorization != "" {
		r.Header.Set("Authorization", authorization)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

// members reads a JSON object with its numbers as they are written.
func members(t testing.TB, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var m map[string]any
	d := json.NewDecoder(bytes.NewReader(w.Body.Bytes()))
	d.UseNumber()
	if err := d.Decode(&m); err != nil {
		t.Fatalf("status %d, %q: %v", w.Code, w.Body, err)
	}
	return m
}

func TestStatus(t *testing.T) {
	b := newBed(t, nil)
	w := b.ask(t, "GET", "/", "", "")
	if m := members(t, w); w.Code != http.StatusOK || m["status"] != "Ready" || m["ilp_address"] != "test.node" || m["version"] != "1.2.3" {
		t.Errorf("%d %v", w.Code, m)
	}
	for authorization, want := range map[string]int{"": 401, "Bearer wrong": 401, "Basic d3Jvbmc=": 401, "Bearer " + testAdmin: 200, "bearer  " + testAdmin: 200} {
		if w := b.ask(t, "GET", "/status", authorization, ""); w.Code != want {
			t.Errorf("%q: %d, want %d", authorization, w.Code, want)
		}
	}
}

// TestStatusOfANodeThatTakesNoPayments fills the disk, and breaks it: a node that rejects every packet with money is not ready, whatever its address.
func TestStatusOfANodeThatTakesNoPayments(t *testing.T) {
	for name, options := range map[string]store.Options{
		"full":   {FreeSpace: func(string) (uint64, error) { return 1 << 19, nil }},
		"broken": {Fault: func(store.Point, uint64) error { return errors.New("injected: input/output error") }},
	} {
		t.Run(name, func(t *testing.T) {
			options.MinFree, options.Ballast = 1<<20, -1
			s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store"), options)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			b := newBedOn(t, s, nil)
			if name == "broken" {
				b.ask(t, "POST", "/accounts", asAdmin, account("alice", aliceKey))
			}
			if m := members(t, b.ask(t, "GET", "/", "", "")); m["status"] != "Not taking payments" {
				t.Errorf("everybody is told %v", m)
			}
			m := members(t, b.ask(t, "GET", "/status", asAdmin, ""))
			if problem, _ := m["problem"].(string); m["ready"] != false || problem != s.Ready().Error() || m["address"] != "test.node" {
				t.Errorf("the operator is told %v", m)
			}
		})
	}
}

func TestImportedKeysOpenSecrets(t *testing.T) {
	b := newBed(t, nil)
	if w := b.ask(t, "PUT", "/encryption/keys/JKS", "Bearer "+testAdmin, javaKey); w.Code != http.StatusNoContent {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if got, err := b.directory.Keeper().Open("enc:JKS:crypto.p12:secret0:1:aes_gcm:AAAADKZPmASojt1iayb2bPy4D-Toq7TGLTN95HzCQAeJtz0="); got != "shh" || err != nil {
		t.Errorf("opened %q, %v", got, err)
	}
	w := b.ask(t, "POST", "/encryption/encrypt", "Bearer "+testAdmin, "shh\n")
	if got, err := b.directory.Keeper().Open(Sealed(w.Body.String())); w.Code != 200 || got != "shh" || err != nil {
		t.Errorf("%d, opened %q, %v", w.Code, got, err)
	}
	for _, bad := range []string{"", "abc", javaKey[2:]} {
		if w := b.ask(t, "PUT", "/encryption/keys/JKS", "Bearer "+testAdmin, bad); w.Code != http.StatusBadRequest {
			t.Errorf("key %q: %d", bad, w.Code)
		}
	}
}

// TestNoNameIsTooLongForTheStore: one that made a key or a value too long would end the store, and with it the node.
func TestNoNameIsTooLongForTheStore(t *testing.T) {
	b := rustBed(t, nil)
	for name, want := range map[string]int{strings.Repeat("k", 64): 204, strings.Repeat("k", 65): 400, strings.Repeat("k", 600): 400} {
		if w := b.ask(t, "PUT", "/encryption/keys/"+name, asAdmin, javaKey); w.Code != want {
			t.Errorf("a keystore with a name of %d bytes: %d %s", len(name), w.Code, w.Body)
		}
	}
	for size, want := range map[int]int{maxURL: 200, maxURL + 1: 400, 60000: 400} {
		url := "https://engine.example/" + strings.Repeat("x", size-len("https://engine.example/"))
		if w := b.ask(t, "PUT", "/settlement/engines", asAdmin, `{"XYZ":"`+url+`"}`); w.Code != want {
			t.Errorf("an engine of %d bytes: %d %s", size, w.Code, w.Body)
		}
		if w := b.askWith(t, "PUT", "/accounts/alice", asAdmin, `{"username":"alice","settlement_engine_url":"`+url+`"}`, map[string]string{"Content-Type": mergePatch}); w.Code != want {
			t.Errorf("an account's engine of %d bytes: %d %s", size, w.Code, w.Body)
		}
	}
	if w := b.ask(t, "PUT", "/rates", asAdmin, `{"ABC":1}`); w.Code != http.StatusOK {
		t.Errorf("afterwards: %d %s", w.Code, w.Body)
	}
}
