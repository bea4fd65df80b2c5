package caddymodule_test

// This file loads what docs/peering.md shows, so that it can be typed as it stands.

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/caddyserver/caddy/v2"

	"github.com/paydoor/paydoor/caddymodule"
)

var (
	fenced       = regexp.MustCompile("(?s)```(caddyfile|json)\n(.*?)```")
	fromVariable = regexp.MustCompile(`\{env\.([A-Z_]+)\}`)
)

func TestPeeringGuide(t *testing.T) {
	guide, err := os.ReadFile("../docs/peering.md")
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	t.Setenv("XDG_DATA_HOME", home)
	t.Setenv("XDG_CONFIG_HOME", home)
	seen, children := map[string]int{}, 0
	for _, block := range fenced.FindAllStringSubmatch(string(guide), -1) {
		language, text := block[1], block[2]
		seen[language]++
		if language == "json" {
			if !json.Valid([]byte(text)) {
				t.Errorf("this is no JSON:\n%s", text)
			}
			continue
		}
		if !strings.HasPrefix(text, "{") { // the site alone: the node goes with it
			text = "{\n\tilp {\n\t\tsandbox\n\t}\n}\n" + text
		}
		for _, variable := range fromVariable.FindAllStringSubmatch(text, -1) {
			t.Setenv(variable[1], strings.Repeat("s", 32))
		}
		if validatesAsShown(t, text) {
			children++
		}
	}
	if seen["caddyfile"] < 8 || seen["json"] < 12 || children < 4 {
		t.Errorf("the guide shows %v, and %d children", seen, children)
	}
}

// validatesAsShown goes as far as paydoor validate. child says that it shows a node with a parent: one that could not pay without a route.
func validatesAsShown(t *testing.T, caddyfile string) (child bool) {
	t.Helper()
	adapted, err := adapt(caddyfile)
	if err != nil {
		t.Errorf("%v\n%s", err, caddyfile)
		return false
	}
	var node struct {
		Apps struct {
			ILP caddymodule.App `json:"ilp"`
		} `json:"apps"`
	}
	if err := json.Unmarshal(adapted, &node); err != nil {
		t.Fatal(err)
	}
	for _, a := range node.Apps.ILP.Accounts {
		child = child || a.Relation == "parent"
		if want := (caddymodule.Route{Prefix: "*", Account: a.Name}); a.Relation == "parent" && !slices.Contains(node.Apps.ILP.Routes, want) {
			t.Errorf("nothing is routed to the parent in\n%s", caddyfile)
		}
	}
	var config caddy.Config
	if err := caddy.StrictUnmarshalJSON(adapted, &config); err != nil {
		t.Fatal(err)
	}
	if err := caddy.Validate(&config); err != nil {
		t.Errorf("%v\n%s", err, caddyfile)
	}
	return child
}
