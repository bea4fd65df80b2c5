package interop

// This file asks nodes how to pay their holders, each time as another client: to a node, all payments of these tests would come from one, whose
// questions it limits. It keeps the addresses that they answer.

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
)

// questions is a proxy before the nodes.
type questions struct {
	server *httptest.Server
	mu     sync.Mutex
	told   map[string][]string // the addresses that were given for each payment
}

func startQuestions(t *testing.T, nodes map[string]*gateway) *questions {
	var asked atomic.Uint32
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		n := asked.Add(1)
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 7, byte(n>>7), byte(n&127)+1)}}
		return dialer.DialContext(ctx, network, address)
	}}
	mux := http.NewServeMux()
	q := &questions{told: make(map[string][]string)}
	for name, g := range nodes {
		target, err := url.Parse(g.nodeURL())
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle("/"+name+"/{payment}/{holder}", &httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(r *httputil.ProxyRequest) {
				r.Out.URL.Path = "/accounts/" + r.In.PathValue("holder") + "/spsp"
				r.SetURL(target)
			},
			ModifyResponse: q.note,
			ErrorHandler:   func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		})
	}
	q.server = httptest.NewServer(mux)
	t.Cleanup(q.server.Close)
	return q
}

// pointer is where a holder is paid with a payment, which has a name of its own.
func (q *questions) pointer(c *customer, payment string) string {
	return q.server.URL + "/" + c.node + "/" + payment + "/" + c.name
}

// note keeps the address of an answer.
func (q *questions) note(response *http.Response) error {
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	var answer struct {
		Destination string `json:"destination_account"`
	}
	if json.Unmarshal(body, &answer) != nil || answer.Destination == "" {
		return nil
	}
	payment := response.Request.PathValue("payment")
	q.mu.Lock()
	defer q.mu.Unlock()
	q.told[payment] = append(q.told[payment], answer.Destination)
	return nil
}
