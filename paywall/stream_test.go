package paywall

import (
	"io"
	"net/http"
	"runtime"
	"testing"
)

// A large download passes through without being kept: 256 MiB, and the heap stays small. The underlying writer does the copying.
func TestLargeDownloadIsNotBuffered(t *testing.T) {
	const size = 256 << 20
	target := backend(t, func(w http.ResponseWriter, _ *http.Request) { io.CopyN(w, zeros{}, size) })
	bothVersions(t, func(t *testing.T, http2 bool) {
		s := newSite(t, http2, target)
		s.ledger.credit(t, testToken, 10)
		r, err := http.NewRequest("GET", s.gateway.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Pay-Token", testToken)
		res, err := s.client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var most uint64
		buffer := make([]byte, 1<<20)
		for n, read := 0, 0; ; {
			read, err = res.Body.Read(buffer)
			if n += read; err != nil || n%(32<<20) < read {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
			}
			if err != nil {
				if err != io.EOF || n != size {
					t.Fatalf("%d bytes, %v", n, err)
				}
				break
			}
		}
		if most > 32<<20 {
			t.Errorf("%d MiB in use", most>>20)
		}
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestReadFromReachesTheServer(t *testing.T) {
	b := newBench(t)
	b.ledger.credit(t, testToken, 10)
	out := &readerFrom{spyWriter: spyWriter{header: http.Header{}}}
	err := b.paywall().ServeHTTP(out, request("GET", "/", testToken), func(w http.ResponseWriter, _ *http.Request) error {
		_, err := io.Copy(w, struct{ io.Reader }{io.LimitReader(zeros{}, 1000)})
		return err
	})
	if err != nil || out.direct != 1000 || out.status != 200 {
		t.Errorf("%v, %d bytes, %d", err, out.direct, out.status)
	}
}

type readerFrom struct {
	spyWriter
	direct int64
}

func (r *readerFrom) ReadFrom(src io.Reader) (int64, error) {
	n, err := io.Copy(io.Discard, src)
	r.direct += n
	return n, err
}
