package interop

// This file is the site owner's backend: it counts what reaches it and misbehaves on demand.

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"
)

// backend is an HTTP server with one path per behaviour:
//
//	/echo…    answers "METHOD body"      /500      fails on purpose        /hang   never answers
//	/reset    resets the connection      /panic    panics                  /ws     echoes WebSocket messages
//	/events   sends what is put into `events`, one server-sent event each, until that is closed
//	/zeros/N  sends N bytes
type backend struct {
	events chan string

	address string
	mutex   sync.Mutex
	hits    map[string]int // by path
}

func newBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{events: make(chan string), hits: make(map[string]int)}
	server := httptest.NewServer(b)
	t.Cleanup(func() {
		server.CloseClientConnections() // a hanging request ends here
		server.Close()
	})
	b.address = server.Listener.Addr().String()
	return b
}

// hitCount says how many requests for a path have arrived.
func (b *backend) hitCount(path string) int {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.hits[path]
}

func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mutex.Lock()
	b.hits[r.URL.Path]++
	b.mutex.Unlock()
	behaviour, argument, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	switch behaviour {
	case "500":
		http.Error(w, "the backend failed", http.StatusInternalServerError)
	case "hang":
		<-r.Context().Done()
	case "reset":
		reset(w)
	case "panic":
		panic(http.ErrAbortHandler) // the one panic value that net/http does not log
	case "events":
		b.sendEvents(w)
	case "ws":
		echoMessages(w, r)
	case "zeros":
		sendZeros(w, argument)
	default:
		body, _ := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s", r.Method, body)
	}
}

// reset closes the connection so that the other side sees ECONNRESET instead of an answer.
func reset(w http.ResponseWriter) {
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	conn.(*net.TCPConn).SetLinger(0)
	conn.Close()
}

func (b *backend) sendEvents(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for event := range b.events {
		fmt.Fprintf(w, "data: %s\n\n", event)
		w.(http.Flusher).Flush()
	}
}

func echoMessages(w http.ResponseWriter, r *http.Request) {
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer conn.CloseNow()
	for {
		kind, message, err := conn.Read(r.Context())
		if err != nil {
			return
		}
		if err := conn.Write(r.Context(), kind, message); err != nil {
			return
		}
	}
}

func sendZeros(w http.ResponseWriter, argument string) {
	n, err := strconv.ParseInt(argument, 10, 64)
	if err != nil {
		http.Error(w, "how many zeros?", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", argument)
	chunk := make([]byte, 64<<10)
	for n > 0 {
		wrote, err := w.Write(chunk[:min(n, int64(len(chunk)))])
		if err != nil {
			return
		}
		n -= int64(wrote)
	}
}
