package nodeapi

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/store"
)

func openStore(t testing.TB, dir string) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), dir, store.Options{MinFree: 1 << 20, Ballast: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// heldStore opens a store of which hold keeps the next commit waiting until letGo; arrived is closed when there is one.
func heldStore(t testing.TB) (s *store.Store, hold func() (arrived <-chan struct{}, letGo func())) {
	t.Helper()
	type gate struct{ arrived, open chan struct{} }
	var next atomic.Pointer[gate]
	s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store"), store.Options{MinFree: 1 << 20, Ballast: -1, Fault: func(at store.Point, _ uint64) error {
		if at != store.BeforeCommit {
			return nil
		}
		if g := next.Swap(nil); g != nil {
			close(g.arrived)
			<-g.open
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s, func() (<-chan struct{}, func()) {
		g := &gate{make(chan struct{}), make(chan struct{})}
		next.Store(g)
		return g.arrived, sync.OnceFunc(func() { close(g.open) })
	}
}

func openDirectory(t testing.TB, s *store.Store) *Directory {
	t.Helper()
	d, err := OpenDirectory(s, NewKeeper([][]byte{testSecret}, rand.Reader))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDirectorySurvivesARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	s := openStore(t, dir)
	d := openDirectory(t, s)
	secret, err := d.Keeper().Seal("not to be found on the disk")
	if err != nil {
		t.Fatal(err)
	}
	limit, least := amount.Amount(1<<63+1), int64(-1<<62-1)
	bob := Settings{
		ID: "bob", Form: FormRust, Relation: "peer", Asset: Asset{"ABC", 9}, MaxPacket: &limit, MinBalance: &least,
		HTTP:    HTTPLink{URL: "https://bob.example/ilp", Incoming: []Credential{{Kind: Simple, Secret: secret}}},
		Created: time.Unix(1, 2).UTC(), Custom: map[string]any{"a.b": "c"},
	}
	routes := []connector.Route{{Prefix: "", Account: "bob"}, {Prefix: "test.bob", Account: "bob"}}
	key, _ := hex.DecodeString(javaKey)
	for _, err := range []error{
		d.PutAccount(t.Context(), bob), d.PutAccount(t.Context(), Settings{ID: "gone"}), d.DeleteAccount(t.Context(), "gone"),
		d.SetRoutes(t.Context(), append(routes, connector.Route{Prefix: "test.old", Account: "bob"})), d.SetRoutes(t.Context(), routes),
		d.SetTable(t.Context(), RatesTable, map[string]string{"ABC": "1.000000000000000000001"}),
		d.ImportKey(t.Context(), "jks", key), s.Close(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	again := openDirectory(t, openStore(t, dir))
	if diff := cmp.Diff([]Settings{bob}, again.Accounts()); diff != "" {
		t.Errorf("accounts (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(routes, again.Routes()); diff != "" {
		t.Errorf("routes (-want +got):\n%s", diff)
	}
	if got, set := again.Table(RatesTable); !set || got["ABC"] != "1.000000000000000000001" {
		t.Errorf("rates %v", got)
	}
	if got, err := again.Keeper().Open("enc:JKS:crypto.p12:secret0:1:aes_gcm:AAAADKZPmASojt1iayb2bPy4D-Toq7TGLTN95HzCQAeJtz0="); got != "shh" || err != nil {
		t.Errorf("the imported key opens %q, %v", got, err)
	}
	if _, err := again.Account("gone"); !errors.Is(err, ErrNoAccount) {
		t.Errorf("a deleted account: %v", err)
	}
	for _, secret := range []string{"not to be found on the disk", string(key)} {
		if file := fileWith(t, dir, secret); file != "" {
			t.Errorf("a secret stands in %s", file)
		}
	}
}

func fileWith(t *testing.T, dir, text string) (found string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		if bytes.Contains(b, []byte(text)) {
			found = path
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestDirectoryRefusesMoreRoutesThanAGroupTakes(t *testing.T) {
	d := openDirectory(t, openStore(t, filepath.Join(t.TempDir(), "store")))
	var routes []connector.Route
	for i := range maxRoutes + 1 {
		routes = append(routes, connector.Route{Prefix: "test.a" + string(rune('a'+i%26)) + hex.EncodeToString([]byte{byte(i >> 8), byte(i)}), Account: "bob"})
	}
	if err := d.SetRoutes(t.Context(), routes); !errors.Is(err, ErrTooMany) {
		t.Errorf("%d routes: %v", len(routes), err)
	}
	if err := d.SetRoutes(t.Context(), routes[1:]); err != nil || len(d.Routes()) != maxRoutes {
		t.Errorf("%d routes: %v", len(routes)-1, err)
	}
}
