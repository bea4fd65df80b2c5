package main

// This file puts our adapter in the place of Caddy's for Caddyfiles, so that no log of this program tells a token or a secret.
//
// Caddy looks the name "caddyfile" up in its map of adapters from many places: run, reload, validate, adapt, --watch, POST /load, and
// configs that are fetched. None asks which adapter to use, and RegisterAdapter refuses to replace one. So the map itself is changed:
// one line that covers all of them, where anything around the commands and endpoints would sooner or later miss one, silently.
// Should a version of Caddy keep its adapters elsewhere, the program refuses to start.

import (
	_ "unsafe" // for go:linkname

	"github.com/caddyserver/caddy/v2/caddyconfig"

	"github.com/paydoor/paydoor/caddymodule"
)

//go:linkname adapters github.com/caddyserver/caddy/v2/caddyconfig.configAdapters
var adapters map[string]caddyconfig.Adapter

func init() {
	ours := caddymodule.RedactingCaddyfile()
	if adapters != nil {
		adapters["caddyfile"] = ours
	}
	if caddyconfig.GetAdapter("caddyfile") != ours {
		panic("paydoor: this version of Caddy keeps its config adapters elsewhere; cmd/paydoor/adapter.go has to follow it")
	}
}
