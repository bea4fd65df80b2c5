package posting

// This file reads who a request says it is from, and refuses it in words.

import (
	"net/http"
	"strings"

	"github.com/paydoor/paydoor/ilpcore"
)

// BearerToken returns what follows "Bearer " in the one Authorization header there may be. Some versions of ilp-plugin-http and of the Java
// connector leave "Bearer " out.
func BearerToken(h http.Header) (token string, ok bool) {
	values := h["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	scheme, token, found := strings.Cut(values[0], " ")
	if !found {
		return scheme, scheme != "" && !strings.EqualFold(scheme, "Bearer")
	}
	token = strings.TrimSpace(token)
	return token, token != "" && strings.EqualFold(scheme, "Bearer")
}

// Authenticator tells whose bearer token a request shows. account is the one the path names, or "". It compares in constant time.
type Authenticator interface {
	Authenticate(account, bearer string) (ilpcore.AccountID, bool)
}

// Login returns whose request r is, if it is a POST that logs in; else it has answered with 405 or 401.
func Login(w http.ResponseWriter, r *http.Request, accounts Authenticator, account string) (from ilpcore.AccountID, ok bool) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		Refuse(w, http.StatusMethodNotAllowed, "ILP packets are sent by POST")
		return "", false
	}
	bearer, there := BearerToken(r.Header)
	from, known := accounts.Authenticate(account, bearer)
	if !there || !known {
		refuseLogin(w)
		return "", false
	}
	return from, true
}

// refuseLogin answers a request whose bearer token is missing or wrong.
func refuseLogin(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="ilp"`)
	Refuse(w, http.StatusUnauthorized, "the bearer token is missing or not valid here")
}

// Refuse answers with a status and a sentence for the person who runs the client.
func Refuse(w http.ResponseWriter, status int, sentence string) {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(sentence + "\n")) // nobody is left to tell about a failure
}
