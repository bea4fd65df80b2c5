package caddymodule_test

import (
	"fmt"

	"github.com/caddyserver/caddy/v2/caddyconfig"
)

// A Caddyfile becomes JSON, in which amounts are strings and defaults are left out.
func Example() {
	adapted, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(`
{
	ilp {
		address test.paydoor
	}
}
:8080 {
	paywall 10
}
`), nil)
	fmt.Println(string(adapted), err)
	// Output: {"apps":{"http":{"servers":{"srv0":{"listen":[":8080"],"routes":[{"handle":[{"handler":"paywall","prices":[{"amount":"10"}]}]}]}}},"ilp":{"address":"test.paydoor"}}} <nil>
}
