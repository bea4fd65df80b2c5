package interop

// This file speaks HTTP/1.1 byte by byte, because a client library would clean up what these tests are about.

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// exchange is what came back for the bytes of one connection.
type exchange struct {
	raw       []byte
	responses []*http.Response // with their bodies read; informational ones too
	ended     bool             // the gateway closed the connection by itself, before the last request was answered
}

// lastRequest goes out behind the bytes under test. Its answer shows that they were one whole request, and what came back whole.
const lastRequest = "GET /health HTTP/1.1\r\nHost: paydoor.test\r\nX-Variant: last\r\nConnection: close\r\n\r\n"

// talk writes request to the address on one connection and reads until the other side closes it. What is in request behind the
// mark "{100}" goes out only when an informational answer has come.
func talk(t *testing.T, address, request string) exchange {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(5 * time.Second))
	first, held, waits := strings.Cut(request, "{100}")
	written := make(chan struct{})
	go func() {
		defer close(written)
		io.WriteString(conn, first) // what is not taken is not answered: the answers are judged
	}()
	var x exchange
	reader := bufio.NewReader(io.TeeReader(conn, writerFunc(func(p []byte) { x.raw = append(x.raw, p...) })))
	if waits {
		if head, err := reader.Peek(len("HTTP/1.1 100")); err == nil && bytes.HasSuffix(head, []byte(" 100")) {
			io.WriteString(conn, held)
		}
	}
	err = x.read(reader, strings.HasPrefix(request, "HEAD "))
	conn.Close()
	<-written
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the connection was neither answered nor closed; so far: %q\nfor: %q", x.raw, request)
	}
	return x
}

// read parses responses until the end of the connection. Only the first final one can be to HEAD.
func (x *exchange) read(reader *bufio.Reader, head bool) error {
	x.ended = true
	for {
		method := http.MethodGet
		if head {
			method = http.MethodHead
		}
		response, err := http.ReadResponse(reader, &http.Request{Method: method})
		if err != nil {
			return err
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		response.Body = io.NopCloser(bytes.NewReader(body))
		if response.Header.Get("X-Echo") == "last" {
			x.ended = false
			_, err = io.Copy(io.Discard, reader)
			return err
		}
		head = head && response.StatusCode < 200
		x.responses = append(x.responses, response)
		if err != nil || response.Close {
			return err // net/http would wait for a body that was announced and not sent
		}
	}
}

// status lists the statuses, and says whether the connection could be used on. One 100 is as good as two: the server sends one of
// its own, and the backend's follows or comes too late.
func (x *exchange) status() string {
	var words []string
	for _, response := range x.responses {
		words = append(words, fmt.Sprint(response.StatusCode))
	}
	words = slices.CompactFunc(words, func(a, b string) bool { return a == "100" && b == "100" })
	if x.ended {
		words = append(words, "closed")
	}
	return strings.Join(words, " ")
}

// checkAnswers fails the test if anything reached the client that the backend had under the gateway's names, if the content of
// an unpaid resource did, or if a shared cache could keep a priced answer.
func (x *exchange) checkAnswers(t *testing.T, paid bool) {
	t.Helper()
	if i := bytes.Index(x.raw, []byte("forged")); i >= 0 {
		t.Errorf("a Pay header of the backend reached the client: …%q", x.raw[max(0, i-100):i+6])
	}
	if !paid && bytes.Contains(x.raw, []byte(pricedContent)) {
		t.Errorf("unpaid content reached the client: %q", x.raw)
	}
	for _, response := range x.responses {
		for name := range response.Trailer {
			if strings.HasPrefix(strings.ToLower(name), "pay") {
				t.Errorf("a trailer %s reached the client", name)
			}
		}
		if pay := response.Header.Values("Pay"); len(pay) > 1 || len(pay) == 1 && !strings.HasPrefix(pay[0], "interledger-psk2 test.gateway.") {
			t.Errorf("Pay is %q", pay)
		}
		if response.Header.Get("Pay") != "" && strings.Contains(response.Header.Get("Cache-Control"), "public") {
			t.Errorf("a priced answer has Cache-Control %q", response.Header.Get("Cache-Control"))
		}
		if response.StatusCode == http.StatusPaymentRequired && (response.Header.Get("Pay") == "" || response.Header.Get("Pay-Balance") == "") {
			t.Errorf("a 402 without Pay and Pay-Balance: %v", response.Header)
		}
	}
}
