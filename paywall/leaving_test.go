package paywall

// These tests end requests from this side, while the backend is still thinking: nobody has left then, and nothing was delivered.

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestOwnTimeoutIsNotCharged: over HTTP/2 a server's write timeout resets the stream, which looks to handlers as if the client had left. Whose body
// the backend is still waiting for then, has left.
func TestOwnTimeoutIsNotCharged(t *testing.T) {
	for _, test := range []struct {
		name    string
		own     bool // it is our timeout
		stalls  bool // the body never comes to its end
		status  int  // that the handler then writes
		charged bool
	}{
		{"the server's timeout", true, false, statusClientGone, false},
		{"the client leaves", false, false, statusClientGone, true},
		{"the server's timeout, and a handler that does not look", true, false, http.StatusOK, false},
		{"the client leaves, and a handler that does not look", false, false, http.StatusOK, true},
		{"the server's timeout while the client sends nothing", true, true, statusClientGone, true},
	} {
		b := newBench(t)
		b.ledger.credit(t, testToken, 25)
		ctx, leave := context.WithCancel(context.Background())
		defer leave()
		gateway := httptest.NewUnstartedServer(b.handler(func(w http.ResponseWriter, r *http.Request) error {
			sendUpstream(r)
			read := make(chan struct{})
			go func() {
				_, _ = io.Copy(io.Discard, r.Body)
				close(read)
			}()
			if !test.stalls {
				<-read
			}
			if !test.own {
				leave()
			} else if err := http.NewResponseController(w).SetWriteDeadline(time.Now()); err != nil {
				t.Error(err)
			}
			<-r.Context().Done()
			<-read
			w.WriteHeader(test.status)
			return nil
		}))
		gateway.Config.Protocols = new(http.Protocols)
		gateway.Config.Protocols.SetUnencryptedHTTP2(true)
		gateway.Start()
		client := &http.Transport{Protocols: gateway.Config.Protocols}
		body, sender := io.Pipe()
		if !test.stalls {
			sender.Close()
		}
		r, err := http.NewRequestWithContext(ctx, "POST", gateway.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Pay-Token", testToken)
		if res, err := client.RoundTrip(r); err == nil {
			t.Errorf("%s: it is answered %s", test.name, res.Status)
			res.Body.Close()
		}
		b.handling.Wait()
		client.CloseIdleConnections()
		gateway.Close()
		want, outcomes := "25", "reserved released "
		if test.charged {
			want, outcomes = "15", "reserved settled "
		}
		if left, reserved := b.ledger.state(t, testToken); left.String() != want || reserved != 0 || b.outcomes() != outcomes {
			t.Errorf("%s: balance %d, reserved %d, %s", test.name, left, reserved, b.outcomes())
		}
	}
}

var errEnded = errors.New("this server ends")

// deadStream is the writer of a server of another kind, whose stream is gone.
type deadStream struct {
	*httptest.ResponseRecorder
	err error
}

func (d deadStream) FlushError() error { return d.err }

// TestEndsOfAnotherServer: what the config's Ended takes for an end of ours is no leaving of the client, be it told by the answer or by the body.
func TestEndsOfAnotherServer(t *testing.T) {
	for _, test := range []struct {
		name  string
		major int
		err   error
		left  string
		body  bool // the body breaks off, and the context is told nothing
	}{
		{"we end", 3, errEnded, "25", false},
		{"the client leaves", 3, errors.New("reset by peer"), "15", false},
		{"HTTP/1 tells nothing", 1, errEnded, "15", false},
		{"we end in a body", 3, errEnded, "25", true},
		{"the client leaves in a body", 3, errors.New("reset by peer"), "15", true},
	} {
		b := newBench(t)
		b.config.Ended = func(err error) bool { return errors.Is(err, errEnded) }
		b.ledger.credit(t, testToken, 25)
		r := request("POST", "/", testToken)
		ctx, cancel := context.WithCancel(r.Context())
		r = r.WithContext(ctx)
		r.ProtoMajor = test.major
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader("abc"), failing{test.err}))
		err := b.paywall().ServeHTTP(wrapped{deadStream{httptest.NewRecorder(), test.err}}, r, func(w http.ResponseWriter, r *http.Request) error {
			sendUpstream(r)
			if test.body {
				_, err := io.Copy(io.Discard, r.Body)
				return err
			}
			cancel()
			return context.Canceled
		})
		cancel()
		if left, reserved := b.ledger.state(t, testToken); left.String() != test.left || reserved != 0 || err == nil {
			t.Errorf("%s: balance %d, reserved %d, %v", test.name, left, reserved, err)
		}
	}
}

// wrapped is what other handlers put around a server's writer.
type wrapped struct{ http.ResponseWriter }

func (w wrapped) Unwrap() http.ResponseWriter { return w.ResponseWriter }

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
