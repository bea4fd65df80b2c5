// Package paydoor has no code of its own: this test keeps the layers of the packages below it apart.
package paydoor

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/paydoor/paydoor/"

// layers lists who may import whom, from the bottom up. A package may import those of lower layers; the exceptions are forbidden.
var layers = [][]string{
	{"amount", "internal/failpoint", "internal/loopback", "internal/testengine", "internal/testpeer", "internal/testport", "spsp"},
	{"ilpcore", "ilpcore/btp", "ilpcore/ccp", "ilpcore/psk2", "ilpcore/stream", "store"},
	{"links/posting"},
	{"receiver", "connector", "payer", "balances", "links/ilphttp", "links/ilpheaders", "links/btp"},
	{"paywall", "nodeapi", "nodeapi/cli", "payer/cli"},
	{"caddymodule"},
	{"cmd/paydoor"},
}

// siblings are the imports inside one layer that are wanted.
var siblings = map[string][]string{
	"ilpcore/btp": {"ilpcore"}, "ilpcore/ccp": {"ilpcore"}, "ilpcore/psk2": {"ilpcore"}, "ilpcore/stream": {"ilpcore"},
}

// forbidden are imports that the layers alone would let through.
var forbidden = map[string][]string{
	"paywall": {"github.com/caddyserver/"},
	"ilpcore": {"log", "net", "os", "github.com/", "go.uber.org/"},
}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestPackagesImportOnlyDownwards(t *testing.T) {
	packages := list(t)
	if len(packages) < 10 {
		t.Fatalf("only %d packages were listed", len(packages))
	}
	for _, p := range packages {
		name, ours := strings.CutPrefix(p.ImportPath, module)
		if !ours || strings.HasPrefix(name, "interop") || strings.HasPrefix(name, "bench") || strings.HasPrefix(name, "examples") {
			continue
		}
		own := layerOf(name)
		if own < 0 {
			t.Errorf("%s is in no layer: add it to this test where DESIGN.md puts it", name)
			continue
		}
		for _, imported := range p.Imports {
			if below, ours := strings.CutPrefix(imported, module); ours {
				if layer := layerOf(below); layer >= own && !slices.Contains(siblings[name], below) {
					t.Errorf("%s imports %s, which is not below it", name, below)
				}
			}
			if imported == "github.com/caddyserver/caddy/v2" && own < layerOf("caddymodule") {
				t.Errorf("%s imports Caddy; only caddymodule does", name)
			}
			for _, prefix := range forbidden[name] {
				if (imported == prefix || strings.HasPrefix(imported, prefix) && strings.HasSuffix(prefix, "/")) && !strings.HasPrefix(imported, module) {
					t.Errorf("%s imports %s", name, imported)
				}
			}
		}
	}
}

func layerOf(name string) int {
	return slices.IndexFunc(layers, func(layer []string) bool { return slices.Contains(layer, name) })
}

func list(t *testing.T) (packages []listed) {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("listing packages: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		switch err := d.Decode(&p); {
		case errors.Is(err, io.EOF):
			return packages
		case err != nil:
			t.Fatal(err)
		}
		packages = append(packages, p)
	}
}
