// Command paydoor is Caddy with the Paydoor modules compiled in.
package main

import (
	"fmt"
	"os"
	_ "time/tzdata"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	"github.com/paydoor/paydoor/caddymodule"
)

func main() {
	caddy.CustomBinaryName = "paydoor" // in the help of its commands
	caddymodule.Refused = func(line string) {
		fmt.Fprintln(os.Stderr, "paydoor: "+line)
		os.Exit(caddymodule.ExitRefused)
	}
	caddycmd.Main()
}
