package caddymodule

// This file looks for what must not be there in all that a server leaves in its data directory.

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/caddyserver/caddy/v2"
)

// TestP15NoTokenInTheFiles pays, spends and refuses with tokens, with both kinds of durability, and then looks at every byte of the directory.
func TestP15NoTokenInTheFiles(t *testing.T) {
	for _, durability := range []string{"group", "process"} {
		t.Run(durability, func(t *testing.T) {
			s := newServer(t)
			s.options += "\ndurability " + durability
			s.load()
			account := ""
			s.handler = func(_ http.ResponseWriter, r *http.Request) { account = r.Header.Get("Paydoor-Account") }
			s.pay("100")
			for range 3 {
				s.do(http.MethodGet, "/")
			}
			s.do(http.MethodGet, "/", "Pay-Token", "YW5vdGhlci1vbmUtdW5wYWk")
			running := filesOf(t, s.dataDir())
			if err := caddy.Stop(); err != nil {
				t.Fatal(err)
			}
			key, err := hex.DecodeString(account)
			if err != nil || len(key) != 32 {
				t.Fatalf("the account is %q", account)
			}
			for when, files := range map[string]map[string][]byte{"running": running, "stopped": filesOf(t, s.dataDir())} {
				found := false
				for name, content := range files {
					found = found || bytes.Contains(content, key)
					for _, secret := range []string{token, "YW5vdGhlci1vbmUtdW5wYWk"} {
						raw, err := base64.RawURLEncoding.DecodeString(secret)
						if err != nil {
							t.Fatal(err)
						}
						for _, form := range [][]byte{raw, []byte(secret), []byte(hex.EncodeToString(raw)), []byte(base64.StdEncoding.EncodeToString(raw))} {
							if bytes.Contains(content, form) {
								t.Errorf("%s, %s holds a token", when, name)
							}
						}
					}
				}
				if !found { // then this looks at the wrong files
					t.Errorf("%s: the account is in no file", when)
				}
			}
		})
	}
}

// filesOf reads all files below dir.
func filesOf(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
