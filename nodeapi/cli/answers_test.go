package cli

// This file shows what each command prints for the answers that the nodes' documentation gives, in their dialects.

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files")

const rustAccount = `{"id":"7f4f6b0c-2ab3-4f2c-9b16-9c6b8a0b7f11","username":"bob","ilp_address":"example.bob","asset_code":"USD","asset_scale":9,
	"max_packet_amount":18446744073709551615,"min_balance":-1000,"ilp_over_http_url":"https://bob.example/ilp","ilp_over_http_incoming_token":"SECRET",
	"ilp_over_http_outgoing_token":"SECRET","ilp_over_btp_url":null,"ilp_over_btp_incoming_token":"SECRET","ilp_over_btp_outgoing_token":"SECRET",
	"settle_threshold":null,"settle_to":null,"routing_relation":"Peer","round_trip_time":500,"packets_per_minute_limit":null,
	"amount_per_minute_limit":null,"settlement_engine_url":null}`

const javaAccount = `{"accountId":"bob","accountRelationship":"PEER","linkType":"ILP_OVER_HTTP","assetCode":"USD","assetScale":"3","maximumPacketAmount":null,
	"ilpAddressSegment":"bob","balanceSettings":{"minBalance":null,"settleThreshold":null,"settleTo":"0"},"sendRoutes":true,
	"customSettings":{"ilpOverHttp.outgoing.url":"https://bob.example/accounts/alice/ilp","ilpOverHttp.incoming.jwt.shared_secret":"enc:paydoor:k:1"},
	"_links":{"self":{"href":"/accounts/bob"}}}`

const nodeStatus = `{"ready":true,"address":"test.paydoor","asset":{"Code":"USD","Scale":9},"accounts":[
	{"id":"uplink","relation":"parent","asset":{"Code":"USD","Scale":9},"has_link":true,"up":false,"problem":"connection refused","in_flight":0,"balance":{"clearing":-1500,"prepaid":0}},
	{"id":"alice","relation":"local","asset":{"Code":"USD","Scale":9},"has_link":false,"up":true,"in_flight":2,"balance":{"clearing":9223372036854775807,"prepaid":7}}]}`

const rustPayments = `{"payments":[{"id":"1f-2","direction":"received","state":"under_way","timestamp":"2026-11-26T01:02:03Z","updated":"2026-11-26T01:02:04Z","amount":9007199254740993,"asset_code":"USD",
	"asset_scale":9,"packets":3,"destination":"test.node.bob.x","from_username":"uplink","connection_closed":false},{"id":"1f-1","direction":"sent","state":"partial",
	"timestamp":"2026-11-26T01:02:02Z","updated":"2026-11-26T01:02:03Z","amount":900,"asset_code":"USD","asset_scale":9,"packets":9,"destination":"test.far.x","receiver":"$far.example",
	"source_amount":1000,"in_flight_amount":100,"delivered_amount":890,"error":"the receiver went away"}],"next":"1f-1"}`

const javaPayments = `{"payments":[{"paymentId":"1f-1","direction":"sent","state":"completed","createdAt":"2026-11-26T01:02:02Z","modifiedAt":"2026-11-26T01:02:03Z","amount":"1000","assetCode":"USD",
	"assetScale":"9","packets":"1","destinationPaymentPointer":"$far.example","originalAmount":"1000","inFlightAmount":"0","amountDelivered":"1000"}],"next":null,
	"earlier":{"sentAmount":"36893488147419103230","sentPayments":"2","receivedAmount":"0","receivedPayments":"0","until":"2026-01-01T00:00:00Z"}}`

const pendingSaid = `{"account":"bob","state":"refused","amount":"140","asset_code":"USD","asset_scale":3,"quantity":{"amount":"140","scale":3},"engine":"http://engine.example:3000",
	"key":"00112233445566778899aabbccddeeff","since":"2026-11-26T01:02:03Z","tries":4,"last_try":"2026-11-26T01:02:09Z","error":"the settlement engine refused: status 403"}`

const settlementSaid = `{"account":"bob","asset_code":"USD","asset_scale":3,"engine":"http://engine.example:3000","settle_threshold":"100","settle_to":"10","leftover":{"amount":"7","scale":4},
	"pending":` + pendingSaid + `,"resolved":[{"key":"ffeeddccbbaa99887766554433221100","outcome":"refunded","reason":"the engine's log has no such key","amount":"5","quantity":{"amount":"5","scale":3},
	"engine":"http://engine.example:3000","since":"2026-11-20T01:02:03Z","at":"2026-11-21T01:02:03Z"}]}`

func TestAnswersArePrinted(t *testing.T) {
	tests := []struct {
		name string // of the golden file
		says map[string]said
		args []string
	}{
		{"list_rust", map[string]said{"GET /accounts": {200, "", "[" + rustAccount + "]"}}, []string{"accounts", "list"}},
		{"list_none", map[string]said{"GET /accounts": {200, "", "[]"}}, []string{"accounts", "list"}},
		{"list_java", map[string]said{"GET /accounts": {200, "application/hal+json", `{"_embedded":{"accountSettingsList":[` + javaAccount + `]},"page":{"size":"1"}}`}}, []string{"accounts", "list"}},
		{"list_json", map[string]said{"GET /accounts": {200, "", "[" + rustAccount + "]"}}, []string{"accounts", "list", "--json"}},
		{"info_rust", map[string]said{"GET /accounts/bob": {200, "", rustAccount}}, []string{"accounts", "info", "bob"}},
		{"info_java", map[string]said{"GET /accounts/bob": {200, "", javaAccount}}, []string{"accounts", "info", "bob"}},
		{"balance_exact", map[string]said{"GET /accounts/bob/balance": {200, exactBalance, `{"clearing":"-1500","prepaid":"0","net":"-1500","asset_code":"USD","asset_scale":9}`}}, []string{"accounts", "balance", "bob"}},
		{"balance_rust06", map[string]said{"GET /accounts/bob/balance": {200, "", `{"balance":1000}`}}, []string{"accounts", "balance", "bob"}},
		{"balance_rust10", map[string]said{"GET /accounts/bob/balance": {200, "", `{"balance":1e-6,"asset_code":"XYZ"}`}}, []string{"accounts", "balance", "bob"}},
		{"balance_java", map[string]said{"GET /accounts/bob/balance": {200, "", `{"assetCode":"USD","assetScale":"3","accountBalance":{"accountId":"bob","netBalance":"9007199254740993","clearingBalance":"9007199254740000","prepaidAmount":"993"}}`}}, []string{"accounts", "balance", "bob"}},
		{"balance_json", map[string]said{"GET /accounts/bob/balance": {200, "", `{"balance":9007199254740993}`}}, []string{"accounts", "balance", "bob", "--json"}},
		{"status", map[string]said{"GET /status": {200, "", nodeStatus}}, []string{"status"}},
		{"status_java", map[string]said{"GET /": {200, "", `{"operatorAddress":"test.java","version":"1.0"}`}}, []string{"status"}},
		{"status_other", map[string]said{"GET /": {200, "", `{"status":"Ready","ilp_address":"example.node","version":"0.6.0"}`}}, []string{"status"}},
		{"payments_rust", map[string]said{"GET /accounts/bob/payments?limit=20": {200, "", rustPayments}}, []string{"accounts", "payments", "bob"}},
		{"payments_java", map[string]said{"GET /accounts/bob/payments?cursor=1f-2&direction=sent&limit=5": {200, "", javaPayments}}, []string{"accounts", "payments", "bob", "--limit", "5", "--sent", "--after", "1f-2"}},
		{"payments_none", map[string]said{"GET /accounts/bob/payments?direction=received&limit=20": {200, "", `{"payments":[],"next":null}`}}, []string{"accounts", "payments", "bob", "--received"}},
		{"payments_json", map[string]said{"GET /accounts/bob/payments?limit=20": {200, "", rustPayments}}, []string{"accounts", "payments", "bob", "--json"}},
		{"settlement_show", map[string]said{"GET /accounts/bob/settlement": {200, "", settlementSaid}}, []string{"settlement", "show", "bob"}},
		{"settlement_none", map[string]said{"GET /accounts/bob/settlement": {200, "", `{"account":"bob","asset_code":"USD","asset_scale":3,"engine":null,"settle_threshold":null,"settle_to":null,"leftover":{"amount":"0","scale":0},"pending":null,"resolved":[]}`}}, []string{"settlement", "show", "bob"}},
		{"settlement_list", map[string]said{"GET /status": {200, "", `{"ready":true,"accounts":[],"settlements":[` + pendingSaid + `]}`}}, []string{"settlement", "list"}},
		{"settlement_list_none", map[string]said{"GET /status": {200, "", `{"ready":true,"accounts":[],"settlements":[]}`}}, []string{"settlement", "list"}},
		{"settlement_resolve", map[string]said{"POST /accounts/bob/settlement/resolution": {200, "", `{"key":"k1","outcome":"settled","reason":"seen","amount":"5","quantity":{"amount":"5","scale":3},"engine":"http://e.example","since":"2026-11-20T01:02:03Z","at":"2026-11-21T01:02:03Z"}`}},
			[]string{"settlement", "resolve", "bob", "--key", "k1", "--as", "settled", "--reason", "seen"}},
		{"status_pending", map[string]said{"GET /status": {200, "", strings.TrimSuffix(nodeStatus, "}") + `,"settlements":[` + pendingSaid + `]}`}}, []string{"status"}},
		{"routes_rust", map[string]said{"GET /routes": {200, "", `{"":"uplink","example.bob":"bob"}`}}, []string{"routes", "list"}},
		{"routes_java", map[string]said{"GET /routes": {200, "", `{"_embedded":{"routes":[{"routePrefix":"test.b","nextHopAccountId":"bob"},{"routePrefix":"","nextHopAccountId":"up"}]}}`}}, []string{"routes", "list"}},
		{"routes_none", map[string]said{"GET /routes": {200, "", `{}`}}, []string{"routes", "list"}},
		{"rates", map[string]said{"GET /rates": {200, "", `{"ABC":1.0,"XYZ":2.517}`}}, []string{"rates", "list"}},
		{"pay_rust06", map[string]said{"POST /accounts/alice/payments": {200, "", `{"delivered_asset_scale":9,"delivered_asset_code":"ABC","sent_amount":1000000,"sent_asset_code":"XYZ","from":"example.node_a.alice","to":"example.node_b.bob.-p3zU4tXsDRCBLg8vt_U6iiyQ5pgZk4MfoCaG1wZDW8","delivered_amount":1000000,"sent_asset_scale":9}`}}, []string{"pay", "alice", "--to", "$pointer.example", "--amount", "1000000", "--idempotency-key", "k1"}},
		{"pay_receipt", map[string]said{"POST /accounts/alice/payments": {200, "", `{"from":"example.a","to":"example.b.x","source_amount":500,"source_asset_scale":9,"source_asset_code":"ABC","sent_amount":500,"in_flight_amount":0,"delivered_amount":490,"destination_asset_scale":9,"destination_asset_code":"ABC","stream_receipt":"AQAB"}`}},
			[]string{"pay", "alice", "--to", "$pointer.example", "--amount", "500", "--idempotency-key", "k1", "--receipt-nonce", "AAECAwQFBgcICQoLDA0ODw==", "--receipt-secret", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}},
		{"pay_rust10", map[string]said{"POST /accounts/alice/payments": {200, "", `{"from":"example.a","to":"example.b.x","source_amount":500,"source_asset_scale":9,"source_asset_code":"ABC","sent_amount":500,"in_flight_amount":0,"delivered_amount":490,"destination_asset_scale":null,"destination_asset_code":null}`}}, []string{"pay", "alice", "--to", "$pointer.example", "--amount", "500", "--idempotency-key", "k1"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := newStub(t, test.says)
			got := newTerminal(s).types(t, test.args...)
			if got.status != 0 {
				t.Fatalf("status %d: %s", got.status, got.err)
			}
			golden(t, test.name, got.out)
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
