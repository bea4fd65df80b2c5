package caddymodule

// This file resolves secrets. A config holds their placeholders only; the values live in unexported fields and in no error text.

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// minSecret is the length in bytes below which a secret needs allow_weak_secrets (D10).
const minSecret = 32

// secret returns the value of a configured secret. what names the line in errors, such as "incoming simple".
func (r resolver) secret(s, what string) (string, error) {
	if s == "" {
		return "", fmt.Errorf("%s has no secret: write one, such as {env.NAME}", what)
	}
	value, err := r.text(s, what)
	if err != nil {
		return "", err
	}
	return value, checkStrength(value, what, r.weak)
}

// key is secret for a key that is bytes: those of the text, or, after "base64:", those that the rest stands for.
func (r resolver) key(s, what string) (string, error) {
	anyLength := r
	anyLength.weak = true
	value, err := anyLength.secret(s, what)
	if err != nil {
		return "", err
	}
	if encoded, ok := strings.CutPrefix(value, "base64:"); ok {
		encoded = strings.NewReplacer("-", "+", "_", "/", "=", "").Replace(encoded)
		key, err := base64.RawStdEncoding.DecodeString(encoded)
		if err != nil {
			return "", fmt.Errorf("%s begins with base64: and goes on with something else: write base64 after it, or the key itself without it", what)
		}
		value = string(key)
	}
	return value, checkStrength(value, what, r.weak)
}

// checkStrength refuses an empty secret, and a short one unless allowed.
func checkStrength(secret, what string, allowWeak bool) error {
	if secret == "" {
		return fmt.Errorf("%s is empty: write a secret, such as {env.NAME}", what)
	}
	if len(secret) < minSecret && !allowWeak {
		return fmt.Errorf("%s has %d bytes, which can be guessed: use at least %d random ones (openssl rand -hex 32), or write allow_weak_secrets in the ilp block",
			what, len(secret), minSecret)
	}
	return nil
}
