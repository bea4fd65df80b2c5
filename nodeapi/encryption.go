package nodeapi

// This file answers the requests about encrypted secrets.

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strings"
)

// encrypt answers POST /encryption/encrypt: the body is a secret, the answer is the same encrypted, enc:…
func (a *API) encrypt(w http.ResponseWriter, r *request) {
	secret := strings.TrimRight(string(r.body), "\r\n")
	if secret == "" || strings.HasPrefix(secret, sealedPrefix) {
		writeProblem(w, problemDetails{Status: http.StatusBadRequest, Detail: "send the secret itself as text/plain, and no encrypted one"})
		return
	}
	sealed, err := a.directory.Keeper().Seal(secret)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte(sealed)) // a client that left
}

// importKey answers PUT /encryption/keys/{keystore}: the body is the 32-byte AES key of another node, in hex or base64, so that secrets
// that it has encrypted, enc:KEYSTORE:…, can be used here. It answers 204.
func (a *API) importKey(w http.ResponseWriter, r *request) {
	key, ok := parseKey(strings.TrimSpace(string(r.body)))
	if !ok {
		writeProblem(w, problemDetails{Status: http.StatusBadRequest, Detail: "send the key as text/plain: 64 hex digits, or base64 of 32 bytes"})
		return
	}
	if err := a.directory.ImportKey(r.Context(), strings.ToLower(r.PathValue("keystore")), key); err != nil {
		a.fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func parseKey(text string) (key []byte, ok bool) {
	if key, err := hex.DecodeString(text); err == nil && len(key) == keySize {
		return key, true
	}
	text = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
	key, err := base64.RawStdEncoding.DecodeString(text)
	return key, err == nil && len(key) == keySize
}
