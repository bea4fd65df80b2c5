package nodeapi

import (
	"errors"
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// watchedOpener counts what it passes on, and keeps accounts closed.
type watchedOpener struct {
	Opener
	opens, closes int
	shut          ilpcore.AccountID // whom it does not open
}

func (o *watchedOpener) Open(s Settings) error {
	o.opens++
	if s.ID == o.shut {
		return errors.New("its link cannot be opened")
	}
	return o.Opener.Open(s)
}

func (o *watchedOpener) Close(id ilpcore.AccountID) error {
	o.closes++
	return o.Opener.Close(id)
}

// TestARouteToAClosedAccountHoldsNothingUp: other routes and accounts change all the same, and it comes back with its account.
func TestARouteToAClosedAccountHoldsNothingUp(t *testing.T) {
	opener := new(watchedOpener)
	b := rustBed(t, func(c *Config) { opener.Opener, c.Opener = c.Opener, opener })
	for _, name := range []string{"carl", "shut"} {
		if w := b.ask(t, "POST", "/accounts", asAdmin, `{"username":"`+name+`","asset_code":"XYZ","asset_scale":6}`); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	kept := []connector.Route{{Prefix: "", Account: "gone"}, {Prefix: "test.gone", Account: "gone"}, {Prefix: "test.shut", Account: "shut"}}
	if err := b.directory.SetRoutes(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	if err := b.opener.Close("shut"); err != nil {
		t.Fatal(err)
	}
	opener.shut = "shut"
	b.TakeOver()
	for _, change := range []struct{ method, path, body string }{
		{"PUT", "/routes/static/test.x", "alice"}, {"DELETE", "/accounts/bob", ""},
		{"POST", "/accounts", `{"username":"up","asset_code":"XYZ","asset_scale":6,"routing_relation":"Parent"}`},
	} {
		if w := b.ask(t, change.method, change.path, asAdmin, change.body); w.Code != http.StatusOK {
			t.Errorf("%s %s: %d %s", change.method, change.path, w.Code, w.Body)
		}
	}
	in := func() map[string]any { return members(t, b.ask(t, "GET", "/routes", "", "")) }
	if routes := in(); routes["test.x"] != "alice" || routes[""] != "up" || routes["test.gone"] != nil || routes["test.shut"] != nil {
		t.Errorf("in force are %v", routes)
	}
	for name, want := range map[string]int{"shut": http.StatusBadRequest, "gone": http.StatusNotFound} {
		if w := b.ask(t, "PUT", "/routes/static/test.y", asAdmin, name); w.Code != want {
			t.Errorf("a new route to the account %s: %d %s", name, w.Code, w.Body)
		}
	}
	opener.shut = ""
	if w := b.ask(t, "PUT", "/accounts/shut", asAdmin, `{"username":"shut","asset_code":"XYZ","asset_scale":6}`); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if routes := in(); routes["test.shut"] != "shut" || routes["test.x"] != "alice" || routes["test.gone"] != nil {
		t.Errorf("with the account its route does not come back: %v", routes)
	}
}

// TestARefusedDeletionLeavesTheAccountAlone: its link and its routes work on as if nobody had asked.
func TestARefusedDeletionLeavesTheAccountAlone(t *testing.T) {
	opener := new(watchedOpener)
	b := rustBed(t, func(c *Config) { opener.Opener, c.Opener = c.Opener, opener })
	if w := b.ask(t, "PUT", "/routes/static/test.x", asAdmin, "alice"); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if _, err := b.books.Credit(t.Context(), "alice", 1, nil); err != nil {
		t.Fatal(err)
	}
	opener.opens = 0
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusConflict {
		t.Errorf("with a balance: %d %s", w.Code, w.Body)
	}
	if err := b.directory.put(t.Context(), outgoingKey+"bob", outgoing{Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if w := b.ask(t, "DELETE", "/accounts/bob", asAdmin, ""); w.Code != http.StatusConflict {
		t.Errorf("with a settlement under way: %d %s", w.Code, w.Body)
	}
	if opener.opens != 0 || opener.closes != 0 {
		t.Errorf("the accounts were closed %d times and opened %d times", opener.closes, opener.opens)
	}
}

// TestAParentIsMadeWithItsRouteOrNotAtAll: whichever change the disk fails, there is the one and the other, or none of both.
func TestAParentIsMadeWithItsRouteOrNotAtAll(t *testing.T) {
	for good := range int64(3) {
		var left atomic.Int64 // changes that the disk takes
		left.Store(1 << 32)
		fault := func(at store.Point, _ uint64) error {
			if at == store.BeforeCommit && left.Add(-1) < 0 {
				return errors.New("the disk is broken")
			}
			return nil
		}
		s, err := store.Open(t.Context(), filepath.Join(t.TempDir(), "store"), store.Options{MinFree: 1 << 20, Ballast: -1, Fault: fault})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		b := newBedOn(t, s, nil)
		left.Store(good)
		_, err = b.create(t.Context(), Settings{ID: "up", Relation: connector.Parent.String(), Asset: Asset{"USD", 9}})
		_, open := b.node.Account("up")
		want := 0
		if err == nil {
			want = 1
		}
		if accounts, kept, used := len(b.directory.Accounts()), len(b.directory.Routes()), len(b.node.StaticRoutes()); accounts != want || kept != want || used != want || open != (want == 1) {
			t.Errorf("after %d good changes and %v there are %d accounts, %d routes, %d in force, open: %v", good, err, accounts, kept, used, open)
		}
	}
}
