package caddymodule

// This file types the commands of paydoor node where a node answers, in each of its dialects.

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
			n.wantTheRestLeft(t)
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

// wantTheRestLeft updates one setting of an account after the other, and wants all others as they were.
func (n *twin) wantTheRestLeft(t *testing.T) {
	t.Helper()
	const every = "accounts create every --asset-code EUR --asset-scale 2 --ilp-address test.every --routing-relation Peer --max-packet-amount 900 --min-balance -1000 " +
		"--ilp-over-http-url http://localhost:1/ilp --ilp-over-http-incoming-token env:EVERY --ilp-over-http-outgoing-token out --ilp-over-btp-url btp+ws://localhost:1 " +
		"--ilp-over-btp-incoming-token env:EVERY --ilp-over-btp-outgoing-token out --settlement-engine-url http://localhost:1 --settle-threshold 100 --settle-to 5 " +
		"--round-trip-time 250 --amount-per-minute-limit 7000 --packets-per-minute-limit 600"
	const token, other = "the-token-of-an-account-with-every-setting", "the-token-of-an-account-of-the-other-form"
	t.Setenv("EVERY", token)
	if _, err := n.types(t, every); err != nil {
		t.Fatal(err)
	}
	n.asks(t, http.MethodPost, "/accounts", n.admin(t), `{"accountId":"javas","accountRelationship":"PEER","linkType":"ILP_OVER_HTTP","assetCode":"EUR","assetScale":2,`+
		`"maximumPacketAmount":900,"balanceSettings":{"minBalance":-1000,"settleThreshold":100,"settleTo":5},"rateLimitSettings":{"maxPacketsPerSecond":10},`+
		`"settlementEngineDetails":{"baseUrl":"http://localhost:1","settlementEngineAccountId":"e1"},"customSettings":{"ilpOverHttp.incoming.auth_type":"SIMPLE",`+
		`"ilpOverHttp.incoming.simple.auth_token":"`+other+`","ilpOverHttp.outgoing.auth_type":"SIMPLE","ilpOverHttp.outgoing.simple.auth_token":"out",`+
		`"ilpOverHttp.outgoing.url":"http://localhost:1/ilp"}}`, http.StatusCreated)
	for account, token := range map[string]string{"every": token, "javas": other} {
		before := n.info(t, account)
		for _, step := range [][]string{
			{"--max-packet-amount", "500", "max_packet_amount", "maximumPacketAmount"}, {"--min-balance", "-7", "min_balance", "balanceSettings.minBalance"},
			{"--settle-to", "4", "settle_to", "balanceSettings.settleTo"}, {"--ilp-over-http-url", "http://localhost:2/ilp", "ilp_over_http_url", "customSettings.ilpOverHttp.outgoing.url"},
		} {
			if _, err := n.types(t, "accounts update "+account+" "+step[0]+" "+step[1]); err != nil {
				t.Fatal(err)
			}
			for _, member := range step[2:] {
				if before[member] != "" {
					before[member] = step[1]
				}
			}
			if diff := cmp.Diff(before, n.info(t, account)); diff != "" {
				t.Errorf("%s after an update of %s (-want +got):\n%s", account, step[0], diff)
			}
		}
		n.asks(t, http.MethodGet, "/accounts/"+account+"/balance", token, "", http.StatusOK)
		if _, err := n.types(t, "accounts delete "+account); err != nil {
			t.Error(err)
		}
	}
}

// info is what `accounts info --json` prints, less the time of the last change: the members by path, as text.
func (n *twin) info(t *testing.T, account string) map[string]string {
	t.Helper()
	out, err := n.types(t, "accounts info "+account+" --json")
	if err != nil {
		t.Fatal(err)
	}
	var whole map[string]any
	if err := json.Unmarshal([]byte(out), &whole); err != nil {
		t.Fatal(err)
	}
	shown := make(map[string]string)
	for name, value := range whole {
		if inside, ok := value.(map[string]any); ok {
			for inner, value := range inside {
				shown[name+"."+inner] = fmt.Sprint(value)
			}
			continue
		}
		shown[name] = fmt.Sprint(value)
	}
	delete(shown, "modifiedAt")
	return shown
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
