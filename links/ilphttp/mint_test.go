package ilphttp

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestMinter(t *testing.T) {
	now := jwtNow
	m, err := NewMinter(OutgoingJWT{Subject: "alice", Secret: []byte(jwtSecret)}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	first, err := m.Token()
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.MapClaims
	parsed, err := jwt.NewParser(jwt.WithTimeFunc(func() time.Time { return now })).ParseWithClaims(first, &claims, func(*jwt.Token) (any, error) { return []byte(jwtSecret), nil })
	if err != nil || parsed.Method.Alg() != "HS256" || len(claims) != 2 || claims["sub"] != "alice" || claims["exp"] != float64(1_700_000_300) {
		t.Errorf("%v, %v", claims, err)
	}
	now = jwtNow.Add(4*time.Minute - time.Second)
	if again, _ := m.Token(); again != first {
		t.Error("another token while the first is good")
	}
	now = jwtNow.Add(4 * time.Minute)
	second, _ := m.Token()
	if second == first {
		t.Error("the same token shortly before its exp")
	}
	if c := jwtCredentials(); second == "" {
		t.Error("no token")
	} else if _, ok := c.Authenticate("alice", second); !ok {
		t.Error("our own server refuses it")
	}
	if m, err := NewMinter(OutgoingJWT{Subject: "s", Secret: []byte("s"), Lifetime: time.Hour}, time.Now); err != nil || m.jwt.Lifetime != MaxLifetime {
		t.Errorf("a lifetime of %v", m.jwt.Lifetime)
	}
	if m, err := NewMinter(OutgoingJWT{Subject: "s", Secret: []byte("s"), Lifetime: time.Minute}, time.Now); err != nil || m.jwt.Lifetime != time.Minute {
		t.Errorf("a lifetime of %v", m.jwt.Lifetime)
	}
}

func TestNewClientChecksJWT(t *testing.T) {
	for name, c := range map[string]ClientConfig{
		"no subject": {JWT: &OutgoingJWT{Secret: []byte("s")}},
		"no secret":  {JWT: &OutgoingJWT{Subject: "s"}},
		"both":       {JWT: &OutgoingJWT{Subject: "s", Secret: []byte("s")}, Token: "t"},
	} {
		c.Endpoint = "https://c.example/ilp"
		if _, err := NewClient(c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A node with JWTs in both directions, over the transport that is used by default, which speaks HTTP/2.
func TestClientAndServerWithJWT(t *testing.T) {
	credentials := NewCredentials(nil)
	credentials.AddJWT("alice", JWT{Subject: "alice of bob", Secret: []byte(jwtSecret)})
	server, err := NewServer(ServerConfig{Accounts: credentials, Handler: fulfilling})
	if err != nil {
		t.Fatal(err)
	}
	var overHTTP2 atomic.Int64
	peer := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			overHTTP2.Add(1)
		}
		server.ServeHTTP(w, r)
	}))
	peer.EnableHTTP2 = true
	peer.StartTLS()
	defer peer.Close()
	transport := NewTransport()
	transport.TLSClientConfig = &tls.Config{RootCAs: peer.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}
	for name, test := range map[string]struct {
		jwt  OutgoingJWT
		want ilpcore.Code
	}{
		"good":          {OutgoingJWT{Subject: "alice of bob", Secret: []byte(jwtSecret)}, ilpcore.Code{}},
		"wrong subject": {OutgoingJWT{Subject: "alice", Secret: []byte(jwtSecret)}, ilpcore.T01},
		"wrong secret":  {OutgoingJWT{Subject: "alice of bob", Secret: []byte("x")}, ilpcore.T01},
	} {
		c, err := NewClient(ClientConfig{Endpoint: peer.URL + "/ilp", JWT: &test.jwt, Transport: transport})
		if err != nil {
			t.Fatal(err)
		}
		reply := c.HandlePrepare(t.Context(), ilpcore.Incoming{Prepare: testPrepare()})
		if reply.Code != test.want || reply.Fulfilled != (test.want == ilpcore.Code{}) {
			t.Errorf("%s: %+v", name, reply)
		}
		if strings.Contains(reply.Message, jwtSecret) {
			t.Error("the message shows the secret")
		}
		c.Close()
	}
	if overHTTP2.Load() != 3 {
		t.Errorf("%d of 3 requests over HTTP/2", overHTTP2.Load())
	}
}
