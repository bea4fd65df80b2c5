package interop

// This file is who may not use the link of the peering guide: JSON Web Tokens that another node would have taken.

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"fmt"
	"hash"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// webToken makes a JSON Web Token whose header says alg, signed with the secret by the hash; nil: unsigned.
func webToken(alg, subject string, expires time.Time, secret string, signed func() hash.Hash) string {
	encode := func(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }
	text := encode([]byte(`{"typ":"JWT","alg":"`+alg+`"}`)) + "." + encode(fmt.Appendf(nil, `{"sub":%q,"exp":%d}`, subject, expires.Unix()))
	if signed == nil {
		return text + "."
	}
	mac := hmac.New(signed, []byte(secret))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

func TestPeeringGuideRefusesOtherTokens(t *testing.T) {
	needTime(t)
	n := startGuide(t)
	soon, past := time.Now().Add(time.Minute), time.Now().Add(-time.Hour)
	if reply := n.alice.sendAs("bob", webToken("HS256", "bob", soon, guideSecret, sha256.New), ping("test.alice", 1)); !reply.Fulfilled {
		t.Fatalf("bob's own token: %s %q", reply.Code, reply.Message)
	}
	answers := make(map[string]string)
	for name, token := range map[string]string{
		"another subject":                      webToken("HS256", "alice", soon, guideSecret, sha256.New),
		"no subject":                           webToken("HS256", "", soon, guideSecret, sha256.New),
		"expired":                              webToken("HS256", "bob", past, guideSecret, sha256.New),
		"another secret":                       webToken("HS256", "bob", soon, "hush", sha256.New),
		"none, unsigned":                       webToken("none", "bob", soon, "", nil),
		"nOnE, unsigned":                       webToken("nOnE", "bob", soon, "", nil),
		"none, signed all the same":            webToken("none", "bob", soon, guideSecret, sha256.New),
		"HS512":                                webToken("HS512", "bob", soon, guideSecret, sha512.New),
		"RS256, signed with the shared secret": webToken("RS256", "bob", soon, guideSecret, sha256.New),
		"HS256, unsigned":                      webToken("HS256", "bob", soon, "", nil),
		"the secret itself":                    guideSecret,
		"no token":                             "",
	} {
		status, body := n.alice.refusal("bob", token, ping("test.alice", 1))
		if status != http.StatusUnauthorized {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
		answers[body] = name
	}
	if len(answers) != 1 {
		t.Errorf("the refusals differ: %q", answers)
	}
	n.alice.wantOwed(map[string]int{"bob": -1})
}

// refusal sends a packet with a bearer token and returns the answer, whatever it is.
func (g *gateway) refusal(account, bearer string, packet ilpcore.Prepare) (status int, body string) {
	g.t.Helper()
	request, err := http.NewRequestWithContext(g.t.Context(), http.MethodPost, g.nodeURL()+"/accounts/"+account+"/ilp", bytes.NewReader(encoded(g.t, packet)))
	if err != nil {
		g.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/octet-stream")
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		g.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		g.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
