package nodeapi

// This file says who asks, and in which dialect to answer (D11).

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/paydoor/paydoor/ilpcore"
)

// Dialect is the way in which requests and answers are written.
type Dialect uint8

const (
	// Rust06 is interledger-rs up to 0.6, which seed 001 describes.
	Rust06 Dialect = iota
	// Rust10 is interledger-rs 1.0.
	Rust10
	// Java is the Java connector, which seed 000 uses.
	Java
)

// ErrDialect says that a text names no dialect.
var ErrDialect = errors.New("the dialects of the API are rust-0.6, rust-1.0 and java")

// ParseDialect reads "rust-0.6", "rust-1.0" or "java"; anything else is ErrDialect.
func ParseDialect(s string) (Dialect, error) {
	for d := Rust06; d <= Java; d++ {
		if s == d.String() {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%q: %w", s, ErrDialect)
}

// String returns the word used in configuration.
func (d Dialect) String() string {
	switch d {
	case Rust10:
		return "rust-1.0"
	case Java:
		return "java"
	default:
		return "rust-0.6"
	}
}

// Authenticator tells whose bearer token a request shows. account is the one that the path names, or "". It compares in constant time
// and takes both "token" and "account:token".
type Authenticator interface {
	Authenticate(account, bearer string) (ilpcore.AccountID, bool)
}

// principal is who asks.
type principal struct {
	admin   bool
	account ilpcore.AccountID // whose token it is; "" of the admin and of nobody
	basic   bool              // by user and password
	pair    bool              // by account:token
	engine  bool              // a settlement engine
}

// adminUser is the only user of Basic authentication.
const adminUser = "admin"

// identify returns who sends r; account is the one that the path names, or "". Whoever shows nothing, or the wrong thing, is nobody.
func (a *API) identify(r *http.Request, account string) (p principal) {
	lines := r.Header.Values("Authorization")
	if len(lines) != 1 {
		return p
	}
	if user, password, ok := basicCredentials(lines[0]); ok {
		p.admin = same(user, adminUser) && same(password, a.adminToken)
		p.engine = same(user, engineUser) && same(password, a.engineToken)
		p.basic = p.admin || p.engine
		return p
	}
	token, ok := bearer(lines[0])
	if !ok {
		return p
	}
	if same(token, a.adminToken) {
		p.admin = true
		return p
	}
	if same(token, a.engineToken) {
		p.engine = true
		return p
	}
	id, ok := a.accounts.Authenticate(account, token)
	if !ok {
		return p
	}
	p.account, p.pair = id, strings.HasPrefix(token, string(id)+":")
	return p
}

// bearer returns what follows "Bearer ", in any case (RFC 9110, section 11.1).
func bearer(line string) (token string, ok bool) {
	scheme, token, ok := strings.Cut(line, " ")
	token = strings.TrimLeft(token, " ")
	return token, ok && strings.EqualFold(scheme, "Bearer") && token != ""
}

func basicCredentials(line string) (user, password string, ok bool) {
	scheme, encoded, ok := strings.Cut(line, " ")
	if !ok || !strings.EqualFold(scheme, "Basic") {
		return "", "", false
	}
	b, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(b), ":")
}

// pagesSend says whether a browser sends bodies of the type for every web page, with the user and password that it remembers, and asks nobody before.
func pagesSend(contentType string) bool {
	media, _, err := mime.ParseMediaType(contentType)
	return err != nil || media == "text/plain" || media == "application/x-www-form-urlencoded" || media == "multipart/form-data"
}

// same compares in a time that depends on neither text.
func same(a, b string) bool {
	x, y := sha256.Sum256([]byte(a)), sha256.Sum256([]byte(b))
	return b != "" && subtle.ConstantTimeCompare(x[:], y[:]) == 1
}

// dialectOf returns how p is answered where no body decides: Basic and accounts of the Java form in Java's dialect; account:token as
// seed 001; a bare account token as interledger-rs 1.0; the admin's bare token as configured.
func (a *API) dialectOf(p principal) Dialect {
	switch {
	case p.admin && p.basic:
		return Java
	case p.admin:
		return a.dialect
	case p.account == "":
		return a.dialect
	}
	if s, err := a.find(p.account); err == nil && s.Form == FormJava {
		return Java
	}
	if p.pair {
		return Rust06
	}
	return Rust10
}
