package main

// This file stands before those commands of Caddy that replace the program by a download: there is none with a paywall.

import "slices"

// refuseToBeReplaced says why a command line would replace the program by one that cannot run its sites, and what to do instead. It is "" for
// all others, and where only the help is asked for.
func refuseToBeReplaced(arguments []string) string {
	if len(arguments) == 0 || slices.Contains(arguments, "-h") || slices.Contains(arguments, "--help") {
		return ""
	}
	if !slices.Contains([]string{"upgrade", "add-package", "remove-package"}, arguments[0]) {
		return ""
	}
	return arguments[0] + " would replace this program by a Caddy from caddyserver.com, which has no paywall and cannot run your sites: " +
		"for a newer one, build it from a newer checkout with go build ./cmd/paydoor; for one with other modules, with xcaddy.sh"
}
