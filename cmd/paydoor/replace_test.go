package main

// This file asks the real binary to replace itself, and looks that the example gets no advice from it.

import (
	"os"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
)

func TestIsNotReplacedByACaddy(t *testing.T) {
	p := newProcess(t)
	for _, arguments := range [][]string{{"upgrade"}, {"add-package", "github.com/caddy-dns/cloudflare"}, {"remove-package", "-k", "x"}} {
		if out := p.ends(1, arguments...); !strings.Contains(out, arguments[0]+" would replace this program") || strings.Count(out, "\n") != 1 {
			t.Errorf("%v says %s", arguments, out)
		}
	}
	if out := p.run("", "upgrade", "--help"); !strings.Contains(out, "paydoor upgrade ") {
		t.Errorf("the help says %s", out)
	}
}

func TestExampleIsFormatted(t *testing.T) {
	text, err := os.ReadFile("../../Caddyfile.example")
	if err != nil {
		t.Fatal(err)
	}
	if warning, different := caddyfile.FormattingDifference("Caddyfile.example", text); different {
		t.Error(warning)
	}
}
