package cli

// This file has programs that end, or could, in the middle of a payment.

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/payer"
)

// pipedURL is the variable that makes of this test a fetch of what it names, which says each step.
const pipedURL = "PAYDOOR_TEST_PIPED_URL"

// TestNobodyReads has a fetch whose messages nobody reads, as of one with `2>&1 | head`: it pays all the same, and notes that.
func TestNobodyReads(t *testing.T) {
	if url := os.Getenv(pipedURL); url != "" {
		cmd := &cobra.Command{Use: "fetch", SilenceErrors: true}
		Fetch(cmd, Environment{Getenv: os.Getenv, Now: time.Now, Random: rand.Reader})
		cmd.SetErr(os.Stderr)
		cmd.SetArgs([]string{"-v", "--max", "10", url})
		os.Exit(ExitStatus(cmd.Execute()))
	}
	s, term := newShop(t), newTerminal(t)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := read.Close(); err != nil {
		t.Fatal(err)
	}
	var stdout bytes.Buffer
	child := exec.Command(os.Args[0], "-test.run=^TestNobodyReads$")
	child.Env = append(os.Environ(), pipedURL+"="+s.URL+"/a", walletVariable+"="+term.dir, nodeVariable+"="+s.node.URL)
	child.Stdout, child.Stderr = &stdout, write
	err = child.Run()
	if closed := write.Close(); closed != nil {
		t.Error(closed)
	}
	if err != nil || !strings.HasPrefix(stdout.String(), "worth 10\n") {
		t.Errorf("%v, %q", err, &stdout)
	}
	var all []spendingLine
	if err := json.Unmarshal([]byte(term.types("wallet", "spending", "--json").stdout), &all); err != nil || len(all) != 1 || all[0].State != "paid" {
		t.Errorf("the wallet has %+v, %v", all, err)
	}
}

// TestFetchAfterAKilledOne waits for what the other may have sent, and says so.
func TestFetchAfterAKilledOne(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	killed, err := payer.OpenWallet(payer.WalletConfig{Dir: term.dir})
	if err != nil {
		t.Fatal(err)
	}
	if err := killed.Reserve("127.0.0.1", 10); err != nil {
		t.Fatal(err)
	}
	if err := killed.Close(); err != nil { // which leaves the payment open
		t.Fatal(err)
	}
	got := term.types("fetch", "--max", "10", "-m", "0.5", s.URL+"/a")
	if got.status != StatusNoAnswer || strings.Count(got.stderr, "paydoor: waiting for up to 1m0s: an earlier payment to 127.0.0.1 may still arrive") != 1 {
		t.Errorf("%+v", got)
	}
}
