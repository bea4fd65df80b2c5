package caddymodule

// This file types the tokens commands against a whole server.

import (
	"bytes"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/paywall"
)

// tokens runs a command and returns what it printed, and its error.
func (s *server) tokens(stdin string, args ...string) (string, error) {
	s.t.Helper()
	out, said, err := typed(stdin, append(args, "--address", s.admin)...)
	if strings.Contains(out+said, token) {
		s.t.Errorf("%v prints the token: %s%s", args, out, said)
	}
	return out, err
}

// typed runs one of the tokens commands.
func typed(stdin string, args ...string) (out, said string, err error) {
	cmd := &cobra.Command{Use: "tokens", SilenceUsage: true}
	addTokensCommands(cmd)
	var stdout, stderr bytes.Buffer
	cmd.SetIn(strings.NewReader(stdin))
	cmd.SetOut(&stdout)
	cmd.SetErr(&stderr)
	cmd.SetArgs(args)
	err = cmd.Execute()
	return stdout.String(), stderr.String(), err
}

// must is tokens for what has to work.
func (s *server) must(stdin string, args ...string) string {
	s.t.Helper()
	out, err := s.tokens(stdin, args...)
	if err != nil {
		s.t.Fatalf("%v: %v", args, err)
	}
	return out
}

// wantLines wants lines that begin with these words, spaces being equal.
func wantLines(t *testing.T, out string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		found := false
		for l := range strings.Lines(out) {
			found = found || strings.HasPrefix(strings.Join(strings.Fields(l), " "), line)
		}
		if !found {
			t.Errorf("no line begins with %q in\n%s", line, out)
		}
	}
}

func TestTokensShowAndAudit(t *testing.T) {
	s := newServer(t)
	s.load()
	wantLines(t, s.must("", "audit"), "accounts 0", "= balances 0", "The ledger adds up.")
	s.pay("1500")
	s.want(s.do("GET", "/"), 200, "1490")
	s.want(s.do("GET", "/"), 200, "1480")
	wantLines(t, s.must("", "audit"), "accounts 1", "credits 1500 (0.0000015 USD) 1 payments", "- charges 20 (0.00000002 USD) 2 charges",
		"= balances 1480 (0.00000148 USD)", "The ledger adds up.")
	var report auditAnswer
	if err := json.Unmarshal([]byte(s.must("", "audit", "--json")), &report); err != nil || !report.OK || report.Charges != "20" || report.Since == nil {
		t.Errorf("audit --json: %+v (%v)", report, err)
	}
	out := s.must(token+"\n", "show")
	wantLines(t, out, "balance 1480 (0.00000148 USD)", "reserved 0", "spendable 1480")
	if !strings.Contains(out, "credited  +1500") || strings.Count(out, "charge") < 2 {
		t.Errorf("the history is\n%s", out)
	}
	account, err := paywall.AccountOf(token, "")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	if err := write(file, token); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"show", "--token-file", file}, {"show", "--account", strings.ToUpper(hex.EncodeToString(account[:]))}, {"show", "--events", "1"},
	} {
		if out := s.must(token, args...); !strings.Contains(out, hex.EncodeToString(account[:])) || !strings.Contains(out, "1480") {
			t.Errorf("%v:\n%s", args, out)
		}
	}
	wantLines(t, s.must(token, "show", "--realm", "other"), "balance 0", "no history")
	wantLines(t, s.must(token, "show", "--events", "0"), "balance 1480")
}

func TestTokensAdjust(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100")
	for range 2 { // the second time changes nothing
		wantLines(t, s.must(token, "credit", "50", "--reason", "ticket 7", "--id", "t7"), "credit 50 (0.00000005 USD)", "id t7", "spendable 150")
	}
	if _, err := s.tokens(token, "credit", "51", "--reason", "ticket 7", "--id", "t7"); err == nil || !strings.Contains(err.Error(), `is a credit of 50`) || !strings.Contains(err.Error(), "an ID of its own") {
		t.Errorf("the same id for another amount: %v", err)
	}
	wantLines(t, s.must(token, "debit", "30", "--reason", "ticket 8"), "debit 30", "id ", "spendable 120")
	wantLines(t, s.must(token, "credit", "0.000000001", "--decimal", "--reason", "one unit"), "credit 1 (0.000000001 USD)", "spendable 121")
	if _, err := s.tokens(token, "debit", "122", "--reason", "too much"); err == nil || !strings.Contains(err.Error(), "insufficient") {
		t.Errorf("a debit beyond the balance: %v", err)
	}
	s.want(s.do("OPTIONS", "/"), 204, "121")
	out := s.must(token, "show")
	for _, want := range []string{`raised    +50`, `"ticket 7"`, `lowered   -30`, `"ticket 8"`} {
		if !strings.Contains(out, want) {
			t.Errorf("no %s in\n%s", want, out)
		}
	}
	wantLines(t, s.must("", "audit"), "+ raised 51", "- lowered 30", "= balances 121")
}

// TestTokensFirstMoneyByHand credits a token before any payment has come.
func TestTokensFirstMoneyByHand(t *testing.T) {
	s := newServer(t)
	s.options = strings.Replace(s.options, "sandbox", "sandbox\nmax_balance 1000", 1)
	s.load()
	wantLines(t, s.must(token, "credit", "40", "--reason", "a gift"), "spendable 40")
	s.want(s.do("GET", "/"), 200, "30")
	if _, err := s.tokens(token, "credit", "1000", "--reason", "too generous"); err == nil || !strings.Contains(err.Error(), "maximum") {
		t.Errorf("a credit beyond max_balance: %v", err)
	}
}

// TestTokensOfANodeWithoutAnAsset wants to hear what is missing, and that nothing was done.
func TestTokensOfANodeWithoutAnAsset(t *testing.T) {
	s := newServer(t)
	s.options = strings.Replace(s.options, "sandbox", "allow_weak_secrets\naccount uplink {\n relation parent\n btp btp+ws://:shh@"+freePort(t)+"\n}", 1)
	s.load()
	for _, direction := range []string{"credit", "debit"} {
		_, err := s.tokens(token, direction, "40", "--reason", "a gift")
		if err == nil || !strings.Contains(err.Error(), "parent") || !strings.Contains(err.Error(), "write asset") || strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s: %v", direction, err)
		}
	}
}

func TestTokensMistakes(t *testing.T) {
	s := newServer(t)
	s.load()
	for _, c := range []struct {
		stdin string
		args  []string
		says  string
	}{
		{"", []string{"show", token}, "a token is no argument"},
		{"", []string{"credit", "5", token, "--reason", "x"}, "a token is no argument"},
		{"", []string{"show"}, "that is no token"},
		{"short", []string{"show"}, "that is no token"},
		{"", []string{"show", "--account", token}, "64 hex digits"},
		{"", []string{"show", "--account", strings.Repeat("a", 64), "--realm", "x"}, "leave --token-file and --realm out"},
		{token, []string{"credit", "5"}, "there is no reason"},
		{token, []string{"credit", "1.5", "--reason", "x"}, "1.50 with --decimal"},
		{token, []string{"credit", "0", "--reason", "x"}, "positive whole number"},
		{token, []string{"credit", "5", "--decimal", "--reason", "x"}, "holds no money yet"},
		{token, []string{"credit", "5", "--reason", strings.Repeat("x", 201)}, "1 to 200 bytes"},
		{token, []string{"credit", "5", "--reason", "x", "--id", strings.Repeat("x", 65)}, "1 to 64 bytes"},
		{token, []string{"show", "--events", "-1"}, "a number from 0 to 10000"},
		{"", []string{"export", "--format", "xml"}, "json or csv"},
		{"", []string{"show", "-" + token}, "a token is no argument"},
		{token, []string{"credit", "-5", "--reason", "x"}, "amounts are positive"},
		{token, []string{"credit", "5", "--reason", "x\xff"}, "reason is a text"},
		{token, []string{"credit", "5", "--reason", "x", "--id", "\xff"}, "id is a text"},
		{"", []string{"backup", ""}, "empty"},
		{"", []string{"export", "--output", ""}, "empty"},
		{"", []string{"export", "--output", t.TempDir()}, "is a directory"},
		{"", []string{"backup", t.TempDir(), "--force"}, "is a directory"},
	} {
		if _, err := s.tokens(c.stdin, c.args...); err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), token) {
			t.Errorf("%v: %v, and not %q", c.args, err, c.says)
		}
	}
	if out, said, err := typed("", token); err == nil || !strings.Contains(err.Error(), "there is no such command") || strings.Contains(out+said, token) {
		t.Errorf("a token in the place of the command: %v", err)
	}
	for _, args := range [][]string{{"audit"}, {"credit", "5", "--reason", "x"}} {
		_, _, err := typed(token, append(args, "--address", freePort(t))...)
		if err == nil || !strings.Contains(err.Error(), "no server answers at") || strings.Contains(err.Error(), "unknown") {
			t.Errorf("%v without a server: %v", args, err)
		}
	}
	_, _, err := typed(token, "credit", "5", "--reason", "x", "--address", "http://"+s.admin)
	if err == nil || !strings.Contains(err.Error(), "--address "+s.admin) || strings.Contains(err.Error(), "unknown") {
		t.Errorf("with a URL: %v", err)
	}
	if _, _, err := typed("", "audit", "--address", s.gateway); err == nil || !strings.Contains(err.Error(), "402 at "+s.gateway+" is no admin endpoint") || strings.Contains(err.Error(), "pay_token") {
		t.Errorf("at the paid site: %v", err)
	}
}

func TestTokensExport(t *testing.T) {
	s := newServer(t)
	s.load()
	s.pay("100")
	s.want(s.do("GET", "/"), 200, "90")
	for i := range 3 {
		s.must("", "credit", "7", "--reason", "a, \"quoted\"\nreason", "--account", strings.Repeat("0123456789abcde"+string(rune('a'+i)), 4))
	}
	lines := strings.Split(strings.TrimSpace(s.must("", "export")), "\n")
	if len(lines) != 4 || !strings.Contains(strings.Join(lines, "\n"), `"balance":"90","asset":"USD","scale":9`) {
		t.Errorf("the accounts are %q", lines)
	}
	file := filepath.Join(t.TempDir(), "all.csv")
	s.must("", "export", "--format", "csv", "--history", "--output", file)
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(b)).ReadAll()
	if err != nil || len(records) != 1+4+5 || strings.Join(records[0], " ") != "account balance asset scale at kind sequence amount count condition reason id" {
		t.Errorf("%d records: %q (%v)", len(records), records, err)
	}
	for _, r := range records[1:] {
		if r[5] == "raised" && (r[7] != "7" || r[10] != "a, \"quoted\"\nreason") {
			t.Errorf("an event is %q", r)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v (%v)", info.Mode(), err)
	}
	if _, err := s.tokens("", "export", "--output", file); err == nil || !strings.Contains(err.Error(), "choose another name") {
		t.Errorf("the export over a file: %v", err)
	}
}

// TestTokensOverUnixSocket asks an admin endpoint that is a socket.
func TestTokensOverUnixSocket(t *testing.T) {
	s := newServer(t)
	dir, err := os.MkdirTemp("", "paydoor") // the path of a socket has about 100 characters at most
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	s.admin = "unix/" + dir + "/admin"
	s.load()
	s.pay("100")
	wantLines(t, s.must("", "audit"), "credits 100")
	wantLines(t, s.must(token, "show"), "balance 100")
}

// TestDecimal puts points.
func TestDecimal(t *testing.T) {
	for _, c := range []struct {
		digits string
		scale  int
		want   string
	}{{"0", 9, "0"}, {"1", 9, "0.000000001"}, {"1500", 2, "15"}, {"1501", 2, "15.01"}, {"5", 0, "5"}, {"340282366920938463463374607431768211455", 9, "340282366920938463463374607431.768211455"}} {
		if got := decimal(c.digits, c.scale); got != c.want {
			t.Errorf("%s with scale %d is %s", c.digits, c.scale, got)
		}
	}
}

// TestTokensExportBreaksOff looks for the file while the server is still answering, and after it has broken off.
func TestTokensExportBreaksOff(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "all.json")
	early := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, err := io.WriteString(w, "{}\n")
		err = errors.Join(err, http.NewResponseController(w).Flush())
		_, there := os.Lstat(file)
		early <- errors.Join(err, there)
		panic(http.ErrAbortHandler)
	}))
	defer server.Close()
	_, _, err := typed("", "export", "--output", file, "--address", server.Listener.Addr().String())
	if while := <-early; err == nil || !strings.Contains(err.Error(), "not complete") || !errors.Is(while, fs.ErrNotExist) {
		t.Errorf("ended with %v; while it went on the file gave %v", err, while)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("there is %v (%v)", left, err)
	}
}
