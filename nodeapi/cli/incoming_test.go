package cli

// This file is a node that tells of payments over WebSocket.

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"
)

// teller sends frames to whoever asks at path, and then waits for the end or closes with status.
func teller(t *testing.T, path string, status websocket.StatusCode, frames ...string) terminal {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != path || r.Header.Get("Authorization") != "Bearer "+adminSecret {
			w.Header().Set("Content-Type", problemType)
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = w.Write([]byte(`{"title":"Unauthorized"}`))
			return
		}
		conn, err := websocket.Accept(w, r, nil)
		if err != nil {
			t.Error(err)
			return
		}
		for _, frame := range frames {
			if err := conn.Write(r.Context(), websocket.MessageText, []byte(frame)); err != nil {
				t.Error(err)
			}
		}
		if status != 0 {
			_ = conn.Close(status, "going away")
			return
		}
		ctx := conn.CloseRead(context.Background())
		<-ctx.Done()
	}))
	t.Cleanup(s.Close)
	return terminal{variables: map[string]string{nodeVariable: s.URL, adminVariable: adminSecret}}
}

const (
	paid   = `{"to_username":"bob","from_username":"alice","destination":"example.bob.x","amount":18446744073709551615,"timestamp":"2026-11-26T01:02:03Z","sequence":2,"connection_closed":false}`
	closed = `{"to_username":"bob","from_username":"alice","destination":"example.bob.x","amount":0,"timestamp":"2026-11-26T01:02:04Z","sequence":3,"connection_closed":true}`
)

func TestIncomingPaymentsOfAnAccount(t *testing.T) {
	got := teller(t, "/accounts/bob/payments/incoming", 0, paid, closed).types(t, "accounts", "incoming-payments", "bob", "--count", "2")
	want := "2026-11-26T01:02:03Z  bob received 18446744073709551615 from alice at example.bob.x\n" +
		"2026-11-26T01:02:04Z  bob received 0 from alice at example.bob.x (the sender has closed the payment)\n"
	if got.out != want || got.status != 0 {
		t.Errorf("status %d (%s), printed\n%swant\n%s", got.status, got.err, got.out, want)
	}
}

func TestIncomingPaymentsOfTheNode(t *testing.T) {
	got := teller(t, "/payments/incoming", 0, `{"Err":"lagged by 3"}`, `{"Ok":`+paid+`}`).types(t, "accounts", "incoming-payments", "--count", "2")
	want := "2026-11-26T01:02:03Z  bob received 18446744073709551615 from alice at example.bob.x\n"
	if got.out != want || got.err != "paydoor: the node says: lagged by 3; lines may be missing" || got.status != 0 {
		t.Errorf("status %d (%s), printed\n%swant\n%s", got.status, got.err, got.out, want)
	}
}

func TestIncomingPaymentsAsJSONAreALineEach(t *testing.T) {
	got := teller(t, "/accounts/bob/payments/incoming", 0, paid, closed).types(t, "accounts", "incoming-payments", "bob", "--count", "2", "--json")
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	if len(lines) != 2 || !strings.Contains(lines[0], `"amount":18446744073709551615`) || got.status != 0 {
		t.Errorf("status %d (%s), printed\n%s", got.status, got.err, got.out)
	}
}

func TestTheNodeEndsIncomingPayments(t *testing.T) {
	got := teller(t, "/accounts/bob/payments/incoming", websocket.StatusGoingAway, paid).types(t, "accounts", "incoming-payments", "bob")
	if want := "the node ended the connection (1001 going away): run the command again"; got.status != StatusUnreached || got.err != want || got.out == "" {
		t.Errorf("status %d, said %q, want 2 and %q", got.status, got.err, want)
	}
}

func TestIncomingPaymentsAreRefused(t *testing.T) {
	got := teller(t, "/elsewhere", 0).types(t, "accounts", "incoming-payments", "bob")
	if want := "the node refused: Unauthorized (401): " + holder.wrong; got.status != StatusRefused || got.err != want {
		t.Errorf("status %d, said %q, want 1 and %q", got.status, got.err, want)
	}
}

// signalling is closed on the first line that is printed.
type signalling struct {
	printed chan struct{}
	out     strings.Builder
}

func (s *signalling) Write(p []byte) (int, error) {
	if s.out.Len() == 0 {
		close(s.printed)
	}
	return s.out.Write(p)
}

func TestIncomingPaymentsAreShownAsTheyComeAndEndQuietly(t *testing.T) {
	m := teller(t, "/accounts/bob/payments/incoming", 0, paid)
	node := &cobra.Command{Use: "node", SilenceUsage: true, SilenceErrors: true}
	AddCommands(node, Environment{Getenv: func(name string) string { return m.variables[name] }, Now: time.Now})
	shown := &signalling{printed: make(chan struct{})}
	node.SetOut(shown)
	node.SetArgs([]string{"accounts", "incoming-payments", "bob"})
	ctx, interrupt := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- node.ExecuteContext(ctx) }()
	<-shown.printed // while the connection is open
	interrupt()
	if err := <-ended; err != nil {
		t.Errorf("an interrupted command ends with %v", err)
	}
}
