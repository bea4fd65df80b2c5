package interop

// This file asks nodes how to pay their holders, each time as another client: to a node, all payments of these tests would come from one, whose
// questions it limits.

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"
)

// questions is a proxy before the nodes.
type questions struct{ server *httptest.Server }

func startQuestions(t *testing.T, nodes map[string]*gateway) *questions {
	var asked atomic.Uint32
	transport := &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		n := asked.Add(1)
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 7, byte(n>>7), byte(n&127)+1)}}
		return dialer.DialContext(ctx, network, address)
	}}
	mux := http.NewServeMux()
	for name, g := range nodes {
		target, err := url.Parse(g.nodeURL())
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle("/"+name+"/", http.StripPrefix("/"+name, &httputil.ReverseProxy{
			Transport:    transport,
			Rewrite:      func(r *httputil.ProxyRequest) { r.SetURL(target) },
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		}))
	}
	q := &questions{httptest.NewServer(mux)}
	t.Cleanup(q.server.Close)
	return q
}

// pointer is where a holder is paid.
func (q *questions) pointer(c *customer) string {
	return q.server.URL + "/" + c.node + "/accounts/" + c.name + "/spsp"
}
