package posting

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

func TestUsual(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\n"
	for name, test := range map[string]struct {
		head string
		want int // -1: not usual
	}{
		"Go":                {ok + "Content-Type: application/octet-stream\r\nDate: Thu, 26 Nov 2026 08:00:00 GMT\r\nContent-Length: 90\r\n\r\n", 90},
		"Node.js":           {ok + "content-length: 70\r\nDate: Thu, 26 Nov 2026 08:00:00 GMT\r\nConnection: keep-alive\r\nKeep-Alive: timeout=5\r\n\r\n", 70},
		"empty":             {ok + "Content-Length: 0\r\n\r\n", 0},
		"no reason":         {"HTTP/1.1 200 \r\nContent-Length:1\r\n\r\n", 1},
		"another status":    {"HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\n", -1},
		"longer status":     {"HTTP/1.1 2000 OK\r\nContent-Length: 1\r\n\r\n", -1},
		"HTTP/1.0":          {"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\n", -1},
		"last":              {ok + "Connection: close\r\nContent-Length: 1\r\n\r\n", -1},
		"in chunks":         {ok + "Transfer-Encoding: chunked\r\n\r\n", -1},
		"chunks and length": {ok + "Content-Length: 1\r\ntransfer-encoding: chunked\r\n\r\n", -1},
		"no length":         {ok + "Content-Type: text/plain\r\n\r\n", -1},
		"two lengths":       {ok + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", -1},
		"length with sign":  {ok + "Content-Length: +1\r\n\r\n", -1},
		"list of lengths":   {ok + "Content-Length: 1, 1\r\n\r\n", -1},
		"endless length":    {ok + "Content-Length: 99999999999999999999\r\n\r\n", -1},
		"folded":            {ok + "A: b\r\n c\r\nContent-Length: 1\r\n\r\n", -1},
		"space in a name":   {ok + "Content-Length : 1\r\n\r\n", -1},
		"bare line feed":    {ok + "A: b\nContent-Length: 7\r\nContent-Length: 1\r\n\r\n", -1},
		"not at its end":    {ok + "Content-Length: 1\r\n", -1},
		"something behind":  {ok + "Content-Length: 1\r\n\r\nx", -1},
		"nothing":           {"", -1},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := usual([]byte(test.head))
			if ok != (test.want >= 0) || ok && got != test.want {
				t.Errorf("got %d, %t, want %d", got, ok, test.want)
			}
		})
	}
}

// FuzzUsual: what is usual net/http reads the same way.
func FuzzUsual(f *testing.F) {
	f.Add([]byte("HTTP/1.1 200 OK\r\nContent-Length: 90\r\nConnection: keep-alive\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nA-b: c\r\ncontent-length:  7 \r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 \r\nContent-Length: 1\r\nConnection: close\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n"))
	f.Add([]byte("HTTP/1.1 200 OK\r\nTrailer: A\r\nContent-Length: 3\r\n\r\n"))
	f.Fuzz(func(t *testing.T, head []byte) {
		length, ok := usual(head)
		if !ok {
			return
		}
		body := strings.Repeat("x", length%100_000)
		in := bufio.NewReader(strings.NewReader(string(head) + body))
		r, err := http.ReadResponse(in, &http.Request{Method: http.MethodPost})
		if err != nil {
			t.Fatalf("net/http does not read it: %v", err)
		}
		if r.StatusCode != http.StatusOK || r.Close || r.ContentLength != int64(length) || r.TransferEncoding != nil {
			t.Fatalf("net/http reads status %d, length %d, encoding %v, close %t; want length %d", r.StatusCode, r.ContentLength, r.TransferEncoding, r.Close, length)
		}
		if length >= 100_000 {
			return
		}
		if got, err := Read(nil, r.Body, length); err != nil || !bytes.Equal(got, []byte(body)) {
			t.Fatalf("%d bytes became %d, %v", length, len(got), err)
		}
	})
}
