package interop

// This file plays the rows of the table of hostile requests that HTTP/2 and HTTP/3 have words for over those, too. What becomes of them
// has to be what the table says, but for the rows of testdata/hostile-requests-versions.json.

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

const versionsFile = "testdata/hostile-requests-versions.json"

// bound are the headers that later versions of HTTP have not, since they are about one connection of HTTP/1.1.
var bound = []string{"Connection", "Upgrade", "Keep-Alive", "Proxy-Connection", "Http2-Settings", "Transfer-Encoding"}

// expressed makes a request of the bytes of a case, if they are one whole request that the client of a later version can send.
func expressed(text string) (*http.Request, bool) {
	from := bufio.NewReader(strings.NewReader(strings.ReplaceAll(text, "{100}", "")))
	request, err := http.ReadRequest(from)
	if err != nil || request.Host == "" || request.Method == http.MethodConnect || request.ProtoMinor != 1 || !strings.HasPrefix(request.RequestURI, "/") || strings.HasPrefix(request.RequestURI, "//") {
		return nil, false
	}
	for name := range request.Header {
		if slices.Contains(bound, name) || strings.HasPrefix(name, ":") {
			return nil, false
		}
	}
	body, err := io.ReadAll(request.Body)
	if _, more := from.ReadByte(); err != nil || more == nil {
		return nil, false
	}
	made := &http.Request{Method: request.Method, Header: request.Header, Trailer: request.Trailer}
	made.URL = &url.URL{Opaque: request.RequestURI}
	if len(body) > 0 {
		made.Body, made.ContentLength = io.NopCloser(bytes.NewReader(body)), request.ContentLength
	}
	return made, true
}

func TestHostileRequestsInLaterVersions(t *testing.T) {
	backends := startHostileBackends(t)
	neighbour := newLink(t, "neighbour")
	config := gatewayConfig{address: "test.gateway", accounts: []string{neighbour.account()}, secure: true}
	for _, b := range backends {
		config.sites = append(config.sites, fmt.Sprintf(pricedByDefault, b.address))
	}
	g := newGateway(t, config)
	differ := map[string]map[string]hostileOutcome{} // by case, by version and backend
	for _, over := range g.transports(t)[1:] {
		for site, b := range backends {
			t.Run(over.name+", "+b.name, func(t *testing.T) {
				s := newHostileSite(t, g, site, b, neighbour)
				testVersion(t, s, over, differ)
				s.settle(t)
			})
		}
	}
	compareVersions(t, differ)
}

// testVersion plays what can be expressed, and notes what differs from the table.
func testVersion(t *testing.T, s *hostileSite, over transport, differ map[string]map[string]hostileOutcome) {
	client, table, played, refused := over.open(t), readTable(t), 0, 0
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	for i, c := range hostileCases() {
		text := s.filled(t, c.request)
		request, ok := expressed(text)
		if !ok {
			delete(s.tokens, "fresh")
			continue
		}
		got, ok := s.playOver(t, c.name, client, over.url(s.site), request)
		if !ok {
			refused++
			continue
		}
		played++
		want := table[i].outcomeOf(s.backend.name)
		want.Status = lastStatus(want.Status)
		if got.Status == "reset" && want.Charge > 0 && len(want.Backend) == 0 {
			got.Status = want.Status // the backend broke its answer off, and the header came through before that, or not
		}
		if !reflect.DeepEqual(got, want) {
			if differ[c.name] == nil {
				differ[c.name] = map[string]hostileOutcome{}
			}
			differ[c.name][over.name+", "+s.backend.name] = got
		}
	}
	t.Logf("%d rows of %d played; the client itself refuses %d more", played, len(table), refused)
	if played < 300 {
		t.Errorf("only %d rows were played", played)
	}
}

// playOver sends a request and checks what holds for all; ok is false if the client does not send it.
func (s *hostileSite) playOver(t *testing.T, name string, client *http.Client, root string, request *http.Request) (result hostileOutcome, ok bool) {
	t.Helper()
	defer delete(s.tokens, "fresh")
	at, err := url.Parse(root)
	if err != nil {
		t.Fatal(err)
	}
	request.URL.Scheme, request.URL.Host, request.Host = at.Scheme, at.Host, at.Host
	before, result := s.balances(t), hostileOutcome{Status: "reset", Backend: []string{}}
	response, err := client.Do(request.WithContext(t.Context()))
	if err != nil && !strings.Contains(err.Error(), "stream error") && !strings.Contains(err.Error(), "H3_") {
		return result, false
	}
	var x exchange
	if err == nil {
		result.Status = fmt.Sprint(response.StatusCode)
		x.responses = []*http.Response{response}
		if x.raw, err = httputil.DumpResponse(response, false); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, _ := io.ReadAll(response.Body) // a backend that breaks off breaks the stream, too
		x.raw = append(x.raw, body...)
		response.Body.Close()
	}
	sightings := s.backend.seen(t)
	result.Charge = before - s.balances(t)
	s.charged += result.Charge
	x.checkAnswers(t, result.Charge > 0)
	var owed uint64
	for _, seen := range sightings {
		owed += s.check(t, seen)
		result.Backend = append(result.Backend, seen.String())
	}
	if owed > result.Charge {
		t.Errorf("%s: the backend served what costs %d, and %d was charged: %v", name, owed, result.Charge, result.Backend)
	}
	return result, true
}

// lastStatus takes what only a connection of HTTP/1.1 shows out of a status of the table.
func lastStatus(status string) string {
	words := strings.Fields(strings.TrimSuffix(status, " closed"))
	return words[len(words)-1]
}

func (r hostileRow) outcomeOf(backend string) hostileOutcome {
	if r.Outcome != nil {
		return *r.Outcome
	}
	return r.Outcomes[backend]
}

// versionRow is a case that differs; its outcomes are by version and backend.
type versionRow struct {
	Name     string                    `json:"name"`
	Outcomes map[string]hostileOutcome `json:"outcomes"`
}

func compareVersions(t *testing.T, differ map[string]map[string]hostileOutcome) {
	t.Helper()
	rows := []versionRow{}
	for _, name := range slices.Sorted(maps.Keys(differ)) {
		rows = append(rows, versionRow{latin1(name), differ[name]})
	}
	if os.Getenv("PAYDOOR_INTEROP_UPDATE") == "1" {
		writeRows(t, versionsFile, rows)
		return
	}
	var want []versionRow
	readRows(t, versionsFile, &want)
	if !reflect.DeepEqual(rows, want) {
		got, _ := json.MarshalIndent(rows, "", "\t")
		t.Errorf("what differs from HTTP/1.1 is not what %s says:\n%s", versionsFile, got)
	}
}
