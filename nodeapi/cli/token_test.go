package cli

// This file shows where tokens are looked for, and that the generated one goes to this machine alone.

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTokens(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return file
	}
	shown := t.TempDir()
	if err := os.WriteFile(filepath.Join(shown, generatedFile), []byte(adminSecret), 0o644); err != nil {
		t.Fatal(err)
	}
	write(generatedFile, "generated-token\n", 0o600)
	file := write("mine", "  token-from-file \n", 0o600)
	empty := write("empty", "\n", 0o600)
	lines := write("lines", "two\nlines", 0o600)

	tests := []struct {
		name                  string
		args                  string
		admin, env, dir, data string // PAYDOOR_ADMIN_TOKEN, PAYDOOR_TOKEN, PAYDOOR_DATA_DIR and the default directory
		stdin                 string
		sent, wrong           string
	}{
		{name: "a file first", args: "accounts list --token-file " + file, admin: "other", sent: "token-from-file"},
		{name: "the variable", args: "accounts list", admin: "from-env", data: dir, sent: "from-env"},
		{name: "the node's own file", args: "accounts list", data: dir, sent: "generated-token"},
		{name: "the node's own file elsewhere", args: "accounts list", dir: dir, data: shown, sent: "generated-token"},
		{name: "a file that others can read", args: "accounts list", data: shown, wrong: "can be read by other users: run chmod 600 on it"},
		{name: "none", args: "accounts list", data: t.TempDir(), wrong: "there is no admin token to show: set PAYDOOR_ADMIN_TOKEN"},
		{name: "none is needed", args: "rates list", data: t.TempDir(), sent: ""},
		{name: "none is needed, and the file is no help", args: "rates list", data: shown, sent: ""},
		{name: "an empty file", args: "accounts list --token-file " + empty, wrong: "--token-file: there is no secret in it"},
		{name: "two lines", args: "accounts list --token-file " + lines, wrong: "--token-file: a secret is one line without control characters"},
		{name: "no file", args: "accounts list --token-file " + file + ".not", wrong: "--token-file: open "},
		{name: "from stdin", args: "accounts list --token-file -", stdin: "typed-token\n", sent: "typed-token"},
		{name: "an account's is no admin's", args: "pay alice --to $p --amount 1", admin: "admin", data: dir, wrong: "there is no token of the account to show: set PAYDOOR_TOKEN"},
		{name: "an account's", args: "pay alice --to $p --amount 1", env: "alices", admin: "admin", sent: "alices"},
		{name: "as an argument", args: "pay alice --to $p --amount 1 --token argument", env: "alices", sent: "argument"},
		{name: "by reference", args: "pay alice --to $p --amount 1 --token env:PAYDOOR_ADMIN_TOKEN", admin: "referred", sent: "referred"},
		{name: "two", args: "pay alice --to $p --amount 1 --token a --token-file " + file, wrong: "--token and --token-file are two tokens: leave one out"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStub(t, map[string]said{"GET /accounts": {200, "", "[]"}, "GET /rates": {200, "", "{}"}, "POST /accounts/alice/payments": {200, "", `{"sent_amount":1}`}})
			m := terminal{dataDir: test.data, stdin: test.stdin, variables: map[string]string{
				nodeVariable: s.URL, adminVariable: test.admin, accountVariable: test.env, dirVariable: test.dir,
			}}
			got := m.types(t, strings.Fields(test.args)...)
			if test.wrong != "" {
				if got.status != StatusRefused || !strings.Contains(got.err, test.wrong) || len(s.got) != 0 {
					t.Fatalf("status %d, said %q, want 1 and %q, and no request", got.status, got.err, test.wrong)
				}
				return
			}
			want := ""
			if test.sent != "" {
				want = "Bearer " + test.sent
			}
			if sent := s.last(t).authorization; sent != want || got.status != 0 {
				t.Errorf("status %d (%s), sent %q, want %q", got.status, got.err, sent, want)
			}
		})
	}
}

func TestTheGeneratedTokenStaysOnThisMachine(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, generatedFile), []byte(adminSecret), 0o600); err != nil {
		t.Fatal(err)
	}
	m := terminal{dataDir: dir, variables: map[string]string{nodeVariable: "https://node.invalid"}}
	got := m.types(t, "accounts", "list")
	if want := "there is no admin token to show"; got.status != StatusRefused || !strings.Contains(got.err, want) {
		t.Errorf("status %d, said %q, want 1 and %q", got.status, got.err, want)
	}
}
