package interop

// This file plays the golden table of hostile requests against all four backends: testdata/hostile-requests.json says for each
// what is answered, what is charged and what the backend sees. PAYDOOR_INTEROP_UPDATE=1 writes the table anew; the checks that
// nothing priced is free, and that the money adds up, do not depend on it.

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/paywall"
)

// hostileOutcome is what became of the bytes of one connection.
type hostileOutcome struct {
	Status  string   `json:"status"` // of each answer, also 1xx; "closed" if the connection was not usable on
	Charge  uint64   `json:"charge"`
	Backend []string `json:"backend"` // what the backend saw
}

// hostileRow is a line of the table; Outcomes is by backend, where they differ.
type hostileRow struct {
	Name     string                    `json:"name"`
	Request  string                    `json:"request"` // bytes above 0x7f as the code points of the same number
	Outcome  *hostileOutcome           `json:"outcome,omitempty"`
	Outcomes map[string]hostileOutcome `json:"outcomes,omitempty"`
}

const tableFile = "testdata/hostile-requests.json"

// hostilePrices are what the sites below charge for the resources of the backends; nobody shall get one for less.
var hostilePrices = map[string]uint64{"secret": 25, "paid": 10, "book": 10}

// pricedByDefault is a site where everything costs something but two paths.
const pricedByDefault = `	paywall {
		price 1
		price /paid/* 10
		price /paid/secret 25
		price /book 10
		free /health /open/*
	}
	reverse_proxy %s`

func TestHostileRequests(t *testing.T) {
	backends := startHostileBackends(t)
	neighbour := newLink(t, "neighbour")
	config := gatewayConfig{address: "test.gateway", accounts: []string{neighbour.account()}}
	for _, b := range backends {
		config.sites = append(config.sites, fmt.Sprintf(pricedByDefault, b.address))
	}
	g := newGateway(t, config)
	cases := hostileCases()
	got := make([]map[string]hostileOutcome, len(cases))
	for i := range cases {
		got[i] = map[string]hostileOutcome{}
	}
	for site, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			s := newHostileSite(t, g, site, b, neighbour)
			for i, c := range cases {
				t.Run(c.name, func(t *testing.T) { got[i][b.name] = s.play(t, c) })
			}
			s.settle(t)
		})
	}
	compareTable(t, cases, got)
}

// hostileSite is one site of the gateway, its backend, and the tokens of its visitors.
type hostileSite struct {
	g         *gateway
	site      int
	backend   *hostileBackend
	neighbour *link
	tokens    map[string]string // by mark
	credited  uint64
	charged   uint64
}

func newHostileSite(t *testing.T, g *gateway, site int, b *hostileBackend, neighbour *link) *hostileSite {
	t.Helper()
	s := &hostileSite{g: g, site: site, backend: b, neighbour: neighbour, tokens: map[string]string{}}
	for _, mark := range []string{"funded", "second", "unfunded"} {
		s.tokens[mark] = newToken()
		if mark != "unfunded" {
			s.credit(t, s.tokens[mark], 1_000_000)
		}
	}
	return s
}

func (s *hostileSite) credit(t *testing.T, token string, sum uint64) {
	t.Helper()
	s.neighbour.credit(t, s.g, token, amount.Amount(sum))
	s.credited += sum
}

// balances adds up what the tokens have.
func (s *hostileSite) balances(t *testing.T) uint64 {
	t.Helper()
	var sum uint64
	for _, token := range s.tokens {
		sum += uint64(ask(t, s.g.url(s.site), token).balance)
	}
	return sum
}

// settle adds the money up: what was credited is there or was charged, and who had nothing has nothing.
func (s *hostileSite) settle(t *testing.T) {
	t.Helper()
	if left := s.balances(t); left+s.charged != s.credited {
		t.Errorf("%d was credited, %d charged, and %d is left", s.credited, s.charged, left)
	}
	wantBalance(t, s.g.url(s.site), s.tokens["unfunded"], 0)
}

var freshMark = regexp.MustCompile(`\{fresh (\d+)\}`)

// play runs one case and checks what holds for all.
func (s *hostileSite) play(t *testing.T, c hostileCase) hostileOutcome {
	t.Helper()
	request := s.filled(t, c.request)
	before := s.balances(t)
	x := talk(t, fmt.Sprintf("127.0.0.1:%d", s.g.sitePorts[s.site]), request+lastRequest)
	sightings := s.backend.seen(t)
	charge := before - s.balances(t)
	s.charged += charge
	defer delete(s.tokens, "fresh")
	x.checkAnswers(t, charge > 0)
	result := hostileOutcome{Status: x.status(), Charge: charge, Backend: []string{}}
	var owed uint64
	for _, seen := range sightings {
		if seen.Variant == "last" {
			continue
		}
		owed += s.check(t, seen)
		result.Backend = append(result.Backend, seen.String())
	}
	if owed > charge {
		t.Errorf("the backend served what costs %d, and %d was charged: %v", owed, charge, result.Backend)
	}
	return result
}

// filled puts tokens in the place of the marks.
func (s *hostileSite) filled(t *testing.T, request string) string {
	t.Helper()
	if mark := freshMark.FindStringSubmatch(request); mark != nil {
		request = strings.ReplaceAll(request, mark[0], s.fresh(t, mark[1]))
	}
	for mark, token := range s.tokens {
		request = strings.ReplaceAll(request, "{"+mark+"}", token)
	}
	return request
}

// fresh makes a text of n base64url characters with its last bits zero, and gives it money if that is a token.
func (s *hostileSite) fresh(t *testing.T, n string) string {
	t.Helper()
	length, err := strconv.Atoi(n)
	if err != nil {
		t.Fatal(err)
	}
	random := make([]byte, 90)
	rand.Read(random)
	text := base64.RawURLEncoding.EncodeToString(random)[:max(length-1, 0)] + "A"[:min(length, 1)]
	if length >= 22 && length <= 86 && length%4 != 1 {
		before := s.credited
		s.credit(t, text, 100)
		s.tokens["fresh"] = text
		s.credited = before + 25 // the rest leaves with the token
	}
	return text
}

// check wants the gateway's own headers to be true and no others, and returns what is owed for what the backend saw. A preflight
// is free by definition, and a backend's own 402 is replaced: neither may bring content back, which checkAnswers sees.
func (s *hostileSite) check(t *testing.T, seen sighting) (owed uint64) {
	t.Helper()
	text := fmt.Sprint(seen.Headers, seen.Trailers)
	if strings.Contains(text, "spoofed") {
		t.Errorf("the backend got what a client sent under the gateway's names: %s", text)
	}
	for _, token := range s.tokens {
		if strings.Contains(text, token) {
			t.Errorf("the backend got a token: %s", text)
		}
	}
	if account := seen.Headers["paydoor-account"]; account != "" {
		known := slices.ContainsFunc([]string{"funded", "second", "fresh"}, func(mark string) bool { return account == accountText(s.tokens[mark]) })
		if !known || len(seen.Headers["paydoor-charge-id"]) != 22 || seen.Headers["paydoor-balance"] == "" || seen.Headers["paydoor-price"] == "" {
			t.Errorf("the backend got %s", text)
		}
	}
	if seen.Method == "OPTIONS" || strings.HasSuffix(seen.Target, "?402") {
		return 0
	}
	return hostilePrices[seen.Resource]
}

func accountText(token string) string {
	account, err := paywall.AccountOf(token, "")
	if err != nil {
		return "no token"
	}
	return hex.EncodeToString(account[:])
}

// String is what the table keeps of a sighting: what was asked, what is served for it, what was paid, and odd headers.
func (s sighting) String() string {
	text := fmt.Sprintf("%s %s is %s", s.Method, s.Target, s.Resource)
	if s.Body > 0 {
		text += fmt.Sprintf(", %d bytes of body", s.Body)
	}
	if price := s.Headers["paydoor-price"]; price != "" {
		text += ", price " + price
	}
	var odd []string
	for name, value := range s.Headers {
		if value != "" && !strings.HasPrefix(name, "paydoor-") {
			odd = append(odd, name+": "+value)
		}
	}
	for name := range s.Trailers {
		odd = append(odd, "trailer "+name)
	}
	slices.Sort(odd)
	if len(odd) > 0 {
		text += ", " + strings.Join(odd, ", ")
	}
	if s.Variant == "smuggled" {
		text += ", SMUGGLED"
	}
	return text
}

// compareTable holds what happened against the table, or writes it.
func compareTable(t *testing.T, cases []hostileCase, got []map[string]hostileOutcome) {
	t.Helper()
	rows := make([]hostileRow, len(cases))
	for i, c := range cases {
		rows[i] = hostileRow{Name: latin1(c.name), Request: latin1(c.request), Outcomes: got[i]}
		if common := got[i]["go"]; allEqual(got[i], common) {
			rows[i].Outcome, rows[i].Outcomes = &common, nil
		}
	}
	if os.Getenv("PAYDOOR_INTEROP_UPDATE") == "1" {
		writeRows(t, tableFile, rows)
		return
	}
	want := readTable(t)
	if len(want) != len(rows) {
		t.Errorf("the table has %d rows, and %d were played", len(want), len(rows))
	}
	for i := range min(len(want), len(rows)) {
		if !reflect.DeepEqual(rows[i], want[i]) {
			g, _ := json.MarshalIndent(rows[i], "", "\t")
			w, _ := json.MarshalIndent(want[i], "", "\t")
			t.Errorf("got\n%s\nwant\n%s", g, w)
		}
	}
}

func allEqual(outcomes map[string]hostileOutcome, common hostileOutcome) bool {
	for _, o := range outcomes {
		if !reflect.DeepEqual(o, common) {
			return false
		}
	}
	return len(outcomes) == 4
}

func readTable(t *testing.T) (rows []hostileRow) {
	t.Helper()
	readRows(t, tableFile, &rows)
	return rows
}

func readRows(t *testing.T, file string, rows any) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, rows); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
}

func writeRows(t *testing.T, file string, rows any) {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "\t")
	if err := encoder.Encode(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// latin1 shows bytes as code points, which JSON can hold.
func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}
