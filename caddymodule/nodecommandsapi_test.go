package caddymodule

// This file types the commands of paydoor node where a node answers, in each of its dialects.

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
)

// types runs a command line, whose words are between spaces, and returns what it printed.
func (n *twin) types(t *testing.T, line string) (stdout string, err error) {
	t.Helper()
	cmd := &cobra.Command{Use: "node", SilenceUsage: true, SilenceErrors: true}
	addNodeCommands(cmd)
	var out, said bytes.Buffer
	cmd.SetOut(&out)
	cmd.SetErr(&said)
	cmd.SetArgs(append(strings.Fields(line), "--node", n.url))
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	err = cmd.ExecuteContext(ctx)
	if err != nil {
		t.Logf("%s: %v: %s", line, err, said.String())
	}
	return out.String(), err
}

func TestNodeCommandsAgainstTheNode(t *testing.T) {
	for dialect := nodeapi.Rust06; dialect <= nodeapi.Java; dialect++ {
		t.Run(dialect.String(), func(t *testing.T) {
			n := newTwin(t, "near")
			n.dialect = dialect
			n.restart(t)
			t.Setenv("PAYDOOR_ADMIN_TOKEN", n.admin(t))
			t.Setenv("ALICE", aliceToken)
			t.Setenv("BOB", bobToken)
			key := filepath.Join(t.TempDir(), "key")
			if err := os.WriteFile(key, []byte(javaKey), 0o600); err != nil {
				t.Fatal(err)
			}
			n.wantTyped(t, key)
			n.wantBalances(t, map[ilpcore.AccountID]int64{"alice": -1500, "bob": 1500})
			n.wantIncoming(t)
		})
	}
}

// wantIncoming has a command wait for a payment to bob, and one for a payment to anybody.
func (n *twin) wantIncoming(t *testing.T) {
	t.Helper()
	var waiting sync.WaitGroup
	for _, account := range []string{"bob", ""} {
		waiting.Go(func() {
			out, err := n.types(t, "accounts incoming-payments "+account+" --count 1")
			if err != nil || !strings.Contains(out, "bob") || !strings.Contains(out, "7") {
				t.Errorf("incoming-payments %s prints %q, %v", account, out, err)
			}
		})
	}
	done := make(chan struct{})
	go func() { waiting.Wait(); close(done) }()
	for {
		if _, err := n.types(t, "pay alice --token env:ALICE --amount 7 --to "+n.url+"/accounts/bob/spsp"); err != nil {
			t.Error(err)
		}
		select {
		case <-done:
			return
		case <-time.After(100 * time.Millisecond): // the commands may not listen yet
		}
	}
}

// wantTyped types the commands one after the other; a line that ends in an error has a reason for it.
func (n *twin) wantTyped(t *testing.T, key string) {
	t.Helper()
	for _, step := range []struct{ line, shows, fails string }{
		{"status", "test.near", ""},
		{"accounts create alice --asset-code USD --asset-scale 9 --ilp-over-http-incoming-token env:ALICE", "alice", ""},
		{"accounts create bob --asset-code USD --asset-scale 9 --ilp-over-http-incoming-token env:BOB", "bob", ""},
		{"accounts create gone --asset-code EUR --asset-scale 2", "gone", ""},
		{"accounts create bob --asset-code USD --asset-scale 9", "", "already"},
		{"accounts list", "alice", ""},
		{"accounts info bob", "bob", ""},
		{"accounts info nobody", "", "nobody"},
		{"accounts update-settings bob --settle-threshold 1000 --settle-to 0", "", ""},
		{"accounts update bob --asset-code USD --asset-scale 9 --max-packet-amount 500 --ilp-over-http-incoming-token env:BOB", "bob", ""},
		{"import-key JKS --key-file " + key, "enc:JKS:", ""},
		{"rates set-all --pair USD 1 --pair EUR 1.08", "", ""},
		{"rates list", "1.08", ""},
		{"routes set test.elsewhere --account gone", "", ""},
		{"routes list", "test.elsewhere", ""},
		{"routes delete test.elsewhere", "", ""},
		{"accounts delete gone", "", ""},
		{"ping test.near --as alice --token env:ALICE --amount 0", "1 fulfilled", ""},
		{"pay alice --token env:ALICE --amount 1500 --to " + n.url + "/accounts/bob/spsp", "1500", ""},
		{"pay alice --token env:BOB --amount 1 --to " + n.url + "/accounts/bob/spsp", "", "token"},
		{"accounts balance bob", "1500 (0.0000015 USD)", ""},
		{"accounts payments bob", "received  1500 (0.0000015 USD)", ""},
		{"accounts payments alice --sent --limit 1", "/accounts/bob/spsp", ""},
		{"settlement list", "No settlement is unanswered", ""},
		{"settlement show bob", "unanswered", ""},
		{"settlement resolve bob --key k --as settled --reason none", "", "no settlement with this key is unanswered"},
		{"accounts delete bob", "", "zero"},
	} {
		out, err := n.types(t, step.line)
		switch {
		case step.fails == "" && err != nil:
			t.Errorf("%s fails", step.line)
		case step.fails != "" && (err == nil || !strings.Contains(err.Error(), step.fails)):
			t.Errorf("%s ends with %v, want %q", step.line, err, step.fails)
		case !strings.Contains(out, step.shows):
			t.Errorf("%s prints %q, want %q", step.line, out, step.shows)
		}
	}
}
