package cli

// This file is a server that takes money on request, the node that brings it, and how a test types a command.

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/receiver"
)

// terminal types commands, with a wallet and variables of its own.
type terminal struct {
	t     *testing.T
	dir   string
	vars  map[string]string
	tty   bool
	stdin string
	base  http.RoundTripper // for requests; nil: that of the commands
}

func newTerminal(t *testing.T) *terminal {
	return &terminal{t: t, dir: t.TempDir(), vars: map[string]string{nodeVariable: "http://127.0.0.1:1"}}
}

// typed is what a command printed, and its exit status.
type typed struct {
	stdout, stderr string
	status         int
}

// types runs `paydoor fetch` or `paydoor wallet`.
func (term *terminal) types(args ...string) typed {
	term.t.Helper()
	e := Environment{Getenv: func(name string) string { return term.vars[name] }, Dir: term.dir, Now: time.Now, Random: rand.Reader,
		Transport: term.base, Terminal: func(w io.Writer) bool { return term.tty }}
	cmd := &cobra.Command{Use: args[0], SilenceErrors: true}
	map[string]func(*cobra.Command, Environment){"fetch": Fetch, "wallet": Wallet}[args[0]](cmd, e)
	var stdout, stderr bytes.Buffer
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetIn(strings.NewReader(term.stdin))
	cmd.SetArgs(args[1:])
	err := cmd.Execute()
	if err != nil && err.Error() != "" {
		fmt.Fprintf(&stderr, "paydoor: %v\n", err)
	}
	return typed{stdout.String(), stderr.String(), ExitStatus(err)}
}

// till counts what arrives, by payee.
type till struct {
	mu       sync.Mutex
	balances map[[32]byte]uint64
}

// shop is a server that asks 10 for each path but those below /free, and the node before it.
type shop struct {
	*httptest.Server
	*receiver.Receiver
	node  *httptest.Server
	till  till
	seen  []string // what arrived: method, path, body
	heads []http.Header
	asks  func(pay string) string // changes the Pay header
	links []string                // the Link header
	fault string                  // what packets are rejected with; "": they arrive

	closing chan struct{} // is closed with the server
}

func newShop(t *testing.T) *shop {
	t.Helper()
	s := &shop{till: till{balances: map[[32]byte]uint64{}}, closing: make(chan struct{}), asks: func(pay string) string { return pay }}
	var err error
	s.Receiver, err = receiver.New(receiver.Config{Secrets: [][]byte{make([]byte, 32)}, Addresses: place{}, Crediter: s, Random: rand.Reader, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	packets, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: anybody{}, Handler: ilpcore.HandlerFunc(s.packet)})
	if err != nil {
		t.Fatal(err)
	}
	s.node = httptest.NewServer(packets)
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(func() { close(s.closing); s.node.Close(); s.Close() })
	return s
}

// hash is the account of a token.
func hash(token string) [32]byte { return sha256.Sum256([]byte(token)) }

// serve sells.
func (s *shop) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	if r.URL.Path == "/free/hanging" {
		<-s.closing
		return
	}
	s.till.mu.Lock()
	defer s.till.mu.Unlock()
	s.seen = append(s.seen, strings.TrimSpace(r.Method+" "+r.URL.RequestURI()+" "+string(body)))
	s.heads = append(s.heads, r.Header)
	if strings.HasPrefix(r.URL.Path, "/free") {
		s.free(w, r)
		return
	}
	if r.URL.Path == "/mute" && r.Method == http.MethodOptions { // as koa-ilp answers who has a token
		http.Error(w, "broken", http.StatusInternalServerError)
		return
	}
	account := hash(r.Header.Get("Pay-Token"))
	token, err := base64.RawURLEncoding.DecodeString(r.Header.Get("Pay-Token"))
	if err != nil {
		http.Error(w, "bad token", http.StatusBadRequest)
		return
	}
	quote, err := s.Quote(receiver.QuoteRequest{Payee: receiver.TokenPayee(account), Token: token, Due: 10})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	balance, status := s.till.balances[account], http.StatusNoContent
	switch {
	case r.Method == http.MethodOptions:
	case balance < 10:
		status = http.StatusPaymentRequired
	default:
		balance -= 10
		s.till.balances[account], status = balance, http.StatusOK
	}
	w.Header().Set("Pay", s.asks(r.Header.Get("Pay-Accept")+" "+string(quote.Address)+" "+base64.RawURLEncoding.EncodeToString(quote.SharedSecret[:])+" 10"))
	w.Header().Set("Pay-Balance", fmt.Sprint(balance))
	w.Header()["Link"] = s.links
	w.Header().Set("X-Method", r.Method)
	if status == http.StatusOK && r.URL.Path == "/circle" { // each turn is paid
		w.Header().Set("Location", "/circle")
		status = http.StatusFound
	}
	w.WriteHeader(status)
	if status == http.StatusOK {
		fmt.Fprintln(w, "worth 10")
		if r.URL.Path == "/reset" {
			reset(w)
		}
	}
}

// free serves what costs nothing.
func (s *shop) free(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/free/away":
		http.Redirect(w, r, "/paid", http.StatusFound)
	case "/free/elsewhere": // the same server is another host by another name
		http.Redirect(w, r, strings.Replace(s.URL, "127.0.0.1", "localhost", 1)+"/a?location-word", http.StatusFound)
	case "/free/odd":
		w.Header().Set("Location", "/%zz?secret-word")
		w.WriteHeader(http.StatusFound)
		fmt.Fprintln(w, "odd")
	case "/free/kept":
		http.Redirect(w, r, "/a", http.StatusTemporaryRedirect)
	case "/free/loop":
		http.Redirect(w, r, "/free/loop", http.StatusFound)
	case "/free/ftp":
		http.Redirect(w, r, "ftp://127.0.0.1/", http.StatusFound)
	case "/free/unchanged":
		w.WriteHeader(http.StatusNotModified)
	case "/free/gone":
		http.Error(w, "gone", http.StatusGone)
	case "/free/broken":
		w.Header().Set("Content-Length", "100")
		fmt.Fprint(w, "half")
	case "/free/reset":
		fmt.Fprint(w, "half")
		reset(w)
	default:
		w.Header().Set("Set-Cookie", "session=the-cookie")
		fmt.Fprintln(w, "free")
	}
}

// reset ends the connection in the middle of the body, so that the other side sees ECONNRESET.
func reset(w http.ResponseWriter) {
	if err := http.NewResponseController(w).Flush(); err != nil {
		panic(err)
	}
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(err)
	}
	if err := conn.(*net.TCPConn).SetLinger(0); err != nil {
		panic(err)
	}
	conn.Close()
}

// packet brings a packet to the receiver, and tells the address and the asset to who asks.
func (s *shop) packet(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if string(in.Destination) == ilpcore.PeerConfig {
		data, err := ilpcore.ILDCP{Address: "test.wallet", Asset: ilpcore.Asset{Code: "USD", Scale: 9}}.Append(nil)
		if err != nil {
			return ilpcore.Reject(ilpcore.T00, "test.shop", err.Error(), nil)
		}
		return ilpcore.Fulfill(ilpcore.PeerFulfillment, data)
	}
	if s.fault != "" {
		return ilpcore.Reject(ilpcore.F02, "test.shop", s.fault, nil)
	}
	return s.HandlePrepare(ctx, in)
}

// Credit takes money.
func (s *shop) Credit(_ context.Context, c receiver.Credit) (bool, error) {
	s.till.mu.Lock()
	defer s.till.mu.Unlock()
	s.till.balances[c.Payee.ID] += uint64(c.Amount)
	return false, nil
}

// Lookup remembers no packet.
func (s *shop) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

// place is where the receiver is.
type place struct{}

func (place) Address() (ilpcore.Address, ilpcore.Asset, bool) {
	return "test.shop", ilpcore.Asset{Code: "USD", Scale: 9}, true
}

func (place) Suffix(destination []byte) ([]byte, bool) {
	return ilpcore.Address("test.shop").Suffix(destination)
}

// anybody lets everybody in.
type anybody struct{}

func (anybody) Authenticate(string, string) (ilpcore.AccountID, bool) { return "sandbox", true }
