package caddymodule

// This file checks what is resolved when a config is loaded, and the words for what cannot be.

import (
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/paydoor/paydoor/balances"
	"github.com/paydoor/paydoor/ilpcore"
)

var strong = strings.Repeat("s", 32)

func TestResolveSettings(t *testing.T) {
	t.Setenv("PAYDOOR_TEST_SECRET", strong)
	app := &App{
		DataDir: t.TempDir(), Address: "test.shop", Secret: []string{"{env.PAYDOOR_TEST_SECRET}"}, Durability: "process", MaxBalance: "7",
		Accounts: []*Account{
			{Name: "bob", Relation: "child", HTTP: &HTTPLink{Incoming: []Credential{{Secret: "{env.PAYDOOR_TEST_SECRET}"}}}, MaxPacket: "5"},
		},
		Routes: []Route{{Prefix: "*", Account: "bob"}},
	}
	s, err := app.resolveSettings()
	if err != nil {
		t.Fatal(err)
	}
	bob := s.accounts[0]
	switch {
	case s.address != "test.shop", s.asset != (ilpcore.Asset{Code: "USD", Scale: 9}), s.maxBalance != 7:
		t.Errorf("address %s, asset %s, max_balance %s", s.address, s.asset, s.maxBalance)
	case string(s.secrets[0]) != strong, bob.incoming[0] != (incomingCredential{kind: credentialSimple, secret: strong}), bob.MaxPacketAmount != 5:
		t.Errorf("secrets %q, account %+v", s.secrets, bob)
	case s.routes[0].Prefix != "", s.ledger.durability != balances.Process, s.ledger.cacheSize != defaultCacheSize:
		t.Errorf("routes %v, ledger %+v", s.routes, s.ledger)
	}
}

func TestResolveSettingsErrors(t *testing.T) {
	t.Setenv("PAYDOOR_TEST_SECRET", strong)
	t.Setenv("PAYDOOR_TEST_EMPTY", "")
	t.Setenv("PAYDOOR_TEST_ZERO", "0")
	const hidden = "hunter2"
	btp := func(url string) []*Account {
		return []*Account{{Name: "up", Relation: "parent", BTP: &BTPLink{URL: url}}}
	}
	http := func(url, in, out string) []*Account {
		return []*Account{{Name: "up", Relation: "parent", HTTP: &HTTPLink{
			URL: url, Incoming: []Credential{{Secret: in}}, Outgoing: &Credential{Secret: out},
		}}}
	}
	jwt := func(outgoing Credential) []*Account {
		return []*Account{{Name: "up", Relation: "parent", HTTP: &HTTPLink{URL: "https://c.example/ilp", Outgoing: &outgoing}}}
	}
	listen := func(l BTPListen) []*Account {
		return []*Account{{Name: "up", Relation: "parent", BTP: &BTPLink{Listen: &l}}}
	}
	for name, c := range map[string]struct {
		app  *App
		want string
	}{
		"no address":            {&App{}, "address test.paydoor"},
		"bad address":           {&App{Address: "{env.PAYDOOR_TEST_SECRET}"}, "not an Interledger address"},
		"short receiver secret": {&App{Sandbox: true, AllowWeakSecrets: true, Secret: []string{hidden}}, "at least 32"},
		"unset secret":          {&App{Sandbox: true, Secret: []string{"{env.PAYDOOR_TEST_UNSET}"}}, "PAYDOOR_TEST_UNSET"},
		"empty secret":          {&App{Sandbox: true, Secret: []string{"{env.PAYDOOR_TEST_EMPTY}"}}, "PAYDOOR_TEST_EMPTY"},
		"no account":            {&App{Sandbox: true, Accounts: []*Account{nil}}, "null"},
		"no balance":            {&App{Sandbox: true, MaxBalance: "{env.PAYDOOR_TEST_ZERO}"}, "no token could hold anything"},
		"weak incoming":         {&App{Accounts: http("https://c.example/ilp", hidden, strong)}, "allow_weak_secrets"},
		"weak outgoing":         {&App{Accounts: http("https://c.example/ilp", strong, hidden)}, "allow_weak_secrets"},
		"weak btp":              {&App{Accounts: btp("btp+wss://u:" + hidden + "@c.example")}, "allow_weak_secrets"},
		"plain btp":             {&App{Accounts: btp("btp+ws://u:" + strong + "@c.example")}, "insecure"},
		"plain http":            {&App{Accounts: http("http://c.example/ilp", strong, strong)}, "insecure"},
		"btp without token":     {&App{Accounts: btp("btp+wss://c.example")}, "btp"},
		"http with userinfo":    {&App{Accounts: http("https://u:"+hidden+"@c.example/ilp", strong, strong)}, "outgoing"},
		"parent without link":   {&App{Accounts: []*Account{{Name: "up", Relation: "parent", HTTP: &HTTPLink{Incoming: []Credential{{Secret: strong}}}}}}, "reachable"},
		"two parents": {&App{Accounts: append(btp("btp+wss://u:"+strong+"@c.example"),
			&Account{Name: "up2", Relation: "parent", BTP: &BTPLink{URL: "btp+wss://u:" + strong + "@d.example"}})}, "one parent"},
		"route to nobody":              {&App{Sandbox: true, Routes: []Route{{Prefix: "test.bob", Account: "bob"}}}, "bob"},
		"sandbox with real money":      {&App{Sandbox: true, Address: "g.shop"}, "play money"},
		"sandbox with a parent":        {&App{Sandbox: true, Accounts: []*Account{{Name: "up", Relation: "parent", BTP: &BTPLink{URL: "btp+ws://:t@127.0.0.1:1"}}}, AllowWeakSecrets: true}, "play money"},
		"sandbox name taken":           {&App{Sandbox: true, Accounts: []*Account{{Name: "sandbox", Relation: "local"}}}, "sandbox"},
		"dotted child":                 {&App{Address: "test.a", Accounts: []*Account{{Name: "a.b", Relation: "local"}}}, "a.b"},
		"asset of a placeholder":       {&App{Address: "test.a", Asset: &Asset{"{env.PAYDOOR_TEST_UNSET}", 2}}, "PAYDOOR_TEST_UNSET"},
		"other asset by a placeholder": {&App{Address: "test.a", Accounts: []*Account{{Name: "b", Relation: "local", Asset: &Asset{"{env.PAYDOOR_TEST_ZERO}", 2}}}}, "exchange rate"},
		"no asset":                     {&App{Address: "test.a", Accounts: []*Account{{Name: "b", Relation: "local", Asset: &Asset{"", 2}}}}, "asset code"},
		"other asset":                  {&App{Address: "test.a", Accounts: []*Account{{Name: "b", Relation: "local", Asset: &Asset{"EUR", 2}}}}, "exchange rate"},
		"durability":                   {&App{Sandbox: true, Durability: "fast"}, "group or process"},
		"max_balance":                  {&App{Sandbox: true, MaxBalance: "1.5"}, "max_balance"},
		"jwt credential":               {&App{Address: "test.a", Accounts: []*Account{{Name: "b", Relation: "peer", HTTP: &HTTPLink{Incoming: []Credential{{Type: "jwt_rs256", Secret: strong}}}}}}, "not available"},
		"jwt without subject":          {&App{Accounts: jwt(Credential{Type: "jwt_hs256", Secret: strong})}, "outgoing jwt_hs256 SUBJECT"},
		"jwt empty subject":            {&App{Accounts: jwt(Credential{Type: "jwt_hs256", Subject: "{env.PAYDOOR_TEST_EMPTY}", Secret: strong})}, "PAYDOOR_TEST_EMPTY"},
		"jwt weak":                     {&App{Accounts: jwt(Credential{Type: "jwt_hs256", Subject: "us", Secret: hidden})}, "allow_weak_secrets"},
		"jwt weak in base64":           {&App{Accounts: jwt(Credential{Type: "jwt_hs256", Subject: "us", Secret: "base64:aHVudGVyMmh1bnRlcjJodW50ZXIyaHVudGVy"})}, "27 bytes"},
		"jwt broken base64":            {&App{Accounts: jwt(Credential{Type: "jwt_hs256", Subject: "us", Secret: "base64:" + hidden + "!" + strong})}, "write base64"},
		"simple with subject":          {&App{Accounts: jwt(Credential{Type: "simple", Subject: "us", Secret: strong})}, "jwt_hs256"},
		"outgoing for ever":            {&App{Accounts: jwt(Credential{Type: "jwt_hs256", Subject: "us", Secret: strong, AllowWithoutExp: true})}, "always expire"},
		"listen without token":         {&App{Accounts: listen(BTPListen{User: "us"})}, "btp listen {env.TOKEN}"},
		"listen with colon":            {&App{Accounts: listen(BTPListen{User: "us:" + hidden, Token: strong})}, "colon"},
		"listen weak":                  {&App{Accounts: listen(BTPListen{Token: hidden})}, "allow_weak_secrets"},
		"listen and dial":              {&App{Accounts: []*Account{{Name: "up", Relation: "parent", BTP: &BTPLink{URL: "btp+wss://:" + strong + "@c.example", Listen: &BTPListen{Token: strong}}}}}, "both"},
	} {
		t.Run(name, func(t *testing.T) {
			c.app.DataDir = t.TempDir()
			_, err := c.app.resolveSettings()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v, and does not say %q", err, c.want)
			}
			if err != nil && (strings.Contains(err.Error(), hidden) || name != "bad address" && strings.Contains(err.Error(), strong)) {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

// TestAssetsOfPlaceholders: what a ledger is pinned to is the value, and a Caddyfile is read without it.
func TestAssetsOfPlaceholders(t *testing.T) {
	t.Setenv("PAYDOOR_TEST_CODE", "EUR")
	const caddyfile = `{
	ilp {
		address test.a
		asset {env.PAYDOOR_TEST_CODE} 2
		account bob {
			relation child
			asset {env.PAYDOOR_TEST_CODE} 2
			btp listen {env.PAYDOOR_TEST_SECRET}
		}
		account carol {
			relation child
			asset EUR 3
			btp listen {env.PAYDOOR_TEST_SECRET}
		}
	}
}
`
	var config struct {
		Apps struct {
			ILP App `json:"ilp"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(adapted(t, caddyfile), &config); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PAYDOOR_TEST_SECRET", strong)
	app := &config.Apps.ILP
	app.DataDir = t.TempDir()
	s, err := app.resolveSettings()
	if err != nil {
		t.Fatal(err)
	}
	euro := ilpcore.Asset{Code: "EUR", Scale: 2}
	if s.asset != euro || s.accounts[0].Asset != euro || s.accounts[0].link.Asset != euro {
		t.Errorf("the node counts in %v, the account in %v, its link in %v", s.asset, s.accounts[0].Asset, s.accounts[0].link.Asset)
	}
}

func TestWeakAndPlainWhereAllowed(t *testing.T) {
	app := &App{DataDir: t.TempDir(), AllowWeakSecrets: true, Insecure: true, Accounts: []*Account{
		{Name: "up", Relation: "parent", BTP: &BTPLink{URL: "btp+ws://u:shh@c.example"}},
		{Name: "bob", Relation: "peer", HTTP: &HTTPLink{
			URL: "http://c.example/ilp", Incoming: []Credential{{Secret: "shh"}}, Outgoing: &Credential{Secret: "shh"},
		}},
	}}
	if _, err := app.resolveSettings(); err != nil {
		t.Error(err)
	}
	app.Insecure = false
	app.Accounts = append(app.Accounts, &Account{Name: "carol", Relation: "peer", BTP: &BTPLink{Listen: &BTPListen{Token: "shh"}}})
	app.Accounts[0].BTP.URL = "btp+ws://u:shh@127.0.0.1:7768"
	app.Accounts[1].HTTP.URL = "http://localhost:7770/ilp"
	if _, err := app.resolveSettings(); err != nil {
		t.Errorf("on this machine: %v", err)
	}
}

func TestNumber(t *testing.T) {
	for text, want := range map[string]Number{`"10"`: "10", `10`: "10", `18446744073709551615`: "18446744073709551615", `"{env.P}"`: "{env.P}"} {
		var n Number
		if err := n.UnmarshalJSON([]byte(text)); err != nil || n != want {
			t.Errorf("%s is read as %q (%v)", text, n, err)
		}
	}
	for _, text := range []string{`true`, `[1]`, `{}`} {
		if err := new(Number).UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("%s was accepted", text)
		}
	}
	for _, text := range []Number{"", "1e3", "-1", "1.0", "18446744073709551616", "{http.request.header.X}", "{env.PAYDOOR_TEST_UNSET}"} {
		if v, err := text.resolve("price"); err == nil {
			t.Errorf("%q was resolved to %d", text, v)
		}
	}
}

// TestPricesAreTheServers wants that no client can name a price by a placeholder.
func TestPricesAreTheServers(t *testing.T) {
	p := &Paywall{Prices: []Price{{Amount: "{http.request.header.X-Price}"}}}
	if _, err := p.config(resolved); err == nil || !strings.Contains(err.Error(), "http.request.header") {
		t.Errorf("the price was accepted: %v", err)
	}
}

func TestCanonicalDirectory(t *testing.T) {
	dir := t.TempDir()
	want, err := canonicalDirectory(dir + "/a/b")
	if err != nil {
		t.Fatal(err)
	}
	for _, other := range []string{dir + "/a/./b", dir + "//a/b/", dir + "/x/../a/b"} {
		if got, err := canonicalDirectory(other); err != nil || got != want {
			t.Errorf("%s is %s (%v), not %s", other, got, err, want)
		}
	}
}

// TestDataDirectoryOfNobody wants no ledger that depends on where the server is started, and of a Caddyfile that somebody else reads nothing.
func TestDataDirectoryOfNobody(t *testing.T) {
	for _, name := range []string{"HOME", "XDG_DATA_HOME", "AppData", "home"} {
		t.Setenv(name, "")
	}
	app := &App{Sandbox: true}
	if _, err := app.resolveSettings(); err == nil || !strings.Contains(err.Error(), "write data_dir /var/lib/paydoor") {
		t.Errorf("the default is taken: %v", err)
	}
	if _, err := app.resolve(true); err != nil {
		t.Errorf("a Caddyfile cannot be read: %v", err)
	}
	app.DataDir = "data"
	if s, err := app.resolveSettings(); err != nil || !filepath.IsAbs(s.dataDir) {
		t.Errorf("%q, %v", s.dataDir, err)
	}
	app.DataDir = filepath.Join(t.TempDir(), "file", "below")
	if err := os.WriteFile(filepath.Dir(app.DataDir), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := app.resolveSettings(); err == nil {
		t.Error("a directory in a file is taken")
	}
	if _, err := app.resolve(true); err != nil {
		t.Errorf("whoever reads the Caddyfile looks at the directory: %v", err)
	}
}

func TestSaysWhatToDoWithoutAccess(t *testing.T) {
	for err, says := range map[error]string{
		&fs.PathError{Op: "open", Path: "/x", Err: syscall.EACCES}: "chown", syscall.EROFS: "chown", syscall.ENOSPC: "",
		&fs.PathError{Op: "stat", Path: "/x", Err: syscall.ENOTDIR}: "move the file away",
	} {
		got := notOpened("/data", err)
		if !errors.Is(got, err) || !strings.Contains(got.Error(), says) || says != "chown" && strings.Contains(got.Error(), "chown") {
			t.Errorf("%v", got)
		}
	}
}

func TestGeneratedSecrets(t *testing.T) {
	dir := t.TempDir()
	first, err := generated(dir, "s", neverEnding('r'))
	if err != nil || len(first) != 43 {
		t.Fatalf("%q, %v", first, err)
	}
	if again, err := generated(dir, "s", neverEnding('x')); err != nil || again != first {
		t.Errorf("the second call gives %q, %v", again, err)
	}
	for name, damage := range map[string]func(path string) error{
		"readable by others": func(path string) error { return chmod(path, 0o644) },
		"cut":                func(path string) error { return write(path, first[:20]) },
	} {
		if _, err := generated(dir, name, neverEnding('r')); err != nil {
			t.Fatal(err)
		}
		if err := damage(dir + "/" + name); err != nil {
			t.Fatal(err)
		}
		if secret, err := generated(dir, name, neverEnding('r')); err == nil {
			t.Errorf("%s: %q was used", name, secret)
		}
	}
	if _, err := generated(dir+"/missing", "s", neverEnding('r')); err == nil {
		t.Error("a secret was kept where there is no directory")
	}
}

func TestPacketPath(t *testing.T) {
	for path, want := range map[string]string{"/ilp": "", "/accounts/bob/ilp": "bob", "/accounts/a.b/ilp": "a.b"} {
		if got, ok := packetPath(path); !ok || got != want {
			t.Errorf("%s is %q, %v", path, got, ok)
		}
	}
	for _, path := range []string{"/", "/ilp/", "/accounts//ilp", "/accounts/ilp", "/accounts/a/b/ilp", "/accounts/bob", "/x/ilp"} {
		if _, ok := packetPath(path); ok {
			t.Errorf("%s was taken", path)
		}
	}
}

// The path of draft 1 belongs to whoever has it, but for packets.
func TestHeadersToRoot(t *testing.T) {
	for name, test := range map[string]struct {
		method, path, destination string
		want                      bool
	}{
		"packet":           {http.MethodPost, "/", "test.bob", true},
		"form":             {http.MethodPost, "/", "", false},
		"page":             {http.MethodGet, "/", "test.bob", false},
		"another path":     {http.MethodPost, "/checkout", "test.bob", false},
		"path of RFC 35":   {http.MethodPost, "/ilp", "test.bob", true},
		"path of accounts": {http.MethodPost, "/accounts/bob/ilp", "test.bob", true},
	} {
		r := httptest.NewRequest(test.method, test.path, nil)
		if test.destination != "" {
			r.Header.Set("ILP-Destination", test.destination)
		}
		if got := ofNode(r); got != test.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestPeerPath(t *testing.T) {
	for path, want := range map[string]string{"/ilp/btp": "", "/accounts/bob/ilp/btp": "bob"} {
		if got, ok := peerPath(path); !ok || got != want || !ofNode(httptest.NewRequest(http.MethodGet, path, nil)) {
			t.Errorf("%s is %q, %v", path, got, ok)
		}
	}
	for _, path := range []string{"/btp", "/ilp/btp/", "/accounts//ilp/btp", "/accounts/bob/btp", "/ilp/btp/btp", "/accounts/a/b/ilp/btp"} {
		if _, ok := peerPath(path); ok {
			t.Errorf("%s was taken", path)
		}
	}
}

// A key is bytes, however it is written.
func TestResolveKey(t *testing.T) {
	for text, want := range map[string]string{
		strong: strong, "base64:c2hoLi4u/w==": "shh...\xff", "base64:c2hoLi4u_w": "shh...\xff", "c2hoLi4u_w==": "c2hoLi4u_w==",
	} {
		if got, err := (resolver{weak: true}).key(text, "the key"); err != nil || got != want {
			t.Errorf("%q is %q, %v", text, got, err)
		}
	}
}

// within fails the test if f does not return in time.
func within(t *testing.T, d time.Duration, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("%s takes longer than %v", what, d)
	}
}
