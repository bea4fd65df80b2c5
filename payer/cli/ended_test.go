package cli

// This file ends requests from outside, by --max-time, and shows what is said of the money; and whose certificates are believed.

import (
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// hangs is a server that answers the first requests as behind does, and leaves the others waiting.
func hangs(t *testing.T, first int32, behind http.HandlerFunc) string {
	t.Helper()
	var seen atomic.Int32
	closing := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if seen.Add(1) <= first {
			behind(w, r)
			return
		}
		select {
		case <-closing:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(func() { close(closing); server.Close() })
	return server.URL
}

// TestEndedInBetween runs out of time at each step. What was paid is said, and why the rest did not come.
func TestEndedInBetween(t *testing.T) {
	tests := []struct {
		name       string
		site, node int32 // how many requests they answer
		said       string
		paid       string // what is in the wallet
	}{
		{name: "before the wallet with play money answers", site: 9, node: 0, said: "paydoor: the time of --max-time is over\n"},
		{name: "while the rate is asked", site: 9, node: 1, said: "paydoor: the time of --max-time is over\n"},
		{name: "before the paid answer", site: 1, node: 99, said: "paydoor: paid 10 to 127.0.0.1, where it is left unless the request was charged\npaydoor: the time of --max-time is over\n", paid: "10"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, term := newShop(t), newTerminal(t)
			site := hangs(t, test.site, s.serve)
			term.vars[nodeVariable] = hangs(t, test.node, func(w http.ResponseWriter, r *http.Request) { s.node.Config.Handler.ServeHTTP(w, r) })
			got := term.types("fetch", "--max", "10", "-m", "1", site+"/a")
			if got.status != StatusNoAnswer || got.stdout != "" || got.stderr != test.said {
				t.Errorf("status %d, stdout %q, stderr %q", got.status, got.stdout, got.stderr)
			}
			if paid := strings.Contains(term.types("wallet", "spending").stdout, "  10 "); paid != (test.paid != "") {
				t.Errorf("the wallet says that it was paid: %t", paid)
			}
		})
	}
}

// TestStrangersDoNotWriteToTheTerminal has a node that sends what a terminal would obey, and much of it.
func TestStrangersDoNotWriteToTheTerminal(t *testing.T) {
	s, term := newShop(t), newTerminal(t)
	term.vars[nodeVariable] = s.node.URL
	s.fault = "\x1b]0;title\a\x1b[2J\u009b2J\r\n" + strings.Repeat("x", 8000)
	for _, method := range []string{"stream", "psk2"} {
		got := term.types("fetch", "-v", "--json", "--max", "10", "--method", method, s.URL+"/a", s.URL+"/b")
		if got.status != StatusUnpaid || !strings.Contains(got.stderr, "F02 Unreachable") || len(got.stderr) > 8000 {
			t.Errorf("status %d, %d bytes: %.1000q", got.status, len(got.stderr), got.stderr)
		}
		if strings.ContainsAny(got.stdout+got.stderr, "\x1b\a\r\u009b") {
			t.Errorf("it says %.2000q", got.stdout+got.stderr)
		}
	}
}

// TestStrangersAreQuoted looks at the last place before the terminal, whatever comes there.
func TestStrangersAreQuoted(t *testing.T) {
	term := newTerminal(t)
	term.base = refusing{errors.New("it says \x1b[2J\nand more")}
	got := term.types("fetch", "https://a.example/", "https://b.example/")
	if want := "it says ?[2J\nand more\n"; got.stderr != "paydoor: https://b.example/: "+want+"paydoor: https://a.example/: "+want {
		t.Errorf("%q", got.stderr)
	}
}

// refusing is a transport that fails.
type refusing struct{ err error }

func (r refusing) RoundTrip(*http.Request) (*http.Response, error) { return nil, r.err }

// TestCertificates believes those of --cacert, and says how where nobody has signed.
func TestCertificates(t *testing.T) {
	s := newShop(t)
	site := httptest.NewUnstartedServer(http.HandlerFunc(s.serve))
	site.EnableHTTP2 = true
	site.StartTLS()
	defer site.Close()
	authority := file(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: site.Certificate().Raw})))
	tests := []struct {
		args   string
		status int
		stdout string
		said   string
	}{
		{args: "URL", status: StatusNoAnswer, said: "name the file with the authority's certificate in --cacert"},
		{args: "-i --cacert " + authority + " URL", stdout: "HTTP/2.0 200 OK"},
		{args: "--cacert " + file(t, "none.pem", "nothing") + " URL", status: StatusMistake, said: "in PEM form"},
		{args: "--cacert /nowhere URL", status: StatusMistake, said: "no such file"},
		{args: "-k URL", status: StatusMistake, said: "in --cacert"},
		{args: "--insecure URL", status: StatusMistake, said: "in --cacert"},
		{args: "--nonsense URL", status: StatusMistake, said: "paydoor fetch --help has the flags"},
	}
	for _, test := range tests {
		got := newTerminal(t).types(append([]string{"fetch"}, strings.Fields(strings.ReplaceAll(test.args, "URL", site.URL+"/free"))...)...)
		if got.status != test.status || !strings.HasPrefix(got.stdout, test.stdout) || !strings.Contains(got.stderr, test.said) || (got.stderr == "") != (test.said == "") {
			t.Errorf("%s: status %d, stdout %q, stderr %q", test.args, got.status, got.stdout, got.stderr)
		}
	}
}

// TestCapsSayWhereTheyAre names the flag or the line of the configuration that sets the cap.
func TestCapsSayWhereTheyAre(t *testing.T) {
	for config, said := range map[string]string{
		`{}`:                    "--max sets another",
		`{"max_per_host": "9"}`: "max_per_host in config.json",
		`{"max_per_day": "9"}`:  "max_per_day in config.json",
	} {
		s, term := newShop(t), newTerminal(t)
		term.vars[nodeVariable] = s.node.URL
		if err := os.WriteFile(filepath.Join(term.dir, configFile), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
		most := "10"
		if config == `{}` {
			most = "9"
		}
		if got := term.types("fetch", "--max", most, s.URL+"/a"); got.status != StatusCap || !strings.Contains(got.stderr, said) {
			t.Errorf("%s: %+v", config, got)
		}
	}
}
