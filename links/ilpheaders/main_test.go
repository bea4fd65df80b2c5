package ilpheaders

import (
	"context"
	"crypto/sha256"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const testToken = "alice:our-very-secret-token"

var testFulfillment = [32]byte{1, 2, 3}

// testPrepare is a packet that expires in ten seconds and can be fulfilled with testFulfillment.
func testPrepare() ilpcore.Prepare {
	return ilpcore.Prepare{
		Amount: 107, ExpiresAt: time.Now().Add(10 * time.Second), Condition: sha256.Sum256(testFulfillment[:]),
		Destination: []byte("test.alice"), Data: []byte("end to end"),
	}
}

// fulfilling answers with the fulfillment and the packet's own data: an echo that aliases the link's buffer.
var fulfilling = ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
	return ilpcore.Fulfill(testFulfillment, in.Data)
})

// accounts knows alice alone.
type accounts struct{}

func (accounts) Authenticate(account, bearer string) (ilpcore.AccountID, bool) {
	return "alice", (account == "" || account == "alice") && (bearer == "secret" || bearer == testToken)
}

func newTestServer(t testing.TB, c ServerConfig) http.Handler {
	t.Helper()
	c.Accounts = accounts{}
	if c.Handler == nil {
		c.Handler = fulfilling
	}
	s, err := NewServer(c)
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("/{$}", s)
	mux.Handle("/accounts/{account}/ilp", s)
	return mux
}

// post is a request with the packet of testPrepare, edited.
func post(edit func(*http.Request)) *http.Request {
	p := testPrepare()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(p.Data)))
	r.Header.Set("Authorization", "Bearer secret")
	if err := encodeRequest(r.Header, &p); err != nil {
		panic(err)
	}
	if edit != nil {
		edit(r)
	}
	return r
}

// header returns what sets the lines of one header.
func header(name string, values ...string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		for _, v := range values {
			r.Header.Add(name, v)
		}
	}
}
