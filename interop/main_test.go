// Package interop runs the real paydoor binary against software that nobody here wrote: npm's ilp-connector as the
// connector, ilp-fetch, ilp-protocol-psk2, ilp-protocol-stream, ilp-protocol-spsp and @interledger/pay as payers, koa-ilp, @sharafian/cog,
// ilp-protocol-stream and @interledger/stream-receiver as those who are paid (package.json pins them), Go, Node, Python and
// nginx as backends behind Caddy's reverse_proxy, and the operating system's kill -9. It also has nodes among themselves: the
// Java connector's peering guide and pings, interledger-rs' own scenarios, nodes in a row that settle with each other and are killed, and peers that
// misbehave. It has tests only.
//
//	cd interop && npm ci                                             # once
//	PAYDOOR_INTEROP=1 go test ./interop/... -count=1 -timeout 15m -v # from the repository's root
//
// Without PAYDOOR_INTEROP=1 the long tests are skipped, and those that need Node are skipped where it is missing; with it,
// something missing is a failure. -short skips everything. The numbers can be made smaller for a quick look:
// PAYDOOR_INTEROP_KILLS (50), PAYDOOR_INTEROP_ROUNDS (20), PAYDOOR_INTEROP_QUOTES (1000000), PAYDOOR_INTEROP_DOWNLOAD
// (1 GB, in bytes). PAYDOOR_INTEROP_RACE=1 builds the binary with the race detector, and a race it reports fails the test.
package interop

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
)

// work is the directory of this run: the binary, and each gateway's files.
var work string

func TestMain(m *testing.M) {
	var err error
	if work, err = os.MkdirTemp("", "paydoor-interop-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(work)
	os.Exit(code)
}

// binary builds cmd/paydoor once for all tests and returns its path.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(work, "paydoor")
	args := []string{"build", "-o", path}
	if withRace() {
		args = append(args, "-race")
	}
	build := exec.Command("go", append(args, "../cmd/paydoor")...)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build ./cmd/paydoor: %w\n%s", err, out)
	}
	return path, nil
})

func required() bool { return os.Getenv("PAYDOOR_INTEROP") == "1" }

func withRace() bool { return os.Getenv("PAYDOOR_INTEROP_RACE") == "1" }

// needNode skips a test where Node or the pinned packages are missing; with PAYDOOR_INTEROP=1 it fails the test instead.
func needNode(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs the binary and Node peers; skipped with -short")
	}
	missing := ""
	if _, err := exec.LookPath("node"); err != nil {
		missing = "node is not on the PATH"
	} else if _, err := os.Stat("node_modules/ilp-connector"); err != nil {
		missing = "interop/node_modules is missing; run: cd interop && npm ci"
	}
	switch {
	case missing == "":
	case required():
		t.Fatalf("PAYDOOR_INTEROP=1, but %s", missing)
	default:
		t.Skip(missing)
	}
}

// needTime skips a test that needs no Node but runs the binary for long, unless PAYDOOR_INTEROP=1.
func needTime(t *testing.T) {
	t.Helper()
	if testing.Short() || !required() {
		t.Skip("runs the binary for long; set PAYDOOR_INTEROP=1 (and not -short) to run it")
	}
}

// setting returns the whole number in the environment variable name, or fallback.
func setting(t *testing.T, name string, fallback int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a positive whole number", name, text)
	}
	return n
}
