// Command paydoor is Caddy with the Paydoor modules compiled in.
package main

import (
	_ "time/tzdata"

	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	_ "github.com/paydoor/paydoor/caddymodule"
)

func main() { caddycmd.Main() }
