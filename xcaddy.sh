#!/bin/sh
# Builds Caddy with the Paydoor modules from this checkout: with xcaddy where there is one, else with plain go build.
#
#	./xcaddy.sh [OUTPUT] [XCADDY ARGUMENTS...]
#
# OUTPUT is ./paydoor unless given. Further arguments go to xcaddy, such as --with github.com/caddy-dns/cloudflare; plain go build
# cannot add modules, so with them xcaddy is required.
#
# Both give the same modules. Only go build ./cmd/paydoor also has what is special about the paydoor binary itself.
set -eu

checkout=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
output=${1:-paydoor}
[ $# -eq 0 ] || shift
case $output in
/*) ;;
*) output=$(pwd)/$output ;;
esac
cd "$checkout"

# find_xcaddy prints where xcaddy is, and installs it into a temporary directory if need be and possible.
find_xcaddy() {
	command -v xcaddy && return
	GOBIN=$temporary go install github.com/caddyserver/xcaddy/cmd/xcaddy@latest >"$temporary/log" 2>&1 || return
	echo "$temporary/xcaddy"
}

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT

if xcaddy=$(find_xcaddy); then
	caddy=$(go list -m -f '{{.Version}}' github.com/caddyserver/caddy/v2)
	echo "building with xcaddy and Caddy $caddy" >&2
	"$xcaddy" build "$caddy" --output "$output" \
		--with github.com/paydoor/paydoor/caddymodule \
		--replace "github.com/paydoor/paydoor=$checkout" "$@"
elif [ $# -gt 0 ]; then
	echo "xcaddy is not installed and cannot be had, and without it no modules can be added: see https://github.com/caddyserver/xcaddy" >&2
	exit 1
else
	echo "xcaddy is not installed and cannot be had: building with go build" >&2
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -tags nobadger,nomysql,nopgx -o "$output" ./cmd/paydoor
fi
echo "built $output" >&2
