package cli

// This file pays from accounts at a connector: over BTP and HTTP, named by flags, variables and the configuration.

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
)

const accountToken = "alices-token-of-at-least-32-bytes!"

// connector brings packets to the shop for who shows the account's token, over HTTP at /ilp and BTP at /btp.
func (s *shop) connector(t *testing.T) *httptest.Server {
	t.Helper()
	credentials := ilphttp.NewCredentials(nil)
	credentials.Add("alice", accountToken)
	packets, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: credentials, Handler: s})
	if err != nil {
		t.Fatal(err)
	}
	peer, err := btp.Await(btp.AwaitConfig{Account: "alice", User: "alice@home", Token: accountToken, Handler: s})
	if err != nil {
		t.Fatal(err)
	}
	listener := btp.NewListener(btp.ListenerConfig{})
	listener.Add(peer)
	mux := http.NewServeMux()
	mux.Handle("/ilp", packets)
	mux.Handle("/btp", listener)
	server := httptest.NewServer(mux)
	t.Cleanup(func() {
		for _, close := range []func() error{peer.Close, listener.Close} {
			if err := close(); err != nil {
				t.Error(err)
			}
		}
		server.Close()
	})
	return server
}

func TestFetchFromAnAccount(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(accountToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		args   string
		vars   map[string]string
		config string
		status int
		said   string
	}{
		{name: "http, flags", args: "--uplink HTTP/ilp --uplink-token-file " + file},
		{name: "http, variables", vars: map[string]string{uplinkVariable: "HTTP/ilp", tokenVariable: accountToken}},
		{name: "http, configuration", config: `{"uplink": "HTTP/ilp", "uplink_token": "` + accountToken + `"}`},
		{name: "btp, token in the URL", args: "--uplink btp+ws://alice:" + accountToken + "@HOST/btp"},
		{name: "btp, token beside it", args: "--uplink btp+ws://alice@HOST/btp --uplink-token-file " + file},
		{name: "btp, no user", args: "--method psk2", vars: map[string]string{uplinkVariable: "btp+ws://HOST/btp", tokenVariable: accountToken}},
		{name: "http, wrong token", args: "--uplink HTTP/ilp", vars: map[string]string{tokenVariable: "another-token-of-thirty-two-bytes!"}, status: StatusUnpaid, said: "401"},
		{name: "btp, wrong token", args: "--uplink btp+ws://alice:another-token-of-thirty-two-bytes!@HOST/btp", status: StatusUnpaid, said: "the uplink btp+ws://HOST: "},
		{name: "btp, nobody there", args: "--uplink btp+ws://alice:another-token-of-thirty-two-bytes!@127.0.0.1:1", status: StatusUnpaid, said: "the uplink btp+ws://127.0.0.1:1: "},
		{name: "http in the clear", args: "--uplink http://connector.example/ilp", vars: map[string]string{tokenVariable: accountToken}, status: StatusUnpaid, said: "would cross the network in the clear: write https:// or btp+wss://"},
		{name: "btp in the clear", args: "--uplink btp+ws://alice:" + accountToken + "@connector.example", status: StatusUnpaid, said: "would cross the network in the clear: write https:// or btp+wss://"},
		{name: "no node", vars: map[string]string{nodeVariable: "garbage"}, status: StatusUnpaid, said: "what PAYDOOR_NODE names is no URL of this machine, such as http://localhost:7770"},
		{name: "a node elsewhere", vars: map[string]string{nodeVariable: "http://me:a-token-of-mine@node.example"}, status: StatusUnpaid, said: "what PAYDOOR_NODE names is no URL of this machine"},
		{name: "http, the token of another uplink", args: "--uplink HTTP/ilp", config: `{"uplink": "https://a.example/ilp", "uplink_token": "` + accountToken + `"}`, status: StatusUnpaid, said: "the uplink needs a token: set PAYDOOR_UPLINK_TOKEN"},
		{name: "btp, the token of another uplink", args: "--uplink btp+ws://alice@HOST/btp", config: `{"uplink": "btp+wss://alice@a.example", "uplink_token": "` + accountToken + `"}`, status: StatusMistake, said: "not a BTP URL"},
		{name: "http, the token of another variable", args: "--uplink HTTP/ilp", vars: map[string]string{uplinkVariable: "https://a.example/ilp", tokenVariable: accountToken}, status: StatusUnpaid, said: "the uplink needs a token"},
		{name: "http, a token for any uplink", args: "--uplink HTTP/ilp", config: `{"uplink_token": "` + accountToken + `"}`},
		{name: "http, the same uplink", args: "--uplink HTTP/ilp", config: `{"uplink": "HTTP/ilp", "uplink_token": "` + accountToken + `"}`},
		{name: "http, a variable for the uplink of the configuration", vars: map[string]string{tokenVariable: accountToken}, config: `{"uplink": "HTTP/ilp"}`},
		{name: "btp, @ in the user and the query", args: "--uplink btp+ws://alice@home@HOST/btp?of=a@b --uplink-token-file " + file},
		{name: "btp, @ in the query", args: "--uplink btp+ws://HOST/btp?of=a@b --uplink-token-file " + file},
		{name: "btp, no token", args: "--uplink btp+ws://alice@HOST/btp", status: StatusMistake, said: "not a BTP URL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s, term := newShop(t), newTerminal(t)
			server := s.connector(t)
			named := strings.NewReplacer("HTTP", server.URL, "HOST", strings.TrimPrefix(server.URL, "http://"))
			for name, value := range test.vars {
				term.vars[name] = named.Replace(value)
			}
			if test.config != "" {
				if err := os.WriteFile(filepath.Join(term.dir, configFile), []byte(named.Replace(test.config)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := term.types(append(append([]string{"fetch"}, strings.Fields(named.Replace(test.args))...), "--max", "10", "-m", "20", s.URL+"/a")...)
			if got.status != test.status || (got.stdout == "worth 10\n") != (test.status == 0) || !strings.Contains(got.stderr, named.Replace(test.said)) {
				t.Errorf("status %d, %q, %q", got.status, got.stdout, got.stderr)
			}
			if strings.Contains(got.stderr, "token-of") {
				t.Errorf("a token is shown: %s", got.stderr)
			}
		})
	}
}

var _ ilpcore.Handler = (*shop)(nil)
