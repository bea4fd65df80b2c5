package cli

// This file shows what the commands say and exit with when something is wrong.

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/internal/testport"
)

func TestRefusals(t *testing.T) {
	tests := []struct {
		name string
		says map[string]said
		args []string
		want string
	}{
		{"wrong admin token", map[string]said{"GET /accounts": problemSaid(401, `{"type":"about:blank","title":"Unauthorized","status":401}`)}, []string{"accounts", "list"},
			"the node refused: Unauthorized (401): the token is not this node's admin token: set PAYDOOR_ADMIN_TOKEN, or name the file that holds it with --token-file"},
		{"wrong account token", map[string]said{"POST /accounts/alice/ilp": problemSaid(401, `{"title":"Unauthorized"}`)}, []string{"ping", "test.bob", "--as", "alice"},
			"the node refused: Unauthorized (401): the token is not this account's ilp_over_http_incoming_token, or there is no account of this name: set PAYDOOR_TOKEN, or name the file that holds it with --token-file"},
		{"no such account", map[string]said{"GET /accounts/x": problemSaid(404, `{"type":"https://errors.interledger.org/http-api/accounts/account-not-found","title":"Account Not Found","detail":"account `+"`x`"+` was not found"}`)}, []string{"accounts", "info", "x"},
			"the node refused: account `x` was not found (404): paydoor node accounts list and paydoor node routes list show what there is"},
		{"duplicate, Java", map[string]said{"POST /accounts": problemSaid(409, `{"title":"Account Already Exists (`+"`x`"+`)"}`)}, []string{"accounts", "create", "x", "--asset-code", "USD", "--asset-scale", "2"},
			"the node refused: Account Already Exists (`x`) (409); paydoor node accounts update changes it"},
		{"duplicate, Rust", map[string]said{"POST /accounts": problemSaid(500, `{"title":"Internal Server Error","detail":"account `+"`x`"+` already exists"}`)}, []string{"accounts", "create", "x", "--asset-code", "USD", "--asset-scale", "2"},
			"the node refused: account `x` already exists (500); paydoor node accounts update changes it"},
		{"invalid members", map[string]said{"POST /accounts": problemSaid(400, `{"title":"JSON Data Error","invalid-params":[{"name":"asset_code","type":"missing"}]}`)}, []string{"accounts", "create", "x", "--asset-code", "USD", "--asset-scale", "2"},
			"the node refused: JSON Data Error: asset_code is missing (400)"},
		{"invalid members, ours", map[string]said{"POST /accounts": problemSaid(400, `{"title":"JSON Data Error","detail":"see invalid-params","invalid-params":[{"name":"username","reason":"it has a slash"},{"name":"settle_to"}]}`)}, []string{"accounts", "create", "x/y", "--asset-code", "USD", "--asset-scale", "2"},
			"the node refused: JSON Data Error: username: it has a slash; settle_to is wrong (400)"},
		{"a text", map[string]said{"GET /accounts": {400, "text/plain", `Missing request header "authorization"`}}, []string{"accounts", "list"},
			`the node refused: Missing request header "authorization" (400)`},
		{"a proxy without a node", map[string]said{"GET /accounts": {502, "text/html", "<h1>502</h1>"}}, []string{"accounts", "list"},
			"the node refused: Bad Gateway (502): the node or a proxy in front of it cannot answer now; try again later"},
		{"control characters", map[string]said{"GET /accounts": problemSaid(400, `{"detail":"\u001b[2J\u0007bad"}`)}, []string{"accounts", "list"}, "the node refused: ?[2J?bad (400)"},
		{"the node repeats a secret", map[string]said{"GET /accounts": problemSaid(400, `{"detail":"bad token `+adminSecret+`"}`)}, []string{"accounts", "list"},
			"the node refused: bad token SECRET (400)"},
		{"not a node", map[string]said{"GET /accounts": {200, "text/html", "<html>"}}, []string{"accounts", "list"}, errAnswer.Error()},
		{"not ready", map[string]said{"GET /status": {200, "", `{"ready":false,"accounts":[]}`}}, []string{"status"}, errNotReady.Error()},
		{"a full disk", map[string]said{"GET /status": {200, "", `{"ready":false,"problem":"the disk is nearly full","address":"test.a","accounts":[],"settlements":[]}`}}, []string{"status"}, errNoPayments.Error() + ": the disk is nearly full"},
		{"a full disk, by what everybody is told", map[string]said{"GET /": {200, "", `{"status":"Not taking payments","ilp_address":"test.a"}`}}, []string{"status"}, errNoPayments.Error() + ": with the admin token this says why"},
		{"settlements that cannot be read", map[string]said{"GET /status": {200, "", `{"ready":false,"problem":"the store has failed","accounts":[],"settlements":null}`}}, []string{"settlement", "list"}, "the settlements cannot be read: the store has failed"},
		{"not ready, by what everybody is told", map[string]said{"GET /": {200, "", `{"status":"Waiting for an address","ilp_address":""}`}}, []string{"status"}, errNotReady.Error()},
		{"not ready, in the Java connector's words", map[string]said{"GET /": {200, "", `{"operatorAddress":"","version":"1"}`}}, []string{"status"}, errNotReady.Error()},
		{"no node, which answers all the same", map[string]said{"GET /": {200, "", `{"hello":"world"}`}}, []string{"status"}, errAnswer.Error()},
		{"a payment in part", map[string]said{"POST /accounts/alice/payments": {200, "", `{"source_amount":5,"sent_amount":3,"delivered_amount":3}`}},
			[]string{"pay", "alice", "--to", "$p.example", "--amount", "5", "--idempotency-key", "k"}, "paydoor: paying with idempotency key k\n" + errNotWhole.Error() + ": 3 of 5; the rest may be too little to arrive as anything"},
		{"a payment in part, as up to 0.6", map[string]said{"POST /accounts/alice/payments": {200, "", `{"sent_amount":3,"delivered_amount":3}`}},
			[]string{"pay", "alice", "--to", "$p.example", "--amount", "5", "--idempotency-key", "k"}, "paydoor: paying with idempotency key k\n" + errNotWhole.Error() + ": 3 of 5; the rest may be too little to arrive as anything"},
		{"a payment that failed, Java", map[string]said{"POST /accounts/alice/payments": {200, "", `{"originalAmount":"5","amountSent":"5","amountDelivered":"0","successfulPayment":false}`}},
			[]string{"pay", "alice", "--to", "$p.example", "--amount", "5", "--idempotency-key", "k"}, "paydoor: paying with idempotency key k\n" + errNotWhole.Error()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := newTerminal(newStub(t, test.says)).types(t, test.args...)
			if got.status != StatusRefused || got.err != test.want {
				t.Errorf("status %d, said\n%s\nwant 1 and\n%s", got.status, got.err, test.want)
			}
		})
	}
}

func TestMistakesAreNotSent(t *testing.T) {
	tests := []struct{ name, args, want string }{
		{"no key of a settlement", "settlement resolve x --as settled --reason y", "--key says which settlement: paydoor node settlement show NAME has the key of the one that is unanswered"},
		{"no decision", "settlement resolve x --key k --as lost --reason y", "--as takes settled, if the engine has made the settlement, or refunded, if it has not and will not"},
		{"no reason", "settlement resolve x --key k --as settled", "--reason says how you know; it is kept"},
		{"both directions", "accounts payments x --sent --received", "--sent and --received together are all payments: leave both out"},
		{"too long a page", "accounts payments x --limit 501", "--limit takes a whole number from 1 to 500"},
		{"no asset", "accounts create x", "write what the account counts, such as --asset-code USD --asset-scale 9"},
		{"no name", "accounts create", "write the name of the new account behind create"},
		{"a fraction", "accounts create x --asset-code USD --asset-scale 1.5", "--asset-scale 1.5: write a whole number from 0 to 255"},
		{"a scale too large", "accounts create x --asset-code USD --asset-scale 256", "--asset-scale 256: write a whole number from 0 to 255"},
		{"a balance", "accounts update x --min-balance ten", "--min-balance ten: write a whole number, such as 1000 or -1000"},
		{"a relation", "accounts update x --routing-relation friend", "--routing-relation friend: write Peer, Parent, Child or NonRoutingAccount"},
		{"nothing to take", "accounts update x --unset min_balanze", "--unset min_balanze: there is no such setting: node accounts update --help lists them"},
		{"the asset", "accounts update x --unset asset-code", "--unset asset-code: an account always counts something: write what by --asset-code"},
		{"set and taken", "accounts update x --min-balance 5 --unset min-balance", "--min-balance and --unset min-balance are two things: leave one out"},
		{"an empty value", "accounts update x --ilp-over-http-url=", "--ilp-over-http-url : write a value, or leave the flag out; update takes a setting away with --unset"},
		{"nothing to change", "accounts update x", "write what to change: node accounts update --help lists the settings"},
		{"an unset variable", "accounts update x --ilp-over-http-incoming-token env:NOPE", "--ilp-over-http-incoming-token names the variable NOPE, which is not set"},
		{"two secrets", "accounts update x --ilp-over-http-incoming-token a --ilp-over-http-incoming-token-file b", "--ilp-over-http-incoming-token and --ilp-over-http-incoming-token-file are two secrets: leave one out"},
		{"two secrets from stdin", "accounts update x --ilp-over-http-incoming-token - --ilp-over-btp-incoming-token-file -", "only one secret can come from stdin: use files or env:NAME for the others"},
		{"a pair without value", "rates set-all --pair ABC", "--pair ABC has no value: write --pair ASSET RATE"},
		{"a value without pair", "rates set-all --pair ABC=1 2", "2 belongs to no --pair: write --pair before each entry"},
		{"a pair twice", "rates set-all --pair ABC=1 --pair ABC=2", "--pair ABC is there twice"},
		{"a rate of zero", "rates set-all --pair ABC=0.00", "--pair ABC 0.00: a rate is a decimal number above 0, such as 1.25: what one of the asset is worth"},
		{"no pairs", "routes set-all", "the whole table is replaced: write --pair PREFIX ACCOUNT for each entry, or --none for an empty one"},
		{"no account", "routes set test.bob", "write which account the packets go to: --account NAME"},
		{"no --as", "ping test.bob", "write which account of the node the packets come from: --as NAME"},
		{"no pings", "ping test.bob --as alice --count 0", "--count takes a positive number"},
		{"no pointer", "pay alice --amount 5", "write whom to pay: --to '$example.com/alice'; the quotes keep the shell from taking $example for a variable"},
		{"no amount", "pay alice --to $p.example --amount 0", "--amount takes a positive whole number of base units: with a scale of 9, 1500000000 is 1.5"},
		{"no URL", "status --node localhost:7770", "the node is named by an http: or https: URL without user, query and fragment, such as http://localhost:7770"},
		{"a token in the clear to a name that the network may be asked for", "accounts list --node http://node.localhost", "http://node.localhost is another machine, and http: shows the token to everybody on the way: write https:, or --insecure if you mean it"},
		{"a token in the clear", "accounts list --node http://node.example", "http://node.example is another machine, and http: shows the token to everybody on the way: write https:, or --insecure if you mean it"},
		{"no key", "import-key JKS", "the key: there is no secret in it"},
		{"two accounts", "accounts incoming-payments x y", "write the name of one account behind incoming-payments, or none for all"},
		{"a name that is a path", "accounts delete ..", `".." is no name: write the name of the account behind delete`},
		{"no command", "routes add", `there is no command "add": run node routes --help`},
	}
	s := newStub(t, nil)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := newTerminal(s).types(t, strings.Fields(test.args)...)
			if got.status != StatusRefused || got.err != test.want {
				t.Errorf("status %d, said\n%s\nwant 1 and\n%s", got.status, got.err, test.want)
			}
		})
	}
	for _, args := range [][]string{{"accounts", "balance"}, {"accounts", "incoming-payments"}, {"settlement", "show"}} { // of a variable that is not set
		if got := newTerminal(s).types(t, append(args, "")...); got.status != StatusRefused || !strings.HasPrefix(got.err, `"" is no name: write the name of `) {
			t.Errorf("%v: status %d, said %s", args, got.status, got.err)
		}
	}
	if len(s.got) != 0 {
		t.Errorf("the node was asked: %v", s.got)
	}
}

func TestNobodyIsThere(t *testing.T) {
	free, err := testport.Next()
	if err != nil {
		t.Fatal(err)
	}
	url := "http://" + free.String()
	for _, args := range []string{"status", "accounts list", "accounts delete x", "accounts incoming-payments x", "pay alice --to $p.example --amount 5 --idempotency-key k"} {
		m := newTerminal(newStub(t, nil))
		got := m.types(t, append(strings.Fields(args), "--node", url)...)
		want := "no node answers at " + url + ": start it with paydoor run and a site with ilp_node, or name another one with --node or PAYDOOR_NODE"
		if got.status != StatusUnreached || !strings.HasSuffix(got.err, want) {
			t.Errorf("%s: status %d, said %q, want 2 and %q", args, got.status, got.err, want)
		}
	}
}

func TestWithoutAnAnswerTheOutcomeOfAChangeIsUnknown(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }))
	t.Cleanup(s.Close)
	m := terminal{variables: map[string]string{nodeVariable: s.URL, adminVariable: adminSecret, accountVariable: accountSecret}}
	for _, test := range []struct {
		args   string
		status int
		want   string
	}{
		{"accounts list", StatusUnreached, "asking the node at"},
		{"accounts delete x", StatusUnknown, "whether it was carried out is unknown"},
		{"pay alice --to $p.example --amount 5 --idempotency-key k-7", StatusUnknown, "run the command again with --idempotency-key k-7"},
	} {
		if got := m.types(t, strings.Fields(test.args)...); got.status != test.status || !strings.Contains(got.err, test.want) {
			t.Errorf("%s: status %d, said %q, want %d and %q", test.args, got.status, got.err, test.status, test.want)
		}
	}
}

func TestTheNodeIsWaitedForAsLongAsSaid(t *testing.T) {
	done := make(chan struct{})
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-done }))
	t.Cleanup(func() { close(done); s.Close() })
	m := terminal{variables: map[string]string{nodeVariable: s.URL, adminVariable: adminSecret}}
	got := m.types(t, "accounts", "list", "--timeout", "50ms")
	if want := "the node at " + s.URL + " did not answer within 50ms: --timeout waits longer"; got.status != StatusUnreached || got.err != want {
		t.Errorf("status %d, said %q, want 2 and %q", got.status, got.err, want)
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	other := newStub(t, map[string]said{"GET /accounts": {200, "", "[]"}})
	s := httptest.NewServer(http.RedirectHandler(other.URL+"/accounts", http.StatusFound))
	t.Cleanup(s.Close)
	m := newTerminal(other)
	got := m.types(t, "accounts", "list", "--node", s.URL)
	if got.status != StatusRefused || !strings.Contains(got.err, "redirects are not followed with a token") {
		t.Errorf("status %d, said %q", got.status, got.err)
	}
	if len(other.got) != 0 {
		t.Errorf("the other node was asked: %v", other.got)
	}
}
