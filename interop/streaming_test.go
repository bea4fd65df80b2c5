package interop

// This file sends long answers through the paywall: events one by one, a WebSocket, and more bytes than fit in memory.

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// paidGateway is a gateway with one site of price 10, and a token with 100 on it.
func paidGateway(t *testing.T) (*gateway, *backend, string) {
	t.Helper()
	backend, neighbour := newBackend(t), newLink(t, "neighbour")
	g := newGateway(t, gatewayConfig{
		address:  "test.gateway",
		accounts: []string{neighbour.account()},
		sites:    []string{paidSite(10, backend)},
	})
	token := newToken()
	neighbour.credit(t, g, token, 100)
	return g, backend, token
}

func TestServerSentEventsArriveOneByOne(t *testing.T) {
	needTime(t)
	g, backend, token := paidGateway(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, g.url(0)+"events", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Pay-Token", token)
	response, err := http.DefaultClient.Do(request) // returns with the header, before there is any event
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if balance := response.Header.Get("Pay-Balance"); response.StatusCode != http.StatusOK || balance != "90" {
		t.Fatalf("status %d with Pay-Balance %q, want 200 with 90", response.StatusCode, balance)
	}
	lines := bufio.NewReader(response.Body)
	for i := range 5 {
		backend.events <- fmt.Sprint(i) // the next one is sent only after this one has arrived
		line, err := lines.ReadString('\n')
		if err != nil || line != fmt.Sprintf("data: %d\n", i) {
			t.Fatalf("event %d arrived as %q, %v", i, line, err)
		}
		if _, err := lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	close(backend.events)
	if _, err := lines.ReadByte(); err != io.EOF {
		t.Fatalf("after the last event: %v, want the end", err)
	}
	wantBalance(t, g.url(0), token, 90)
}

func TestWebSocket(t *testing.T) {
	needTime(t)
	g, _, token := paidGateway(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	options := &websocket.DialOptions{HTTPHeader: http.Header{"Pay-Token": {token}}}
	conn, response, err := websocket.Dial(ctx, g.url(0)+"ws", options)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.CloseNow()
	if balance := response.Header.Get("Pay-Balance"); balance != "90" {
		t.Errorf("the handshake came with Pay-Balance %q, want 90", balance)
	}
	for i := range 5 {
		want := fmt.Sprintf("message %d", i)
		if err := conn.Write(ctx, websocket.MessageText, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if _, got, err := conn.Read(ctx); err != nil || string(got) != want {
			t.Fatalf("message %d came back as %q, %v", i, got, err)
		}
	}
	conn.Close(websocket.StatusNormalClosure, "")
	wantBalance(t, g.url(0), token, 90)

	_, response, err = websocket.Dial(ctx, g.url(0)+"ws", &websocket.DialOptions{HTTPHeader: http.Header{"Pay-Token": {newToken()}}})
	if err == nil || response == nil || response.StatusCode != http.StatusPaymentRequired {
		t.Errorf("a handshake without money: %v, want 402", err)
	}
}

func TestDownloadIsNotBuffered(t *testing.T) {
	needTime(t)
	size := setting(t, "PAYDOOR_INTEROP_DOWNLOAD", 1_000_000_000)
	g, _, token := paidGateway(t)
	wantAnswer(t, get(t, g.url(0)+"echo", token), http.StatusOK, "90")

	watch := watchMemory(t, g.pid())
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, fmt.Sprintf("%szeros/%d", g.url(0), size), nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Pay-Token", token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	n, err := io.Copy(io.Discard, response.Body)
	if err != nil || n != int64(size) || response.Header.Get("Pay-Balance") != "80" {
		t.Fatalf("%d of %d bytes, Pay-Balance %q, %v", n, size, response.Header.Get("Pay-Balance"), err)
	}
	watch.wantRise(t, 32<<20)
	wantBalance(t, g.url(0), token, 80)
}
