package caddymodule

// This file has accounts that the API has made, over reloads and restarts.
import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
)

// running returns what the running config works with.
func (s *server) running() *running {
	s.t.Helper()
	app, ok := activeApp()
	if !ok {
		s.t.Fatal("no config runs")
	}
	r, err := app.open()
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// make makes an account as the API does.
func (s *server) make(a nodeapi.Settings) {
	s.t.Helper()
	r := s.running()
	if err := r.opener.Open(a); err != nil {
		s.t.Fatal(err)
	}
	if err := r.books.directory.PutAccount(s.t.Context(), a); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) seal(secret string) nodeapi.Sealed {
	s.t.Helper()
	sealed, err := s.running().books.keeper.Seal(secret)
	if err != nil {
		s.t.Fatal(err)
	}
	return sealed
}

// kid is an account whose neighbour dials, and may send over HTTP.
func (s *server) kid(name, token string) nodeapi.Settings {
	return nodeapi.Settings{
		ID: ilpcore.AccountID(name), Form: nodeapi.FormRust, UUID: uuidOf(name), Relation: "child", Asset: nodeapi.Asset{Code: "USD", Scale: 9},
		BTP:     nodeapi.BTPLink{Incoming: s.seal(token)},
		HTTP:    nodeapi.HTTPLink{Incoming: []nodeapi.Credential{{Kind: nodeapi.Simple, Secret: s.seal(token)}}},
		Created: time.Now().UTC(),
	}
}

// asks asks the node for path, with the bearer token if there is one.
func (s *server) asks(path, bearer string) answer {
	s.t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://"+s.node+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	return s.send(request)
}

// TestAPIAccountsOverReloads wants that the connection of an account that the API has made, and the money on it, do not notice reloads.
func TestAPIAccountsOverReloads(t *testing.T) {
	s := newServer(t)
	s.load()
	s.make(s.kid("kid", strong))
	kid := s.neighbour("/accounts/kid/ilp/btp", "", strong, nil)
	eventually(t, "the neighbour connects", kid.Up)
	var paid atomic.Int64
	var paying sync.WaitGroup
	stop := make(chan struct{})
	paying.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			reply := kid.HandlePrepare(t.Context(), ping("test.paydoor", 1))
			if !reply.Fulfilled {
				t.Errorf("a ping is rejected: %s %s", reply.Code, reply.Message)
				return
			}
			paid.Add(1)
		}
	})
	for range 3 {
		s.site = strings.Replace(s.site, "paywall ", "paywall 1", 1)
		s.load()
		if n := len(openLinks()["kid"].incoming.handlers); n != 1 {
			t.Errorf("%d configs take the packets", n)
		}
	}
	close(stop)
	paying.Wait()
	if values, _ := s.scrape(); values[`paydoor_link_up{link="kid",relation="child"}`] != 1 {
		t.Error("the metrics do not show the account's link as up")
	}
	if kid.ups.Load() != 1 || kid.downs.Load() != 0 {
		t.Errorf("%d connects, %d disconnects", kid.ups.Load(), kid.downs.Load())
	}
	if balance, _ := s.running().books.accounts.Balance("kid"); balance.Net() != -paid.Load() || paid.Load() == 0 {
		t.Errorf("the balance is %d after %d pings", balance.Net(), paid.Load())
	}
	if err := s.running().opener.Close("kid"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the closed account's connection ends", func() bool { return kid.downs.Load() > 0 })
	if links := openLinks(); len(links) != 0 {
		t.Errorf("%d links are open", len(links))
	}
}

func ping(to string, amount uint64) ilpcore.Incoming {
	p := ilpcore.Prepare{Destination: []byte(to), ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.PingCondition}
	return withAmount(p, amount)
}

// TestRestartKeepsWhatTheAPIMade wants accounts, routes, rates and balances back after a stop.
func TestRestartKeepsWhatTheAPIMade(t *testing.T) {
	s := newServer(t)
	s.options += "\nspread 1%\nrates {\n USD 1\n}"
	s.load()
	s.make(s.kid("kid", strong))
	s.make(nodeapi.Settings{
		ID: "echo", Form: nodeapi.FormJava, Relation: "peer", Asset: nodeapi.Asset{Code: "EUR", Scale: 2}, Link: nodeapi.LinkLoopback,
	})
	directory := s.running().books.directory
	if err := directory.SetRoutes(t.Context(), []connector.Route{{Prefix: "test.echo", Account: "echo"}}); err != nil {
		t.Fatal(err)
	}
	if err := directory.SetTable(t.Context(), nodeapi.RatesTable, map[string]string{"USD": "2", "EUR": "2.2"}); err != nil {
		t.Fatal(err)
	}
	pay := func(want string) {
		t.Helper()
		local, err := s.running().node.Local("kid")
		if err != nil {
			t.Fatal(err)
		}
		if reply := local.HandlePrepare(t.Context(), ping("test.paydoor", 7)); !reply.Fulfilled {
			t.Fatalf("%s %s", reply.Code, reply.Message)
		}
		balance, _ := s.running().books.accounts.Balance("kid")
		if got := balance.Net(); got != map[string]int64{"first": -7, "second": -14}[want] {
			t.Errorf("the %s balance is %d", want, got)
		}
	}
	pay("first")
	if err := caddy.Stop(); err != nil {
		t.Fatal(err)
	}
	s.load()
	pay("second")
	r := s.running()
	if routes := r.node.StaticRoutes(); len(routes) != 1 || routes[0].Account != "echo" {
		t.Errorf("routes %v", routes)
	}
	if rates := r.rates.All(); len(rates) != 2 || rates["EUR"].String() != "2.2" {
		t.Errorf("rates %v", rates)
	}
	kid := s.neighbour("/ilp/btp", "kid", strong, nil)
	eventually(t, "the neighbour connects again", kid.Up)
	if got := s.asks("/status", mustAdminToken(t, s)); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"kid"`) {
		t.Errorf("the status is %s %s", got.Status, got.body)
	}
}

func mustAdminToken(t *testing.T, s *server) string {
	t.Helper()
	info, err := os.Stat(s.dataDir() + "/" + adminTokenFile)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("the admin token's file: %v, %v", info, err)
	}
	token, err := readSecretFile(s.dataDir() + "/" + adminTokenFile)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestCaddyfileAccountsWin has the same account in the Caddyfile from some reload on, and no longer from another.
func TestCaddyfileAccountsWin(t *testing.T) {
	s := newServer(t)
	s.load()
	s.make(s.kid("kid", strong))
	plain := s.options
	s.options += "\naccount kid {\n relation child\n btp listen x" + strong + "\n}"
	log := filepath.Join(t.TempDir(), "log")
	logged := strings.Replace(s.caddyfile(), "output discard", "output file "+log, 1)
	if err := s.tryLoad(logged); err != nil {
		t.Fatal(err)
	}
	line := strings.Count(logged[:strings.Index(logged, "account kid")], "\n") + 1
	written, err := os.ReadFile(log)
	if want := fmt.Sprintf(`"account":"kid","caddyfile":"Caddyfile:%d"`, line); err != nil || strings.Count(string(written), want) != 1 {
		t.Errorf("the log does not say %s once (%v): %s", want, err, written)
	}
	if n := len(s.running().opener.opened); n != 0 {
		t.Errorf("%d accounts of the API are open", n)
	}
	static := s.neighbour("/ilp/btp", "kid", "x"+strong, nil)
	eventually(t, "the token of the Caddyfile is taken", static.Up)
	made := s.neighbour("/ilp/btp", "kid", strong, nil)
	eventually(t, "the token of the API is refused", func() bool { return made.Err() != nil && strings.Contains(made.Err().Error(), "refused") })
	s.options = plain
	s.load()
	again := s.neighbour("/ilp/btp", "kid", strong, nil)
	eventually(t, "the token of the API is taken again", again.Up)
}

// TestFailedReloadLeavesTheAPIAlone changes an account after a config has failed.
func TestFailedReloadLeavesTheAPIAlone(t *testing.T) {
	s := newServer(t)
	s.load()
	s.make(s.kid("kid", strong))
	before := s.running()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = taken.Close() }()
	for range 2 {
		if err := s.tryLoad(s.caddyfile() + "\nhttp://" + taken.Addr().String() + " {\n\tbind 127.0.0.1\n\trespond no\n}\n"); err == nil {
			t.Fatal("a config with a taken port was accepted")
		}
	}
	if s.running() != before || before.books.newest(before) != before {
		t.Error("another config answers the API")
	}
	if n := len(openLinks()["kid"].incoming.handlers); n != 1 {
		t.Errorf("%d configs take the packets", n)
	}
	s.make(s.kid("late", "x"+strong))
	late := s.neighbour("/accounts/late/ilp/btp", "", "x"+strong, nil)
	eventually(t, "the new account's neighbour connects", late.Up)
}

// TestAPIAccountsAreChecked wants the field of each mistake, and no secret in the words for it.
func TestAPIAccountsAreChecked(t *testing.T) {
	s := newServer(t)
	s.load()
	zero := uint32(0)
	for name, c := range map[string]struct {
		edit  func(*nodeapi.Settings)
		field string
	}{
		"relation":    {func(a *nodeapi.Settings) { a.Relation = "friend" }, "relation"},
		"play money":  {func(a *nodeapi.Settings) { a.Relation = "parent" }, "relation"},
		"asset":       {func(a *nodeapi.Settings) { a.Asset.Code = "" }, "asset"},
		"no packets":  {func(a *nodeapi.Settings) { a.PacketsPerMinute = &zero }, "packets_per_minute"},
		"link":        {func(a *nodeapi.Settings) { a.Link = "FOO" }, "link"},
		"weak":        {func(a *nodeapi.Settings) { a.HTTP.Incoming[0].Secret = s.seal("hunter2") }, "http.incoming"},
		"not ours":    {func(a *nodeapi.Settings) { a.BTP.Incoming = "enc:jks:a:b:1:aes_gcm:AAAA" }, "btp.incoming"},
		"own machine": {func(a *nodeapi.Settings) { a.HTTP.URL = "https://127.0.0.1/ilp" }, "http.url"},
		"private":     {func(a *nodeapi.Settings) { a.HTTP.URL = "https://10.1.2.3/ilp" }, "http.url"},
		"mapped":      {func(a *nodeapi.Settings) { a.BTP.URL = "btp+wss://:" + strong + "@[::ffff:192.168.0.1]/" }, "btp.url"},
		"a number":    {func(a *nodeapi.Settings) { a.HTTP.URL = "https://127.1/ilp" }, "http.url"},
		"a name":      {func(a *nodeapi.Settings) { a.HTTP.URL = "https://connector.localhost./ilp" }, "http.url"},
		"plain":       {func(a *nodeapi.Settings) { a.HTTP.URL = "http://c.example/ilp" }, "http.url"},
		"plain btp":   {func(a *nodeapi.Settings) { a.BTP.URL = "btp+ws://:" + strong + "@c.example" }, "btp.url"},
		"no token":    {func(a *nodeapi.Settings) { a.BTP.URL = "btp+wss://c.example" }, "btp.outgoing"},
		"no btp":      {func(a *nodeapi.Settings) { a.BTP.URL = "https://c.example" }, "btp.url"},
		"no JWT subject": {func(a *nodeapi.Settings) {
			a.HTTP.URL, a.HTTP.Outgoing = "https://c.example", &nodeapi.Credential{Kind: nodeapi.JWTHS256, Secret: s.seal(strong)}
		}, "http.outgoing"},
	} {
		t.Run(name, func(t *testing.T) {
			a := s.kid("kid", strong)
			c.edit(&a)
			err := s.running().opener.Open(a)
			if field, ok := err.(*nodeapi.FieldError); !ok || field.Field != c.field {
				t.Fatalf("got %v, want one about %s", err, c.field)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), strong) {
				t.Errorf("the error shows a secret: %v", err)
			}
			if len(openLinks()) != 0 {
				t.Error("a link was left open")
			}
		})
	}
}
