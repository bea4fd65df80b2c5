package interop

// This file asks for prices and never pays: quotes leave nothing on the disk and next to nothing in memory.

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dgraph-io/badger/v4"
	"golang.org/x/sync/errgroup"
)

func TestUnpaidQuotesLeaveNothing(t *testing.T) {
	needTime(t)
	total := setting(t, "PAYDOOR_INTEROP_QUOTES", 1_000_000)
	backend, neighbour := newBackend(t), newLink(t, "neighbour")
	g := newGateway(t, gatewayConfig{
		address:  "test.gateway",
		accounts: []string{neighbour.account()},
		sites:    []string{fmt.Sprintf("\tpaywall {\n\t\tprice 10\n\t\tfree /free\n\t}\n\treverse_proxy %s", backend.address)},
	})
	neighbour.credit(t, g, newToken(), 100) // so that there is something in the store to compare with

	askMany(t, g, 20_000, free) // what a busy server needs anyhow, without any quote: connections, buffers, a grown heap
	filesBefore, keysBefore := contents(t, g.dataDir()), countKeys(t, g.dataDir())
	watch := watchMemory(t, g.pid())
	askMany(t, g, total, byOptions, by402)
	watch.wantRise(t, 16<<20)

	if keys := countKeys(t, g.dataDir()); keys != keysBefore {
		t.Errorf("%d keys became %d", keysBefore, keys)
	}
	if files := contents(t, g.dataDir()); !maps.Equal(files, filesBefore) {
		t.Errorf("files changed: %v became %v", filesBefore, files)
	}
	if n := backend.hitCount("/"); n != 0 {
		t.Errorf("the backend was reached %d times by requests nobody paid for", n)
	}
}

// inquiry is a request that nobody pays for, and how it is answered.
type inquiry struct {
	method, path string
	status       int
	quoted       bool // the answer has a quote of 10
}

var (
	byOptions = inquiry{http.MethodOptions, "/", http.StatusNoContent, true}
	by402     = inquiry{http.MethodGet, "/", http.StatusPaymentRequired, true}
	free      = inquiry{http.MethodGet, "/free", http.StatusOK, false}
)

// askMany makes n inquiries over a few connections, taking turns between the kinds, each with a token of its own.
func askMany(t *testing.T, g *gateway, n int, kinds ...inquiry) {
	t.Helper()
	const connections = 8
	var group errgroup.Group
	for range connections {
		group.Go(func() error { return askPipelined(g, n/connections, kinds) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// askPipelined writes requests in batches without waiting in between, which leaves the processor to the server.
func askPipelined(g *gateway, n int, kinds []inquiry) error {
	const batch = 50
	address := strings.TrimSuffix(strings.TrimPrefix(g.url(0), "http://"), "/")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewReaderSize(conn, 64<<10)
	for done := 0; done < n; done += batch {
		var requests bytes.Buffer
		for i := range batch {
			kind := kinds[i%len(kinds)]
			fmt.Fprintf(&requests, "%s %s HTTP/1.1\r\nHost: %s\r\nPay-Token: %s\r\n\r\n", kind.method, kind.path, address, untracked())
		}
		if _, err := conn.Write(requests.Bytes()); err != nil {
			return err
		}
		for i := range batch {
			if err := kinds[i%len(kinds)].skipAnswer(answers); err != nil {
				return err
			}
		}
	}
	return nil
}

// skipAnswer reads one response and checks it.
func (k inquiry) skipAnswer(answers *bufio.Reader) error {
	response, err := http.ReadResponse(answers, nil)
	if err != nil {
		return err
	}
	if response.StatusCode != http.StatusNoContent { // a 204 has no body
		if _, err := io.Copy(io.Discard, response.Body); err != nil {
			return err
		}
	}
	pay := response.Header.Get("Pay")
	if response.StatusCode != k.status || strings.HasSuffix(pay, " 10") != k.quoted {
		return fmt.Errorf("%s %s: status %d with Pay %q, want %d, with a quote of 10: %v", k.method, k.path, response.StatusCode, pay, k.status, k.quoted)
	}
	return nil
}

// untracked is a random token that the log is not searched for: there are too many.
func untracked() string {
	var b [32]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// contents are the hashes of all files below dir, so that two calls tell whether one byte has changed.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	hashes := make(map[string]string)
	walkFiles(t, dir, func(path string, text []byte) {
		hash := sha256.Sum256(text)
		hashes[path] = fmt.Sprintf("%d bytes %s", len(text), hex.EncodeToString(hash[:4]))
	})
	return hashes
}

// countKeys counts the keys of the Badger store somewhere below dir, in a copy, because the gateway has it open.
func countKeys(t *testing.T, dir string) int {
	t.Helper()
	copied, store := t.TempDir(), ""
	walkFiles(t, dir, func(path string, text []byte) {
		target := filepath.Join(copied, path)
		if filepath.Base(path) == "MANIFEST" {
			store = filepath.Dir(target)
		}
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(target, text, 0o600); err != nil {
			t.Fatal(err)
		}
	})
	if store == "" {
		t.Fatalf("no Badger store below %s", dir)
	}
	db, err := badger.Open(badger.DefaultOptions(store).WithLogger(nil))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	n := 0
	err = db.View(func(txn *badger.Txn) error {
		options := badger.DefaultIteratorOptions
		options.PrefetchValues = false
		keys := txn.NewIterator(options)
		defer keys.Close()
		for keys.Rewind(); keys.Valid(); keys.Next() {
			n++
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatalf("%d keys in the store, %v", n, err)
	}
	return n
}

func walkFiles(t *testing.T, dir string, visit func(path string, text []byte)) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		text, err := os.ReadFile(filepath.Join(dir, path))
		if err == nil {
			visit(path, text)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
