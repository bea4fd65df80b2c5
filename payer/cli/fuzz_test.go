package cli

// This file feeds the reader of the configuration, and the makers of requests, with anything.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzConfig(f *testing.F) {
	f.Add([]byte(`{"uplink": "btp+wss://a:b@c", "uplink_token": "x", "max_per_request": 5, "max_per_day": "18446744073709551615"}`))
	f.Add([]byte(`{"max_per_host": 1e3}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), configFile)
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := readConfig(path)
		if err == nil && (c.Token != "" || strings.Contains(c.Uplink, "@")) {
			t.Errorf("a token that everybody can read was taken: %q", text)
		}
	})
}

func FuzzMasked(f *testing.F) {
	f.Add("Pay", "interledger-stream test.x the-secret 10")
	f.Add("X-Api-Key", "the-secret")
	f.Add("Pay-Token", "\x1b[2Jabc")
	f.Fuzz(func(t *testing.T, name, value string) {
		if shown := masked(name, value); strings.ContainsAny(shown, "\x1b\r\n\x00\u009b") {
			t.Errorf("control characters go to the terminal: %q", shown)
		}
	})
}
