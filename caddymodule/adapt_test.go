package caddymodule_test

// This file runs the golden files: a Caddyfile, a line of dashes, and the JSON or the error that comes of it.

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	_ "github.com/caddyserver/caddy/v2/modules/standard"
	"github.com/google/go-cmp/cmp"

	_ "github.com/paydoor/paydoor/caddymodule"
)

var update = flag.Bool("update", false, "write the golden files anew")

const separator = "----------\n"

func TestAdapt(t *testing.T) {
	golden(t, "testdata/adapt", func(t *testing.T, caddyfile string) string {
		adapted, err := adapt(caddyfile)
		if err != nil {
			t.Fatalf("adapting: %v", err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, adapted, "", "\t"); err != nil {
			t.Fatal(err)
		}
		return pretty.String() + "\n"
	})
}

// TestAdaptErrors wants each mistake named with file, line, and what to write instead.
func TestAdaptErrors(t *testing.T) {
	golden(t, "testdata/errors", func(t *testing.T, caddyfile string) string {
		_, err := adapt(caddyfile)
		if err == nil {
			t.Fatal("the mistake was accepted")
		}
		if !strings.Contains(err.Error(), "Caddyfile:") {
			t.Errorf("the error names no line: %v", err)
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error shows a secret: %v", err)
		}
		return err.Error() + "\n"
	})
}

// TestLoadErrors wants the same of mistakes that show only with the values of placeholders, also from a config that was adapted by
// another process and stored, as paydoor reload and --resume do.
func TestLoadErrors(t *testing.T) {
	for name, value := range map[string]string{
		"STRONG": strings.Repeat("s", 32), "SHORT": "hunter2", "EMPTY": "", "WORDS": "ten", "HUNDRED": "100", "HOST": "c.example",
	} {
		t.Setenv(name, value)
	}
	golden(t, "testdata/load", func(t *testing.T, caddyfile string) string {
		adapted, err := adapt(caddyfile)
		if err != nil {
			t.Fatalf("adapting: %v", err)
		}
		var config caddy.Config
		if err := caddy.StrictUnmarshalJSON(adapted, &config); err != nil {
			t.Fatal(err)
		}
		err = caddy.Validate(&config)
		if err == nil {
			t.Fatal("the mistake was accepted")
		}
		if !strings.Contains(err.Error(), "Caddyfile:") || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error names no line, or shows a secret: %v", err)
		}
		return err.Error() + "\n"
	})
}

// TestGoldenConfigsAreValid loads what the golden files promise, and wants that nothing is touched by it.
func TestGoldenConfigsAreValid(t *testing.T) {
	t.Setenv("TOKEN", strings.Repeat("t", 32))
	t.Setenv("SECRET", strings.Repeat("s", 32))
	t.Setenv("OLD_SECRET", strings.Repeat("o", 32))
	t.Setenv("PRICE", "7")
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	for _, file := range goldenFiles(t, "testdata/adapt") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			_, adapted := readGolden(t, file)
			var config caddy.Config
			if err := caddy.StrictUnmarshalJSON([]byte(adapted), &config); err != nil {
				t.Fatal(err)
			}
			if err := caddy.Validate(&config); err != nil {
				t.Fatal(err)
			}
		})
	}
	left, err := filepath.Glob(filepath.Join(home, "caddy", "paydoor*"))
	if err != nil || len(left) > 0 {
		t.Errorf("validating left %v behind (%v)", left, err)
	}
}

// TestRoundTrip wants that nothing is lost when Caddy stores a config and loads it again.
func TestRoundTrip(t *testing.T) {
	for _, file := range goldenFiles(t, "testdata/adapt") {
		_, adapted := readGolden(t, file)
		var config struct {
			Apps map[string]json.RawMessage `json:"apps"`
		}
		if err := json.Unmarshal([]byte(adapted), &config); err != nil {
			t.Fatal(err)
		}
		raw, ok := config.Apps["ilp"]
		if !ok {
			t.Errorf("%s configures no node", file)
			continue
		}
		app, err := caddy.GetModule("ilp")
		if err != nil {
			t.Fatal(err)
		}
		value := app.New()
		if err := caddy.StrictUnmarshalJSON(raw, value); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		again, err := json.MarshalIndent(value, "", "\t")
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(decode(t, raw), decode(t, again)); diff != "" {
			t.Errorf("%s: %s", file, diff)
		}
	}
}

func decode(t *testing.T, raw []byte) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func adapt(caddyfile string) ([]byte, error) {
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(caddyfile), map[string]any{"filename": "Caddyfile"})
	return adapted, err
}

func goldenFiles(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.caddyfiletest"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files in %s (%v)", dir, err)
	}
	return files
}

func readGolden(t *testing.T, file string) (caddyfile, expected string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	caddyfile, expected, _ = strings.Cut(string(b), separator)
	return caddyfile, expected
}

func golden(t *testing.T, dir string, make func(t *testing.T, caddyfile string) string) {
	t.Helper()
	for _, file := range goldenFiles(t, dir) {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".caddyfiletest"), func(t *testing.T) {
			caddyfile, expected := readGolden(t, file)
			got := make(t, caddyfile)
			if *update {
				if err := os.WriteFile(file, []byte(caddyfile+separator+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(expected, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
