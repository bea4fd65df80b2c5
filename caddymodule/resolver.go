package caddymodule

// This file turns what a config says into what it stands for: placeholders into their values.

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/caddyserver/caddy/v2"
)

// resolver holds the rules by which one config is resolved.
type resolver struct {
	// reading leaves placeholders unknown: a Caddyfile is being read, maybe on another machine. What does not depend on them is checked.
	reading  bool
	weak     bool // allow_weak_secrets
	insecure bool
}

// unknown says whether the value of s cannot be known yet.
func (r resolver) unknown(s string) bool { return r.reading && hasPlaceholder(s) }

// text returns what s stands for. A placeholder that is unknown stands for something that can be a part of most values.
func (r resolver) text(s, what string) (string, error) {
	if r.unknown(s) {
		return placeholderForm.ReplaceAllString(s, standIn), nil
	}
	return resolve(s, what)
}

var (
	placeholderForm = regexp.MustCompile(`\{[^}]*\}`)
	standIn         = strings.Repeat("1", 2*minSecret) // also as a port, and in base64
)

// hasPlaceholder says whether s contains something that is only known when the config is loaded.
func hasPlaceholder(s string) bool {
	open := strings.IndexByte(s, '{')
	return open >= 0 && strings.IndexByte(s[open:], '}') > 0
}

// resolve replaces the placeholders of s that are known when a config is loaded. An unknown or empty one is an error that names
// the placeholder and what to do about it, never a value.
func resolve(s, what string) (string, error) {
	value, err := caddy.NewReplacer().ReplaceFunc(s, func(key string, value any) (any, error) {
		if caddy.ToString(value) == "" {
			return nil, missing(key)
		}
		return value, nil
	})
	if err != nil {
		return "", fmt.Errorf("%s: %w", what, err)
	}
	return value, nil
}

// missing is the error for a placeholder without a value.
func missing(key string) error {
	if name, ok := strings.CutPrefix(key, "env."); ok {
		return fmt.Errorf("the environment variable of {env.%s} is empty or not set: set it before starting, or write the value", name)
	}
	if path, ok := strings.CutPrefix(key, "file."); ok {
		return fmt.Errorf("the file of {file.%s} is empty or cannot be read: write the value into %s, readable by the user who runs the server", path, path)
	}
	return fmt.Errorf("{%s} has no value when the config is loaded: write {env.NAME} or {file./path}, or the value itself", key)
}
