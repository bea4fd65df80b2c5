// Command paydoor is Caddy with the Paydoor modules compiled in.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	_ "time/tzdata"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	_ "github.com/caddyserver/caddy/v2/modules/standard"

	"github.com/paydoor/paydoor/caddymodule"
)

func main() {
	caddy.CustomBinaryName = "paydoor" // in the help of its commands
	caddy.CustomLongDescription = description
	if caddy.CustomVersion == "" { // unless the linker has set it
		caddy.CustomVersion = version() + ", Caddy" // whose version Caddy puts behind it
	}
	caddymodule.Refused = func(line string) {
		fmt.Fprintln(os.Stderr, "paydoor: "+line)
		os.Exit(caddymodule.ExitRefused)
	}
	if why := refuseToBeReplaced(os.Args[1:]); why != "" {
		fmt.Fprintln(os.Stderr, "paydoor: "+why)
		os.Exit(1)
	}
	caddycmd.Main()
}

const description = `
Paydoor is the front door for paid HTTP APIs: Caddy with a paywall, prepaid balances and an Interledger node compiled in.

See a first paid request, offline and with play money:

	$ paydoor demo

Run a site, in whose Caddyfile paywall says what requests cost, look whether a Caddyfile is right, and change a running one:

	$ paydoor run --config Caddyfile
	$ paydoor validate --config Caddyfile
	$ paydoor reload --config Caddyfile

Fetch a URL and pay for it, and see what was paid:

	$ paydoor fetch --max 100 http://localhost:8402/hello
	$ paydoor wallet

Show the balances of the running server, and its node:

	$ paydoor tokens audit
	$ paydoor node status

All else works as in Caddy: what is said of the command caddy holds for paydoor.`

// version is that of this program.
func version() string {
	if build, ok := debug.ReadBuildInfo(); ok && build.Main.Version != "" {
		return "Paydoor " + build.Main.Version
	}
	return "Paydoor"
}
