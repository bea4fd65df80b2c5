package ilphttp

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/paydoor/paydoor/ilpcore"
)

const jwtSecret = "a secret of thirty-two bytes....."

// jwtNow is the time of the tests: 2023-11-14.
var jwtNow = time.Unix(1_700_000_000, 0)

// handMade signs header and claims, as they stand, with HMAC-SHA256.
func handMade(header, claims, secret string) string {
	signed := base64.RawURLEncoding.EncodeToString([]byte(header)) + "." + base64.RawURLEncoding.EncodeToString([]byte(claims))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(signed))
	return signed + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func withClaims(claims string) string {
	return handMade(`{"alg":"HS256","typ":"JWT"}`, claims, jwtSecret)
}
func withHeader(header string) string {
	return handMade(header, `{"sub":"alice","exp":1700000100}`, jwtSecret)
}

func signedBy(t testing.TB, method jwt.SigningMethod, key any) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, jwt.MapClaims{"sub": "alice", "exp": 1700000100}).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withoutSubject is an account that takes any subject, and withoutExpiry one that takes tokens for ever.
func jwtCredentials() *Credentials {
	c := NewCredentials(func() time.Time { return jwtNow })
	c.AddJWT("alice", JWT{Subject: "alice", Secret: []byte(jwtSecret)})
	return c
}

// Each token is shown on alice's path and on the common one.
func TestJWT(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "RSA PUBLIC KEY", Bytes: x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey)})
	good := withClaims(`{"sub":"alice","exp":1700000100}`)
	parts := strings.Split(good, ".")
	signature, _ := base64.RawURLEncoding.DecodeString(parts[2])
	withSignature := func(b []byte) string {
		return parts[0] + "." + parts[1] + "." + base64.RawURLEncoding.EncodeToString(b)
	}
	jws, err := json.Marshal(map[string]string{"protected": parts[0], "payload": parts[1], "signature": parts[2]})
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		token string
		want  bool
	}{
		"good":                      {good, true},
		"made by the library":       {signedBy(t, jwt.SigningMethodHS256, []byte(jwtSecret)), true},
		"other claims beside":       {withClaims(`{"sub":"alice","exp":1700000100,"iss":7,"aud":{},"x":null,"iat":1700000000}`), true},
		"exp with a fraction":       {withClaims(`{"sub":"alice","exp":1700000100.25}`), true},
		"exp with an exponent":      {withClaims(`{"sub":"alice","exp":1.7000001e9}`), true},
		"exp in the year 9999":      {withClaims(`{"sub":"alice","exp":253402300799}`), true},
		"expired within the leeway": {withClaims(`{"sub":"alice","exp":1699999971}`), true},
		"nbf within the leeway":     {withClaims(`{"sub":"alice","exp":1700000100,"nbf":1700000030}`), true},
		"iat within the leeway":     {withClaims(`{"sub":"alice","exp":1700000100,"iat":1700000030}`), true},
		"key hints are ignored":     {withHeader(`{"alg":"HS256","kid":"../../dev/null","jku":"http://127.0.0.1/","jwk":{"kty":"oct","k":"AA"},"x5u":"http://127.0.0.1/"}`), true},

		"alg none":                 {withHeader(`{"alg":"none"}`), false},
		"alg None":                 {withHeader(`{"alg":"None"}`), false},
		"alg nOnE, no signature":   {strings.TrimRight(withHeader(`{"alg":"nOnE"}`), "-_abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"), false},
		"alg none by the library":  {signedBy(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType), false},
		"alg hs256":                {withHeader(`{"alg":"hs256"}`), false},
		"no alg":                   {withHeader(`{"typ":"JWT"}`), false},
		"alg is a list":            {withHeader(`{"alg":["HS256"]}`), false},
		"alg is null":              {withHeader(`{"alg":null}`), false},
		"HS384":                    {signedBy(t, jwt.SigningMethodHS384, []byte(jwtSecret)), false},
		"HS512":                    {signedBy(t, jwt.SigningMethodHS512, []byte(jwtSecret)), false},
		"RS256":                    {signedBy(t, jwt.SigningMethodRS256, rsaKey), false},
		"RS256 with our secret":    {withHeader(`{"alg":"RS256"}`), false},
		"HS256 with a public key":  {signedBy(t, jwt.SigningMethodHS256, public), false},
		"EdDSA with our secret":    {withHeader(`{"alg":"EdDSA"}`), false},
		"crit":                     {withHeader(`{"alg":"HS256","crit":["exp"]}`), false},
		"crit, and b64 false":      {withHeader(`{"alg":"HS256","b64":false,"crit":["b64"]}`), false},
		"other secret":             {handMade(`{"alg":"HS256"}`, `{"sub":"alice","exp":1700000100}`, jwtSecret+"x"), false},
		"empty secret":             {handMade(`{"alg":"HS256"}`, `{"sub":"alice","exp":1700000100}`, ""), false},
		"own key in the header":    {handMade(`{"alg":"HS256","jwk":{"kty":"oct","k":"aGk"}}`, `{"sub":"alice","exp":1700000100}`, "hi"), false},
		"header is no object":      {withHeader(`[]`), false},
		"header is null":           {withHeader(`null`), false},
		"header is text":           {withHeader(`hello`), false},
		"claims are no object":     {withClaims(`[]`), false},
		"claims are null":          {withClaims(`null`), false},
		"claims are text":          {withClaims(`alice`), false},
		"missing exp":              {withClaims(`{"sub":"alice"}`), false},
		"Exp":                      {withClaims(`{"sub":"alice","Exp":1700000100}`), false},
		"exp null":                 {withClaims(`{"sub":"alice","exp":null}`), false},
		"exp string":               {withClaims(`{"sub":"alice","exp":"1700000100"}`), false},
		"exp true":                 {withClaims(`{"sub":"alice","exp":true}`), false},
		"exp list":                 {withClaims(`{"sub":"alice","exp":[1700000100]}`), false},
		"exp zero":                 {withClaims(`{"sub":"alice","exp":0}`), false},
		"exp negative":             {withClaims(`{"sub":"alice","exp":-1700000100}`), false},
		"exp past":                 {withClaims(`{"sub":"alice","exp":1699999970}`), false},
		"exp past with a fraction": {withClaims(`{"sub":"alice","exp":1699999970.999}`), false},
		"exp 1e18":                 {withClaims(`{"sub":"alice","exp":1e18}`), false},
		"exp 1e300":                {withClaims(`{"sub":"alice","exp":1e300}`), false},
		"exp 1e999":                {withClaims(`{"sub":"alice","exp":1e999}`), false},
		"exp after the year 9999":  {withClaims(`{"sub":"alice","exp":253402300800}`), false},
		"exp of 20 digits":         {withClaims(`{"sub":"alice","exp":99999999999999999999}`), false},
		"nbf in the future":        {withClaims(`{"sub":"alice","exp":1700000100,"nbf":1700000031}`), false},
		"nbf string":               {withClaims(`{"sub":"alice","exp":1700000100,"nbf":"1"}`), false},
		"iat in the future":        {withClaims(`{"sub":"alice","exp":1700000100,"iat":1700000031}`), false},
		"iat negative":             {withClaims(`{"sub":"alice","exp":1700000100,"iat":-1}`), false},
		"wrong sub":                {withClaims(`{"sub":"bob","exp":1700000100}`), false},
		"sub of other letter case": {withClaims(`{"sub":"Alice","exp":1700000100}`), false},
		"no sub":                   {withClaims(`{"exp":1700000100}`), false},
		"empty sub":                {withClaims(`{"sub":"","exp":1700000100}`), false},
		"sub is a list":            {withClaims(`{"sub":["alice"],"exp":1700000100}`), false},
		"padded signature":         {good + "=", false},
		"padded claims":            {parts[0] + "." + parts[1] + "=." + parts[2], false},
		"standard base64":          {parts[0] + "." + parts[1] + "." + base64.StdEncoding.EncodeToString(signature), false},
		"trailing bits":            {good[:len(good)-1] + string(nextInAlphabet(good[len(good)-1])), false},
		"short signature":          {withSignature(signature[:16]), false},
		"long signature":           {withSignature(append(append([]byte(nil), signature...), 0)), false},
		"no signature":             {parts[0] + "." + parts[1] + ".", false},
		"four parts":               {good + ".x", false},
		"two parts":                {parts[0] + "." + parts[1], false},
		"empty parts":              {"..", false},
		"JWS in JSON":              {string(jws), false},
		"new line":                 {good + "\n", false},
		"oversize":                 {withClaims(`{"sub":"alice","exp":1700000100,"x":"` + strings.Repeat("x", maxJWT) + `"}`), false},
		"two megabytes":            {withClaims(`{"sub":"alice","exp":1700000100,"x":"` + strings.Repeat("x", 2<<20) + `"}`), false},
		"deeply nested":            {withClaims(`{"sub":"alice","exp":1700000100,"x":` + strings.Repeat("[", 2000) + strings.Repeat("]", 1000) + `}`), false},
	} {
		t.Run(name, func(t *testing.T) {
			c := jwtCredentials()
			for _, path := range []string{"", "alice"} {
				account, ok := c.Authenticate(path, test.token)
				if ok != test.want || ok && account != "alice" {
					t.Errorf("on path %q: %q, %v", path, account, ok)
				}
			}
			if account, ok := c.Authenticate("bob", test.token); ok {
				t.Errorf("on another's path: %q", account)
			}
		})
	}
}

// nextInAlphabet changes bits that base64 leaves unused in the last character of 32 bytes.
func nextInAlphabet(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)+1]
}

func TestJWTSettings(t *testing.T) {
	bare, forEver := withClaims(`{"exp":1700000100}`), withClaims(`{"sub":"zoe"}`)
	c := NewCredentials(func() time.Time { return jwtNow })
	c.AddJWT("any", JWT{Secret: []byte(jwtSecret)})
	c.AddJWT("empty", JWT{Subject: "empty"})
	for _, token := range []string{bare, withClaims(`{"sub":"whoever","exp":1700000100}`)} {
		if account, ok := c.Authenticate("", token); !ok || account != "any" {
			t.Errorf("without a configured subject: %q, %v", account, ok)
		}
	}
	if _, ok := c.Authenticate("empty", handMade(`{"alg":"HS256"}`, `{"sub":"empty","exp":1700000100}`, "")); ok {
		t.Error("an empty secret was taken")
	}
	if _, ok := c.Authenticate("any", forEver); ok {
		t.Error("without exp")
	}
	c.Remove("any")
	if _, ok := c.Authenticate("", bare); ok {
		t.Error("after Remove")
	}
	c.AddJWT("any", JWT{Secret: []byte(jwtSecret), AllowNoExpiry: true})
	if account, ok := c.Authenticate("", forEver); !ok || account != "any" {
		t.Errorf("without exp where that is allowed: %q, %v", account, ok)
	}
	if _, ok := c.Authenticate("", withClaims(`{"exp":1600000000}`)); ok {
		t.Error("an expired token where none is needed")
	}
	c.Add("any", "simple.token.too")
	if account, ok := c.Authenticate("", "simple.token.too"); !ok || account != "any" {
		t.Errorf("a simple token with dots: %q, %v", account, ok)
	}
}

// A secret is changed by having two for a time.
func TestJWTRotation(t *testing.T) {
	c := jwtCredentials()
	c.AddJWT("alice", JWT{Subject: "alice", Secret: []byte("the next secret")})
	for _, secret := range []string{jwtSecret, "the next secret"} {
		if _, ok := c.Authenticate("alice", handMade(`{"alg":"HS256"}`, `{"sub":"alice","exp":1700000100}`, secret)); !ok {
			t.Errorf("%q is not taken", secret)
		}
	}
}

// Without a path the account is found by subject, then by its name, then by trying; never by guessing between two.
func TestJWTCandidates(t *testing.T) {
	c := NewCredentials(func() time.Time { return jwtNow })
	token := func(subject, secret string) string {
		return handMade(`{"alg":"HS256"}`, fmt.Sprintf(`{"sub":%q,"exp":1700000100}`, subject), secret)
	}
	for i := range 100 {
		name := fmt.Sprintf("n%d", i)
		c.AddJWT("open-"+ilpcore.AccountID(name), JWT{Secret: []byte("open secret " + name)})
		c.AddJWT(ilpcore.AccountID(name), JWT{Subject: "s" + name, Secret: []byte("secret " + name)})
	}
	c.AddJWT("twin1", JWT{Subject: "twin", Secret: []byte("twins")})
	c.AddJWT("twin2", JWT{Subject: "twin", Secret: []byte("twins")})
	for name, test := range map[string]struct{ path, token, want string }{
		"by subject":                   {"", token("sn99", "secret n99"), "n99"},
		"by name":                      {"", token("open-n99", "open secret n99"), "open-n99"},
		"by trying":                    {"", token("x", "open secret n31"), "open-n31"},
		"too many to try":              {"", token("x", "open secret n32"), ""},
		"too many to try, but named":   {"open-n32", token("x", "open secret n32"), "open-n32"},
		"subject of another":           {"", token("sn1", "secret n2"), ""},
		"twins":                        {"", token("twin", "twins"), ""},
		"a twin on its path":           {"twin2", token("twin", "twins"), "twin2"},
		"another's path":               {"n1", token("sn2", "secret n2"), ""},
		"name of one, secret of other": {"", token("open-n5", "open secret n6"), "open-n6"},
	} {
		account, ok := c.Authenticate(test.path, test.token)
		if string(account) != test.want || ok != (test.want != "") {
			t.Errorf("%s: %q, %v", name, account, ok)
		}
	}
}

// Memory of verified tokens ends with exp and with any change of credentials, and is bounded.
func TestVerifiedIsForgotten(t *testing.T) {
	c := jwtCredentials()
	token := withClaims(`{"sub":"alice","exp":1700000100}`)
	if _, ok := c.Authenticate("", token); !ok || len(c.verified.tokens) != 1 {
		t.Fatalf("%v, %d remembered", ok, len(c.verified.tokens))
	}
	if _, ok := c.Authenticate("bob", token); ok {
		t.Error("taken on another path")
	}
	c.AddJWT("bob", JWT{Subject: "alice", Secret: []byte(jwtSecret)})
	if _, ok := c.Authenticate("", token); ok {
		t.Error("taken although it belongs to two accounts now")
	}
	c.Remove("bob")
	if _, ok := c.Authenticate("", token); !ok {
		t.Error("refused")
	}
	c.Remove("alice")
	if _, ok := c.Authenticate("", token); ok {
		t.Error("taken although the account is gone")
	}
	c.AddJWT("any", JWT{Secret: []byte(jwtSecret), AllowNoExpiry: true})
	for i := range 2*maxVerified + 5 {
		c.Authenticate("", withClaims(fmt.Sprintf(`{"exp":1700000100,"x":%d}`, i)))
	}
	c.Authenticate("", withClaims(`{"x":"without exp"}`))
	if n := len(c.verified.tokens); n != 5 {
		t.Errorf("%d tokens remembered", n)
	}
}

// A token is good until its exp and not longer, however often it was used before.
func TestJWTIsNotRememberedPastExp(t *testing.T) {
	now := jwtNow
	c := NewCredentials(func() time.Time { return now })
	c.AddJWT("alice", JWT{Subject: "alice", Secret: []byte(jwtSecret)})
	token := withClaims(`{"sub":"alice","exp":1700000100}`)
	for range 3 {
		if _, ok := c.Authenticate("alice", token); !ok {
			t.Fatal("refused")
		}
	}
	now = time.Unix(1_700_000_100, 0).Add(leeway - time.Second)
	if _, ok := c.Authenticate("alice", token); !ok {
		t.Error("refused within the leeway")
	}
	now = now.Add(time.Second)
	if _, ok := c.Authenticate("alice", token); ok {
		t.Error("taken after its exp")
	}
}

func FuzzJWT(f *testing.F) {
	f.Add(`{"alg":"HS256"}`, `{"sub":"alice","exp":1700000100}`, true)
	f.Add(`{"alg":"none"}`, `{"sub":"alice","exp":1700000100}`, true)
	f.Add(`{"alg":"HS256","crit":[]}`, `null`, true)
	f.Add(`{"alg":"HS256"}`, `{"sub":"alice","exp":1e300}`, true)
	f.Add(`{"alg":"HS256"}`, `{"sub":"alice","exp":1700000100,"nbf":1.5}`, false)
	c := jwtCredentials()
	f.Fuzz(func(t *testing.T, header, claims string, right bool) {
		secret := jwtSecret
		if !right {
			secret = "wrong"
		}
		account, ok := c.Authenticate("", handMade(header, claims, secret))
		if !ok {
			return
		}
		var h struct{ Alg string }
		var all map[string]any
		if json.Unmarshal([]byte(header), &h) != nil || json.Unmarshal([]byte(claims), &all) != nil {
			t.Fatal("taken although it cannot be read")
		}
		exp, isNumber := all["exp"].(float64)
		if !right || account != "alice" || all["sub"] != "alice" || !isNumber || exp < 1699999970 || exp > lastDate+1 {
			t.Errorf("taken: %s %s %v", header, claims, right)
		}
	})
}

// FuzzBearer shows whatever a client may send.
func FuzzBearer(f *testing.F) {
	f.Add(withClaims(`{"sub":"alice","exp":1700000100}`))
	f.Add("alice:token")
	f.Add("..")
	c := jwtCredentials()
	c.Add("bob", "token")
	f.Fuzz(func(t *testing.T, bearer string) {
		account, ok := c.Authenticate("", bearer)
		if ok && account == "bob" && bearer != "token" && bearer != "bob:token" || ok && account != "bob" && strings.Count(bearer, ".") != 2 {
			t.Errorf("%q is %q", bearer, account)
		}
	})
}

func BenchmarkJWT(b *testing.B) {
	for _, name := range []string{"new", "known"} {
		b.Run(name, func(b *testing.B) {
			c := jwtCredentials()
			token := withClaims(`{"sub":"alice","exp":1700000100}`)
			b.ReportAllocs()
			for b.Loop() {
				if name == "new" {
					c.verified.forget()
				}
				if _, ok := c.Authenticate("alice", token); !ok {
					b.Fatal("refused")
				}
			}
		})
	}
}
