package ilphttp

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

func newTestServer(t testing.TB, c ServerConfig) http.Handler {
	t.Helper()
	credentials := NewCredentials(nil)
	credentials.Add("alice", "secret")
	c.Accounts = credentials
	if c.Handler == nil {
		c.Handler = fulfilling
	}
	s, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/ilp", s)
	mux.Handle("/accounts/{account}/ilp", s)
	return mux
}

func post(body []byte, edit func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/ilp", bytes.NewReader(body))
	r.Header.Set("Authorization", "Bearer secret")
	r.Header.Set("Content-Type", "application/octet-stream")
	if edit != nil {
		edit(r)
	}
	return r
}

func TestServerAnswersWithAPacket(t *testing.T) {
	var from ilpcore.AccountID
	var expires time.Time
	prepare := testPrepare()
	server := newTestServer(t, ServerConfig{Handler: ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		from, expires = in.From, in.ExpiresAt
		if in.Amount == 1 {
			return ilpcore.Reject(ilpcore.F02, "test.us", "no such place", nil)
		}
		return ilpcore.Fulfill(testFulfillment, in.Data)
	})})
	reject := prepare
	reject.Amount = 1
	for name, test := range map[string]struct {
		prepare ilpcore.Prepare
		edit    func(*http.Request)
	}{
		"fulfill":          {prepare: prepare},
		"reject is 200":    {prepare: reject},
		"ilp media type":   {prepare, func(r *http.Request) { r.Header.Set("Content-Type", "application/ilp+octet-stream") }},
		"parameters":       {prepare, func(r *http.Request) { r.Header.Set("Content-Type", "Application/Octet-Stream; x=y") }},
		"no media type":    {prepare, func(r *http.Request) { r.Header.Del("Content-Type") }},
		"account path":     {prepare, func(r *http.Request) { r.URL.Path = "/accounts/alice/ilp" }},
		"no scheme":        {prepare, func(r *http.Request) { r.Header.Set("Authorization", "secret") }},
		"account in token": {prepare, func(r *http.Request) { r.Header.Set("Authorization", "bearer alice:secret") }},
		"peer name":        {prepare, func(r *http.Request) { r.Header.Set("ILP-Peer-Name", "x"); r.Header.Set("Accept-Encoding", "gzip") }},
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			server.ServeHTTP(w, post(encode(t, test.prepare), test.edit))
			if w.Code != 200 || w.Header().Get("Content-Type") != "application/octet-stream" || w.Header().Get("Content-Encoding") != "" {
				t.Fatalf("status %d, headers %v, %q", w.Code, w.Header(), w.Body)
			}
			reply, err := ilpcore.DecodeReply(w.Body.Bytes())
			if err != nil || reply.Fulfilled != (test.prepare.Amount != 1) {
				t.Fatalf("reply %+v, %v", reply, err)
			}
			if reply.Fulfilled && string(reply.Data) != "end to end" {
				t.Errorf("data %q", reply.Data)
			}
			if from != "alice" || !expires.Equal(prepare.ExpiresAt.UTC().Truncate(time.Millisecond)) {
				t.Errorf("from %q until %v, want %v", from, expires, prepare.ExpiresAt)
			}
		})
	}
}

func TestServerRefuses(t *testing.T) {
	good := encode(t, testPrepare())
	header := func(name string, values ...string) func(*http.Request) {
		return func(r *http.Request) { r.Header[name] = values }
	}
	for name, test := range map[string]struct {
		body []byte
		edit func(*http.Request)
		want int
	}{
		"GET":                     {good, func(r *http.Request) { r.Method = http.MethodGet }, 405},
		"no authorization":        {good, header("Authorization"), 401},
		"two authorizations":      {good, header("Authorization", "Bearer secret", "Bearer secret"), 401},
		"wrong token":             {good, header("Authorization", "Bearer secret2"), 401},
		"scheme alone":            {good, header("Authorization", "Bearer"), 401},
		"no scheme, wrong token":  {good, header("Authorization", "secret2"), 401},
		"Basic":                   {good, header("Authorization", "Basic secret"), 401},
		"empty bearer":            {good, header("Authorization", "Bearer "), 401},
		"another's path":          {good, func(r *http.Request) { r.URL.Path = "/accounts/bob/ilp" }, 401},
		"json":                    {good, header("Content-Type", "application/json"), 415},
		"compressed":              {good, header("Content-Encoding", "gzip"), 415},
		"too long, announced":     {make([]byte, MaxBody+1), nil, 413},
		"too long, not announced": {make([]byte, MaxBody+1), func(r *http.Request) { r.ContentLength = -1 }, 413},
		"empty":                   {nil, nil, 400},
		"cut short":               {good[:len(good)-1], nil, 400},
		"a Fulfill":               {append([]byte{13, 33}, make([]byte, 33)...), nil, 400},
		"broken body":             {good, func(r *http.Request) { r.Body = io.NopCloser(brokenReader{}) }, 400},
	} {
		t.Run(name, func(t *testing.T) {
			called := false
			server := newTestServer(t, ServerConfig{Handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
				called = true
				return ilpcore.Reply{}
			})})
			w := httptest.NewRecorder()
			server.ServeHTTP(w, post(test.body, test.edit))
			if w.Code != test.want || called || w.Body.Len() == 0 {
				t.Errorf("status %d, want %d; handler called: %v; %q", w.Code, test.want, called, w.Body)
			}
			if (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("WWW-Authenticate %q", w.Header().Get("WWW-Authenticate"))
			}
			if strings.Contains(w.Body.String(), "secret") {
				t.Errorf("the answer shows the token: %q", w.Body)
			}
		})
	}
}

// The body of a request without credentials is not read at all.
func TestServerAuthenticatesBeforeReading(t *testing.T) {
	server := newTestServer(t, ServerConfig{})
	w := httptest.NewRecorder()
	server.ServeHTTP(w, post(nil, func(r *http.Request) {
		r.Header.Del("Authorization")
		r.Body = unreadable{t}
	}))
	if w.Code != 401 {
		t.Error(w.Code)
	}
}

func TestServerBoundsPacketsInFlight(t *testing.T) {
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	server := newTestServer(t, ServerConfig{MaxInFlight: 1, Handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
		entered <- struct{}{}
		<-leave
		return ilpcore.Fulfill(testFulfillment, nil)
	})})
	body := encode(t, testPrepare())
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.ServeHTTP(httptest.NewRecorder(), post(body, nil))
	}()
	<-entered
	w := httptest.NewRecorder()
	server.ServeHTTP(w, post(body, nil))
	reply, err := ilpcore.DecodeReply(w.Body.Bytes())
	if w.Code != 200 || err != nil || reply.Code != ilpcore.T03 {
		t.Errorf("status %d, reply %+v, %v", w.Code, reply, err)
	}
	close(leave)
	<-done
	w = httptest.NewRecorder()
	server.ServeHTTP(w, post(body, nil))
	if reply, err := ilpcore.DecodeReply(w.Body.Bytes()); err != nil || !reply.Fulfilled {
		t.Errorf("a packet after the others: %+v, %v", reply, err)
	}
}

// A packet whose client is gone is still at work: the next node may fulfil it.
func TestAPacketOutlivesItsConnection(t *testing.T) {
	ctx, leave := context.WithCancel(t.Context())
	server := newTestServer(t, ServerConfig{Handler: ilpcore.HandlerFunc(func(ctx context.Context, _ ilpcore.Incoming) ilpcore.Reply {
		leave()
		if err := ctx.Err(); err != nil {
			t.Errorf("the packet ended with its connection: %v", err)
		}
		return ilpcore.Fulfill(testFulfillment, nil)
	})})
	server.ServeHTTP(httptest.NewRecorder(), post(encode(t, testPrepare()), nil).WithContext(ctx))
	if ctx.Err() == nil {
		t.Error("the packet did not come")
	}
}

func TestServerCountsWhatItCouldNotWrite(t *testing.T) {
	for name, test := range map[string]struct {
		writer  http.ResponseWriter
		handler ilpcore.Handler
		gone    bool
		want    amount.Amount
	}{
		"written":         {writer: httptest.NewRecorder()},
		"write fails":     {writer: &failing{ResponseWriter: httptest.NewRecorder(), write: true}, want: 107},
		"flush fails":     {writer: &failing{ResponseWriter: httptest.NewRecorder()}, want: 107},
		"client has left": {writer: httptest.NewRecorder(), gone: true, want: 107},
		"reject, write fails": {
			writer: &failing{ResponseWriter: httptest.NewRecorder(), write: true},
			handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
				return ilpcore.Reject(ilpcore.F99, "", "", nil)
			}),
		},
	} {
		t.Run(name, func(t *testing.T) {
			var lost amount.Amount
			server := newTestServer(t, ServerConfig{Handler: test.handler, Unconfirmed: func(account ilpcore.AccountID, paid amount.Amount) {
				if account != "alice" {
					t.Errorf("account %q", account)
				}
				lost += paid
			}})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if test.gone {
				cancel()
			}
			server.ServeHTTP(test.writer, post(encode(t, testPrepare()), nil).WithContext(ctx))
			if lost != test.want {
				t.Errorf("unconfirmed %v, want %v", lost, test.want)
			}
		})
	}
}

// A Fulfill that is late, because the process stood still, is not sent: the connection ends without an answer.
func TestServerSendsNoFulfillOfAnExpiredPacket(t *testing.T) {
	prepare := testPrepare()
	prepare.ExpiresAt = time.Now().Add(20 * time.Millisecond)
	var lost amount.Amount
	server := newTestServer(t, ServerConfig{
		Handler: ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			time.Sleep(time.Until(in.ExpiresAt) + time.Millisecond)
			return ilpcore.Fulfill(testFulfillment, nil)
		}),
		Unconfirmed: func(_ ilpcore.AccountID, paid amount.Amount) { lost += paid },
	})
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v != http.ErrAbortHandler || w.Body.Len() > 0 || lost != 107 {
			t.Errorf("the handler panics with %v, has written %q, and counts %v", v, w.Body, lost)
		}
	}()
	server.ServeHTTP(w, post(encode(t, prepare), nil))
}

type failing struct {
	http.ResponseWriter
	write bool
}

func (f *failing) Write(b []byte) (int, error) {
	if f.write {
		return 0, io.ErrClosedPipe
	}
	return len(b), nil
}

func (f *failing) FlushError() error { return io.ErrClosedPipe }

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("reset") }

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }
func (u unreadable) Close() error             { return nil }

func BenchmarkServer(b *testing.B) {
	server := newTestServer(b, ServerConfig{})
	body := encode(b, testPrepare())
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, post(body, nil))
		if w.Code != 200 {
			b.Fatal(w.Body)
		}
	}
}

func FuzzServerBody(f *testing.F) {
	f.Add(encode(f, testPrepare()))
	f.Add([]byte{12, 0})
	server := newTestServer(f, ServerConfig{})
	f.Fuzz(func(t *testing.T, body []byte) {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, post(body, nil))
		switch w.Code {
		case 200:
			if _, err := ilpcore.DecodeReply(w.Body.Bytes()); err != nil {
				t.Errorf("200 without a packet: %v", err)
			}
		case 400, 413:
		default:
			t.Errorf("status %d", w.Code)
		}
	})
}
