package caddymodule

// This file reads Caddyfiles that nobody would write: reading may fail, in words, and not in another way.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig"
)

func FuzzCaddyfile(f *testing.F) {
	for _, dir := range []string{"adapt", "errors", "load"} {
		files, err := filepath.Glob(filepath.Join("testdata", dir, "*.caddyfiletest"))
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s (%v)", dir, err)
		}
		for _, file := range files {
			b, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			text, _, _ := strings.Cut(string(b), "----------\n")
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "import") {
			t.Skip("reads files")
		}
		_, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(text), map[string]any{"filename": "Caddyfile"})
		if err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}
