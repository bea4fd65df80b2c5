package paywall

// These tests are about bodies: broken off, longer than what was read when the answer began, and where there should be none.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/balances"
)

// TestPreflightGetsPermissionsOnly: a backend that ignores the method gives nothing away, and gets no body to work on.
func TestPreflightGetsPermissionsOnly(t *testing.T) {
	b := newBench(t)
	r := preflight("/")
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader("work for free")), 13
	w := b.do(func(w http.ResponseWriter, r *http.Request) error {
		if body, _ := io.ReadAll(r.Body); len(body) != 0 || r.ContentLength != 0 {
			t.Errorf("the backend got %q", body)
		}
		w.Header().Set("Access-Control-Allow-Origin", "*")
		w.Header().Set("Content-Type", "text/plain")
		w.Header().Set("X-Secret", "paid")
		io.WriteString(w, "paid content")
		return nil
	}, r)
	if w.Code != 204 || w.Body.Len() != 0 || w.Header().Get("X-Secret") != "" || w.Header().Get("Content-Type") != "" {
		t.Errorf("%d %v %q", w.Code, w.Header(), w.Body)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("the permission is gone: %v", w.Header())
	}
	if w = b.do(answer(405), preflight("/")); w.Code != 405 {
		t.Errorf("a refusal became %d", w.Code)
	}
}

// TestBrokenBodyIsCharged: a client that breaks its body off after the backend has its request does not get the work free (T13).
func TestBrokenBodyIsCharged(t *testing.T) {
	hits := make(chan struct{}, 1)
	target := backend(t, func(w http.ResponseWriter, r *http.Request) {
		hits <- struct{}{}
		io.Copy(io.Discard, r.Body)
	})
	s := newSite(t, false, target)
	s.ledger.credit(t, testToken, 100)
	conn, err := net.Dial("tcp", s.gateway.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nPay-Token: %s\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", testToken)
	<-hits
	fmt.Fprint(conn, "ZZZ\r\n")
	io.ReadAll(conn)
	s.handling.Wait()
	if left, reserved := s.ledger.state(t, testToken); left != 90 || reserved != 0 {
		t.Errorf("%s left, %s reserved", left, reserved)
	}
}

// TestBrokenBodyCostsWhatCame: where bytes cost, those that were announced and never came cost nothing.
func TestBrokenBodyCostsWhatCame(t *testing.T) {
	for announced, left := range map[string]amount.Amount{
		"Content-Length: 40\r\n\r\nhello":                  100 - 2*5,
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n": 100 - 2*5,
		"Content-Length: 5\r\n\r\nhello":                   100 - 2*5, // all of it came, and the client did not wait for the answer
	} {
		read := make(chan struct{}, 1)
		s := newSite(t, false, backend(t, func(_ http.ResponseWriter, r *http.Request) {
			io.ReadFull(r.Body, make([]byte, 5))
			read <- struct{}{}
			if _, err := io.Copy(io.Discard, r.Body); err == nil {
				<-r.Context().Done()
			}
		}), rules(t, "price 2 per_byte max 50")...)
		s.ledger.credit(t, testToken, 100)
		conn, err := net.Dial("tcp", s.gateway.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nPay-Token: %s\r\n%s", testToken, announced)
		<-read
		conn.Close()
		s.handling.Wait()
		if has, reserved := s.ledger.state(t, testToken); has != left || reserved != 0 {
			t.Errorf("%q: %s left, %s reserved; want %s", announced, has, reserved, left)
		}
	}
}

// TestBodyAfterTheAnswer: where bytes are counted, those that come after the answer began cost too, or do not come.
func TestBodyAfterTheAnswer(t *testing.T) {
	for _, test := range []struct {
		name string
		gone amount.Amount // spent by another request as soon as the first bytes are charged
		read int
	}{
		{"all paid for", 0, 900},
		{"nothing left for more", 1500, 10},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := newBench(t, rules(t, "price 2 per_byte max 1000")...)
			b.ledger.credit(t, testToken, 2000)
			b.config.Ledger = &spender{fakeLedger: b.ledger, spend: test.gone}
			r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 900)))
			r.ContentLength = -1
			r.Header.Set("Pay-Token", testToken)
			read := 0
			b.do(func(w http.ResponseWriter, r *http.Request) error {
				n, _ := io.ReadFull(r.Body, make([]byte, 10))
				w.WriteHeader(200)
				rest, err := io.ReadAll(r.Body)
				read = n + len(rest)
				if test.gone > 0 && !errors.Is(err, http.ErrBodyReadAfterClose) {
					t.Errorf("reading on: %v", err)
				}
				return nil
			}, r)
			left, reserved := b.ledger.state(t, testToken)
			want := 2000 - test.gone - 2*amount.Amount(test.read)
			if read != test.read || left != want || reserved != 0 {
				t.Errorf("the backend read %d; %s left, %s reserved; want %d, %s", read, left, reserved, test.read, want)
			}
		})
	}
}

// TestBodyPastItsMaxAfterTheAnswer: what the backend has had is paid, as far as it was allowed to come.
func TestBodyPastItsMaxAfterTheAnswer(t *testing.T) {
	for name, c := range map[string]struct {
		before int // bytes that are read before the answer begins
		status int
		left   amount.Amount
	}{
		"before the answer": {2000, 413, 2000},
		"after its start":   {10, 200, 0},
	} {
		b := newBench(t, rules(t, "price 2 per_byte max 1000")...)
		b.ledger.credit(t, testToken, 2000)
		r := httptest.NewRequest("POST", "/", strings.NewReader(strings.Repeat("x", 1500)))
		r.ContentLength = -1
		r.Header.Set("Pay-Token", testToken)
		w := b.do(func(w http.ResponseWriter, r *http.Request) error {
			if _, err := io.ReadFull(r.Body, make([]byte, c.before)); err != nil {
				return err
			}
			w.WriteHeader(200)
			if rest, err := io.ReadAll(r.Body); err == nil || c.before+len(rest) > 1000 {
				t.Errorf("%s: %d bytes came after the answer had begun, %v", name, len(rest), err)
			}
			return nil
		}, r)
		if left, reserved := b.ledger.state(t, testToken); w.Code != c.status || left != c.left || reserved != 0 {
			t.Errorf("%s: %d; %s left, %s reserved", name, w.Code, left, reserved)
		}
	}
}

// spender is a ledger on which another request spends between the first Reserve and the second.
type spender struct {
	*fakeLedger
	spend    amount.Amount
	reserves int
}

func (s *spender) Reserve(ctx context.Context, a balances.Account, price amount.Amount) (Reservation, error) {
	if s.reserves++; s.reserves == 2 {
		s.mu.Lock()
		s.spendable[a] -= s.spend
		s.mu.Unlock()
	}
	return s.fakeLedger.Reserve(ctx, a, price)
}
