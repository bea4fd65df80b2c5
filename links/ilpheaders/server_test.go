package ilpheaders

import (
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

// The request of the draft, letter by letter, but for its expiry.
func TestServerTakesTheRequestOfTheDraft(t *testing.T) {
	var got ilpcore.Incoming
	var data string
	server := newTestServer(t, ServerConfig{Handler: ilpcore.HandlerFunc(func(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
		got, data = in, string(in.Data)
		if deadline, ok := ctx.Deadline(); !ok || !deadline.Equal(in.ExpiresAt) {
			t.Errorf("the deadline is %v", deadline)
		}
		return ilpcore.Fulfill(testFulfillment, []byte("back"))
	}), Now: func() time.Time { return time.Date(2017, 12, 7, 18, 47, 0, 0, time.UTC) }})
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("<body>"))
	for name, value := range map[string]string{
		"Authorization":   "Bearer secret",
		"ILP-Destination": "g.crypto.bitcoin.1XPTgDRhN8RFnzniWCddobD9iKZatrvH4.~asdf1234",
		"ILP-Condition":   seedCondition,
		"ILP-Expiry":      "2017-12-07T18:47:59.015Z",
		"ILP-Amount":      "1000",
	} {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	server.ServeHTTP(w, r)
	if got.From != "alice" || got.Amount != 1000 || formatHash(got.Condition) != seedCondition || data != "<body>" ||
		!got.ExpiresAt.Equal(time.Date(2017, 12, 7, 18, 47, 59, 15_000_000, time.UTC)) ||
		string(got.Destination) != "g.crypto.bitcoin.1XPTgDRhN8RFnzniWCddobD9iKZatrvH4.~asdf1234" {
		t.Errorf("the packet arrived as %+v %q", got, data)
	}
	if w.Code != 200 || w.Header().Get("ILP-Fulfillment") != formatHash(testFulfillment) || w.Body.String() != "back" ||
		!strings.Contains(w.Header().Get("Cache-Control"), "no-store") || w.Header().Get("ILP-Error-Code") != "" {
		t.Errorf("the answer is %d %v %q", w.Code, w.Header(), w.Body)
	}
}

func TestServerTakes(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"account path": func(r *http.Request) { r.URL.Path = "/accounts/alice/ilp" },
		"unpadded condition": func(r *http.Request) {
			r.Header.Set("ILP-Condition", strings.TrimSuffix(r.Header.Get("ILP-Condition"), "="))
		},
		"amount 0":            header("ILP-Amount", "0"),
		"amount of 64 bits":   header("ILP-Amount", "18446744073709551615"),
		"no body":             func(r *http.Request) { r.Body, r.ContentLength = http.NoBody, 0 },
		"longest body":        func(r *http.Request) { body(r, ilpcore.MaxData); r.ContentLength = ilpcore.MaxData },
		"longest, not told":   func(r *http.Request) { body(r, ilpcore.MaxData) },
		"any media type":      header("Content-Type", "text/plain"),
		"not compressed":      header("Content-Encoding", "identity"),
		"unknown ILP headers": header("ILP-Peer-Name", "x"),
	} {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			newTestServer(t, ServerConfig{}).ServeHTTP(w, post(edit))
			if w.Code != 200 || w.Header().Get("ILP-Fulfillment") == "" {
				t.Errorf("%d %v", w.Code, w.Header())
			}
		})
	}
}

func TestServerRefuses(t *testing.T) {
	longest := strings.Repeat("a", ilpcore.MaxAddress)
	for name, test := range map[string]struct {
		edit func(*http.Request)
		want int
		code string // "": no ILP error, since nothing was read
	}{
		"GET":                      {func(r *http.Request) { r.Method = http.MethodGet }, 405, ""},
		"no authorization":         {header("Authorization"), 401, ""},
		"two authorizations":       {header("Authorization", "Bearer secret", "Bearer secret"), 401, ""},
		"wrong token":              {header("Authorization", "Bearer secret2"), 401, ""},
		"another's path":           {func(r *http.Request) { r.URL.Path = "/accounts/bob/ilp" }, 401, ""},
		"compressed":               {header("Content-Encoding", "gzip"), 415, ""},
		"no destination":           {header("ILP-Destination"), 400, "F01"},
		"no condition":             {header("ILP-Condition"), 400, "F01"},
		"no expiry":                {header("ILP-Expiry"), 400, "F01"},
		"no amount":                {header("ILP-Amount"), 400, "F01"},
		"two destinations":         {header("ILP-Destination", "test.alice", "test.bob"), 400, "F01"},
		"two amounts, the same":    {header("ILP-Amount", "107", "107"), 400, "F01"},
		"two of an unknown header": {header("ILP-Whatever", "a", "b"), 400, "F01"},
		"two destinations, joined": {header("ILP-Destination", "test.alice, test.bob"), 400, "F01"},
		"empty destination":        {header("ILP-Destination", ""), 400, "F01"},
		"a bare scheme":            {header("ILP-Destination", "test"), 400, "F01"},
		"a pointer":                {header("ILP-Destination", "$alice.example"), 400, "F01"},
		"destination too long":     {header("ILP-Destination", "test."+longest), 400, "F01"},
		"letters of others":        {header("ILP-Destination", "test.\u00e4"), 400, "F01"},
		"sign":                     {header("ILP-Amount", "+107"), 400, "F01"},
		"minus":                    {header("ILP-Amount", "-1"), 400, "F01"},
		"space inside":             {header("ILP-Amount", "1 07"), 400, "F01"},
		"leading zero":             {header("ILP-Amount", "0107"), 400, "F01"},
		"exponent":                 {header("ILP-Amount", "1e3"), 400, "F01"},
		"fraction":                 {header("ILP-Amount", "107.0"), 400, "F01"},
		"hexadecimal":              {header("ILP-Amount", "0x6b"), 400, "F01"},
		"underscore":               {header("ILP-Amount", "1_07"), 400, "F01"},
		"other digits":             {header("ILP-Amount", "\u0661"), 400, "F01"},
		"beyond 64 bits":           {header("ILP-Amount", "18446744073709551616"), 400, "F01"},
		"no amount at all":         {header("ILP-Amount", ""), 400, "F01"},
		"condition of 31 bytes":    {header("ILP-Condition", "x73kz0AGyqYqhw/c5LqMhSgpcOLF3rBS8GdR52hLpA=="), 400, "F01"},
		"expiry elsewhere":         {header("ILP-Expiry", "2099-12-07T18:47:59+02:00"), 400, "F01"},
		"too long, announced":      {func(r *http.Request) { body(r, ilpcore.MaxData+1); r.ContentLength = ilpcore.MaxData + 1 }, 413, "F01"},
		"too long, not announced":  {func(r *http.Request) { body(r, ilpcore.MaxData+1) }, 413, "F01"},
		"broken body":              {func(r *http.Request) { r.Body = io.NopCloser(brokenReader{}) }, 400, "F01"},
	} {
		t.Run(name, func(t *testing.T) {
			called := false
			server := newTestServer(t, ServerConfig{Self: func() ilpcore.Address { return "test.us" }, Handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
				called = true
				return ilpcore.Reply{}
			})})
			w := httptest.NewRecorder()
			server.ServeHTTP(w, post(test.edit))
			h := w.Header()
			if w.Code != test.want || called || h.Get("ILP-Error-Code") != test.code || !strings.Contains(h.Get("Cache-Control"), "no-store") {
				t.Errorf("status %d, want %d; %v; handler called: %v", w.Code, test.want, h, called)
			}
			if test.code != "" && (h.Get("ILP-Error-Name") != "Invalid Packet" || h.Get("ILP-Error-Message") == "" || h.Get("ILP-Error-Triggered-By") != "test.us") {
				t.Errorf("the error says %v", h)
			}
			if (w.Code == 401) != (h.Get("WWW-Authenticate") != "") || strings.Contains(w.Body.String(), "secret") {
				t.Errorf("%v %q", h, w.Body)
			}
		})
	}
}

// The body of a request without credentials, or with headers that say nothing, is not read at all.
func TestServerReadsNoBodyInVain(t *testing.T) {
	for name, edit := range map[string]func(*http.Request){
		"no login": header("Authorization"), "no amount": header("ILP-Amount"),
		"too long": func(r *http.Request) { r.ContentLength = ilpcore.MaxData + 1 },
	} {
		w := httptest.NewRecorder()
		newTestServer(t, ServerConfig{}).ServeHTTP(w, post(func(r *http.Request) {
			r.Body = unreadable{t}
			edit(r)
		}))
		if w.Code < 400 {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
}

func TestServerBoundsPacketsInFlight(t *testing.T) {
	entered, leave := make(chan struct{}, 2), make(chan struct{})
	server := newTestServer(t, ServerConfig{MaxInFlight: 1, Handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
		entered <- struct{}{}
		<-leave
		return ilpcore.Fulfill(testFulfillment, nil)
	})})
	done := make(chan struct{})
	go func() {
		defer close(done)
		server.ServeHTTP(httptest.NewRecorder(), post(nil))
	}()
	<-entered
	w := httptest.NewRecorder()
	server.ServeHTTP(w, post(nil))
	if w.Code != 503 || w.Header().Get("ILP-Error-Code") != "T03" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	close(leave)
	<-done
	w = httptest.NewRecorder()
	server.ServeHTTP(w, post(nil))
	if w.Code != 200 {
		t.Errorf("a packet after the others: %d %v", w.Code, w.Header())
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
	server.ServeHTTP(httptest.NewRecorder(), post(nil).WithContext(ctx))
	if ctx.Err() == nil {
		t.Error("the packet did not come")
	}
}

func TestServerCountsWhatItCouldNotWrite(t *testing.T) {
	for name, test := range map[string]struct {
		writer http.ResponseWriter
		gone   bool
		want   amount.Amount
	}{
		"written":         {writer: httptest.NewRecorder()},
		"write fails":     {writer: &failing{ResponseWriter: httptest.NewRecorder()}, want: 107},
		"client has left": {writer: httptest.NewRecorder(), gone: true, want: 107},
	} {
		t.Run(name, func(t *testing.T) {
			var lost amount.Amount
			server := newTestServer(t, ServerConfig{Unconfirmed: func(account ilpcore.AccountID, paid amount.Amount) {
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
			server.ServeHTTP(test.writer, post(nil).WithContext(ctx))
			if lost != test.want {
				t.Errorf("unconfirmed %v, want %v", lost, test.want)
			}
		})
	}
}

// A Fulfill that is late, because the process stood still, is not sent: the connection ends without an answer.
func TestServerSendsNoFulfillOfAnExpiredPacket(t *testing.T) {
	var lost amount.Amount
	server := newTestServer(t, ServerConfig{
		Now:         func() time.Time { return time.Now().Add(time.Minute) },
		Unconfirmed: func(_ ilpcore.AccountID, paid amount.Amount) { lost += paid },
	})
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v != http.ErrAbortHandler || w.Body.Len() > 0 || lost != 107 {
			t.Errorf("the handler panics with %v, has written %q, and counts %v", v, w.Body, lost)
		}
	}()
	server.ServeHTTP(w, post(nil))
}

// What a handler answers against its contract is not sent.
func TestServerSendsNoBrokenReply(t *testing.T) {
	for name, reply := range map[string]ilpcore.Reply{
		"no code":       {},
		"control code":  {Code: ilpcore.Code{'F', '\r', '\n'}},
		"too much data": ilpcore.Fulfill(testFulfillment, make([]byte, ilpcore.MaxData+1)),
	} {
		w := httptest.NewRecorder()
		newTestServer(t, ServerConfig{Handler: ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply { return reply })}).ServeHTTP(w, post(nil))
		if h := w.Header(); w.Code != 500 || h.Get("ILP-Fulfillment")+h.Get("ILP-Error-Code") != "" {
			t.Errorf("%s: %d %v", name, w.Code, h)
		}
	}
}

func TestWants(t *testing.T) {
	for name, test := range map[string]struct {
		names []string
		want  bool
	}{
		"all":                       {[]string{"ILP-Destination", "ILP-Condition", "ILP-Expiry", "ILP-Amount"}, true},
		"one forgotten":             {[]string{"ILP-Destination", "ILP-Condition", "ILP-Expiry"}, true},
		"ilp-plugin-http's":         {[]string{"ILP-Destination", "ILP-Peer-Name"}, false},
		"no destination":            {[]string{"ILP-Condition", "ILP-Expiry", "ILP-Amount"}, false},
		"a packet in the body only": {nil, false},
	} {
		h := http.Header{}
		for _, n := range test.names {
			h.Set(n, "x")
		}
		if Wants(h) != test.want {
			t.Errorf("%s: %v", name, !test.want)
		}
	}
}

func TestNewServerNeedsAccountsAndHandler(t *testing.T) {
	for _, c := range []ServerConfig{{Handler: fulfilling}, {Accounts: accounts{}}} {
		if _, err := NewServer(c); !errors.Is(err, ErrConfig) {
			t.Error(err)
		}
	}
}

// body gives the request a body of so many bytes whose length is not announced.
func body(r *http.Request, n int) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(strings.Repeat("x", n))), -1
}

type failing struct{ http.ResponseWriter }

func (*failing) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("reset") }

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) { u.t.Error("the body was read"); return 0, io.EOF }
func (u unreadable) Close() error             { return nil }

func BenchmarkServer(b *testing.B) {
	server := newTestServer(b, ServerConfig{})
	b.ReportAllocs()
	for b.Loop() {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, post(nil))
		if w.Code != 200 {
			b.Fatal(w.Header())
		}
	}
}

func FuzzServer(f *testing.F) {
	f.Add("test.alice", seedCondition, "2099-12-07T18:47:59.015Z", "1000", []byte("data"))
	f.Add("g", "", "Z", "-1", []byte(nil))
	f.Add("test.\r\nX: y", seedCondition+"\n", "2099-12-07T18:47:59.Z", "01", make([]byte, ilpcore.MaxData+1))
	server := newTestServer(f, ServerConfig{})
	f.Fuzz(func(t *testing.T, destination, condition, expiry, money string, data []byte) {
		r := post(func(r *http.Request) {
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(string(data))), -1
			r.Header = http.Header{
				"Authorization": {"Bearer secret"}, destinationHeader: {destination}, conditionHeader: {condition},
				expiryHeader: {expiry}, amountHeader: {money},
			}
		})
		// What is taken says the same when it is written again.
		if p, err := decodeRequest(r.Header); err == nil {
			again := http.Header{}
			if err := encodeRequest(again, &p); err != nil {
				t.Fatal(err)
			}
			if q, err := decodeRequest(again); err != nil || q.Condition != p.Condition || !q.ExpiresAt.Equal(p.ExpiresAt) || q.Amount != p.Amount || string(q.Destination) != destination {
				t.Errorf("%+v is read as %+v (%v)", p, q, err)
			}
			if p.ExpiresAt.Before(time.Now()) {
				return // a Fulfill of it ends the connection
			}
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		h := w.Header()
		switch {
		case w.Code == 200 && h.Get("ILP-Fulfillment") != "" && w.Body.String() == string(data):
		case (w.Code == 400 || w.Code == 413) && h.Get("ILP-Error-Code") == "F01":
		default:
			t.Errorf("status %d, %v", w.Code, h)
		}
	})
}
