package caddymodule

// This file resolves secrets. A config holds their placeholders only; the values live in unexported fields and in no error text.

import (
	"encoding/base64"
	"fmt"
	"strings"
)

// minSecret is the length in bytes below which a secret needs allow_weak_secrets (D10).
const minSecret = 32

// resolveSecret returns the value of a configured secret. what names the line in errors, such as "account bob: incoming simple".
func resolveSecret(s, what string, allowWeak bool) (string, error) {
	if s == "" {
		return "", fmt.Errorf("%s has no secret: write one, such as {env.NAME}", what)
	}
	value, err := resolve(s, what)
	if err != nil {
		return "", err
	}
	return value, checkStrength(value, what, allowWeak)
}

// resolveKey is resolveSecret for a key that is bytes: those of the text, or, after "base64:", those that the rest stands for.
func resolveKey(s, what string, allowWeak bool) (string, error) {
	value, err := resolveSecret(s, what, true)
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
	return value, checkStrength(value, what, allowWeak)
}

// checkStrength refuses an empty secret, and a short one unless allowed.
func checkStrength(secret, what string, allowWeak bool) error {
	if secret == "" {
		return fmt.Errorf("%s is empty", what)
	}
	if len(secret) < minSecret && !allowWeak {
		return fmt.Errorf("%s has %d bytes, which can be guessed: use at least %d random ones (openssl rand -hex 32), or write allow_weak_secrets in the ilp block",
			what, len(secret), minSecret)
	}
	return nil
}
