package nodeapi

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
)

// basic is the admin's authorization, by which the dialect is Java's.
var basic = "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+testAdmin))

// strong and other are secrets that are long enough.
const (
	strong = "a-secret-with-more-than-32-bytes-in-it"
	other  = "another-secret-with-more-than-32-bytes"
)

func allowWeak(c *Config) { c.AllowWeakSecrets = true }

// seed000 is a body of the Java connector's peering guide.
func seed000(t *testing.T, account string) string {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "java", account+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// accountBody is the JSON of a minimal account with edits; a nil value takes a member out.
func accountBody(t testing.TB, edits map[string]any) string {
	t.Helper()
	members := map[string]any{"accountId": "bob", "accountRelationship": "CHILD", "linkType": "ILP_OVER_HTTP", "assetCode": "USD", "assetScale": 6}
	maps.Copy(members, edits)
	maps.DeleteFunc(members, func(_ string, v any) bool { return v == nil })
	return string(mustJSON(members))
}

// refusal reads an answer that has to be a problem of this status.
func refusal(t testing.TB, w *httptest.ResponseRecorder, status int) map[string]any {
	t.Helper()
	m := members(t, w)
	if w.Code != status || m["status"] != json.Number(strconv.Itoa(status)) || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("status %d, want %d: %s %s", w.Code, status, w.Header().Get("Content-Type"), w.Body)
	}
	return m
}

// open decrypts.
func (b *bed) open(t testing.TB, s any) string {
	t.Helper()
	text, ok := s.(Sealed)
	if !ok {
		given, _ := s.(string)
		text = Sealed(given)
	}
	if !strings.HasPrefix(string(text), ownHead) {
		t.Fatalf("%v is not encrypted with the node's key", s)
	}
	secret, err := b.directory.Keeper().Open(text)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

func TestSeed000CreatesItsAccounts(t *testing.T) {
	for _, node := range []struct{ peer, child, self string }{{"bob", "peter", "alice"}, {"alice", "pauline", "bob"}} {
		b := newBed(t, allowWeak)
		if w := b.ask(t, "PUT", "/encryption/keys/jks", basic, javaKey); w.Code != http.StatusNoContent {
			t.Fatalf("importing the key: %d %s", w.Code, w.Body)
		}
		for _, account := range []string{node.peer, node.child} {
			w := b.ask(t, "POST", "/accounts", basic, seed000(t, account))
			if w.Code != http.StatusCreated || w.Header().Get("Location") != "http://example.com/accounts/"+account || strings.Contains(w.Body.String(), `"shh"`) {
				t.Fatalf("%s: %d %v %s", account, w.Code, w.Header(), w.Body)
			}
		}
		peer, err := b.directory.Account(ilpcore.AccountID(node.peer))
		if err != nil {
			t.Fatal(err)
		}
		in, out := peer.HTTP.Incoming[0], *peer.HTTP.Outgoing
		if in.Kind != JWTHS256 || in.Subject != node.peer || b.open(t, in.Secret) != "shh" || out.Kind != JWTHS256 || out.Subject != node.self ||
			b.open(t, out.Secret) != "shh" || peer.HTTP.URL != "https://"+node.peer+".example.com/accounts/"+node.self+"/ilp" || peer.Relation != "peer" {
			t.Errorf("%s: %+v", node.peer, peer)
		}
		child, err := b.directory.Account(ilpcore.AccountID(node.child))
		if err != nil {
			t.Fatal(err)
		}
		if in := child.HTTP.Incoming[0]; in.Kind != Simple || b.open(t, in.Secret) != "shh" || child.HTTP.Outgoing != nil || child.Asset != (Asset{"USD", 3}) {
			t.Errorf("%s: %+v", node.child, child)
		}
		// Read back, the keys are spelled as they were.
		shown := members(t, b.ask(t, "GET", "/accounts/"+node.peer, basic, ""))["customSettings"].(map[string]any)
		for _, key := range []string{"incoming.shared_secret", "outgoing.shared_secret"} {
			if b.open(t, shown["ilpOverHttp."+key]) != "shh" {
				t.Errorf("%s is %v", key, shown["ilpOverHttp."+key])
			}
		}
		if shown["ilpOverHttp.incoming.token_subject"] != node.peer || shown["ilpOverHttp.outgoing.auth_type"] != "JWT_HS_256" || len(shown) != 7 {
			t.Errorf("customSettings %v", shown)
		}
	}
}

func TestSeed000IsRefusedWithoutItsKeyAndWhereSecretsAreStrong(t *testing.T) {
	b := newBed(t, allowWeak)
	p := refusal(t, b.ask(t, "POST", "/accounts", basic, seed000(t, "bob")), 400)
	if detail := p["detail"].(string); !strings.Contains(detail, "import-key") || !strings.Contains(detail, "ilpOverHttp.incoming.shared_secret") {
		t.Errorf("without the key: %s", detail)
	}
	b = newBed(t, nil)
	p = refusal(t, b.ask(t, "POST", "/accounts", basic, seed000(t, "peter")), 400)
	if detail := p["detail"].(string); !strings.Contains(detail, "allow_weak_secrets") || !strings.Contains(detail, "openssl rand") {
		t.Errorf("a weak secret: %s", detail)
	}
	if accounts := b.directory.Accounts(); len(accounts) != 0 {
		t.Errorf("%d accounts were made", len(accounts))
	}
}

// accesses are all endpoints of the dialect, and who may use them beside the admin.
var accesses = []struct {
	method, path string
	holder, all  bool
}{
	{"GET", "/", false, true},
	{"POST", "/accounts", false, false},
	{"GET", "/accounts", false, false},
	{"GET", "/accounts/bob", true, false},
	{"PUT", "/accounts/bob", false, false},
	{"DELETE", "/accounts/bob", false, false},
	{"GET", "/accounts/bob/balance", true, false},
	{"GET", "/routes", false, false},
	{"GET", "/routes/static", false, false},
	{"PUT", "/routes/static/test.other", false, false},
	{"DELETE", "/routes/static/test.other", false, false},
	{"POST", "/encryption/encrypt", false, false},
	{"PUT", "/encryption/keys/jks", false, false},
}

func TestJavaAccess(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Dialect = Java })
	for id, secret := range map[string]string{"bob": strong, "jill": other} {
		body := accountBody(t, map[string]any{"accountId": id, "customSettings": map[string]any{
			"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.simple.auth_token": secret,
		}})
		if w := b.ask(t, "POST", "/accounts", basic, body); w.Code != http.StatusCreated {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	for _, e := range accesses {
		for name, who := range map[string]struct {
			authorization string
			may           bool
		}{
			"nobody":             {"", e.all},
			"a wrong bearer":     {"Bearer wrong", e.all},
			"a wrong password":   {"Basic " + base64.StdEncoding.EncodeToString([]byte("admin:wrong")), e.all},
			"another user":       {"Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+testAdmin)), e.all},
			"another account":    {"Bearer " + other, e.all},
			"the account itself": {"Bearer " + strong, e.all || e.holder},
		} {
			w := b.ask(t, e.method, e.path, who.authorization, "")
			if who.may && w.Code != http.StatusOK {
				t.Errorf("%s %s by %s: %d %s", e.method, e.path, name, w.Code, w.Body)
			}
			if !who.may {
				refusal(t, w, http.StatusUnauthorized)
			}
		}
		for _, authorization := range []string{basic, "Bearer " + testAdmin} {
			if w := b.ask(t, e.method, e.path, authorization, ""); w.Code == http.StatusUnauthorized {
				t.Errorf("%s %s by the admin: %d", e.method, e.path, w.Code)
			}
		}
		// What the admin did with an empty body must not have changed what comes next, but for the deletion.
		if e.method == "DELETE" && strings.HasPrefix(e.path, "/accounts") {
			body := accountBody(t, map[string]any{"customSettings": map[string]any{
				"ilpOverHttp.incoming.auth_type": "SIMPLE", "ilpOverHttp.incoming.simple.auth_token": strong,
			}})
			if w := b.ask(t, "POST", "/accounts", basic, body); w.Code != http.StatusCreated {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
		}
	}
}

func TestUnknownEndpointsAnswerProblems(t *testing.T) {
	b := newBed(t, nil)
	for path, status := range map[string]int{"/accounts/bob/tokens": 404, "/accounts/bob/tokens/1": 404, "/encryption/refresh": 404, "/routes/": 404} {
		refusal(t, b.ask(t, "GET", path, basic, ""), status)
	}
	w := b.ask(t, "PATCH", "/accounts/bob", basic, "")
	if refusal(t, w, 405); !strings.Contains(w.Header().Get("Allow"), "PUT") {
		t.Errorf("Allow: %q", w.Header().Get("Allow"))
	}
}

func TestJavaStatus(t *testing.T) {
	b := newBed(t, func(c *Config) { c.Dialect = Java })
	if m := members(t, b.ask(t, "GET", "/", "", "")); m["operatorAddress"] != "test.node" || m["version"] != "1.2.3" {
		t.Errorf("%v", m)
	}
}
