//go:build linux

package main

// This file is what follows each fault: read the books, start the gateway again, send earlier packets once more, and compare.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// replays is how many fulfilled packets are sent again in each cycle, beside all that were not answered.
const replays = 12

// broken is the error for broken promises.
type broken []violation

func (b broken) Error() string {
	text := ""
	for i, v := range b {
		if i == 8 {
			return text + fmt.Sprintf("\n  and %d more", len(b)-i)
		}
		text += "\n  " + string(v)
	}
	return text[1:]
}

// verdict is an error when something is wrong.
func verdict(v []violation) error {
	if len(v) == 0 {
		return nil
	}
	return broken(v)
}

// recover is called when the gateway has crashed and the load has ended. It reads the books of a copy of the directory as the crash left
// it, while the gateway starts on the directory itself, and wants both to be right.
func (t *torture) recover(ctx context.Context, b *bed, most flight) error {
	if h := b.gateway.horror(b.secrets()...); h != "" && !b.mayDie {
		b.record.blame(violation(h))
	}
	copied := filepath.Join(t.memory, "books")
	if err := os.RemoveAll(copied); err != nil {
		return err
	}
	if err := copyDirectory(filepath.Join(b.settings.data, "ledger"), copied); err != nil {
		return fmt.Errorf("copying the ledger: %w", err)
	}
	type outcome struct {
		books *books
		err   error
	}
	read := make(chan outcome, 1)
	go func() {
		found, err := readBooks(ctx, copied)
		read <- outcome{found, errors.Join(err, os.RemoveAll(copied))}
	}()
	started := b.start(ctx)
	found := <-read
	if err := errors.Join(found.err, started); err != nil {
		return err
	}
	b.record.doubt(false)
	if err := verdict(append(b.record.takeBroken(), b.record.compare(found.books, most)...)); err != nil {
		return err
	}
	b.record.adopt(found.books)
	return b.replay(ctx, found.books)
}

// replay sends again what was not answered and some of what was, and wants each fulfilled and credited once; what differs from an earlier packet
// under its condition is refused. Then the gateway must hold what the books and the new credits make.
func (b *bed) replay(ctx context.Context, before *books) error {
	expected := make(map[string]amount.Amount)
	for _, t := range b.tokens {
		expected[t.text] = before.balances[t.account]
	}
	again := b.record.inOrder(func(p *packet) bool { return p.fate == underWay })
	done := b.record.inOrder(func(p *packet) bool { return p.fate == fulfilled && time.Since(p.sent) < 5*time.Minute })
	for i := 0; i < replays && len(done) > 0; i++ {
		again = append(again, done[b.random.IntN(len(done))])
	}
	for i, p := range again {
		if err := b.resend(ctx, p, i%8 == 7); err != nil {
			return err
		}
		if p.fate == fulfilled && len(before.credits[p.condition]) == 0 {
			for _, t := range b.tokens {
				if t.account == p.account {
					expected[t.text] += p.amount
				}
			}
			before.credits[p.condition] = []credit{{p.account, p.amount}}
		}
	}
	all := amount.Amount(0)
	for i := range b.tokens {
		t := &b.tokens[i]
		all += expected[t.text]
		_, balance, err := b.quote(ctx, t)
		if err != nil {
			return err
		}
		if balance != expected[t.text] {
			b.record.blame(violation(fmt.Sprintf("account %x has %d after the start and the replays, and should have %d", t.account[:6], balance, expected[t.text])))
		}
	}
	if err := b.audit(ctx, all); err != nil {
		return err
	}
	return verdict(b.record.takeBroken())
}

// audit asks the running gateway for an audit, if it can be asked, and wants it to be exact and to find what the balances should be in all.
func (b *bed) audit(ctx context.Context, all amount.Amount) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+b.settings.admin.String()+"/paydoor/audit", nil)
	if err != nil {
		return err
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode == http.StatusNotFound {
		return nil // an older one
	}
	var said struct {
		OK       bool   `json:"ok"`
		Problem  string `json:"problem"`
		Balances string `json:"balances"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&said); err != nil {
		return fmt.Errorf("an audit is answered with status %d: %w", answer.StatusCode, err)
	}
	if !said.OK || said.Balances != all.String() {
		b.record.blame(violation(fmt.Sprintf("the gateway's own audit says %+v with status %d, and all balances should make %d", said, answer.StatusCode, all)))
	}
	return nil
}

// resend sends a packet once more, with a later expiry as senders do, over the other link; altered says to send it with another amount first.
func (b *bed) resend(ctx context.Context, p *packet, altered bool) error {
	prepare, err := ilpcore.DecodePrepare(p.bytes)
	if err != nil {
		return err
	}
	prepare.ExpiresAt = time.Now().Add(craftLife).UTC().Truncate(time.Millisecond)
	if altered && p.fate == fulfilled {
		other := prepare
		other.Amount += 1000
		bytes, err := other.Append(nil)
		if err != nil {
			return err
		}
		reply, err := b.child.send(ctx, bytes)
		if err != nil {
			return err
		}
		if reply.Fulfilled || reply.Code != ilpcore.F00 {
			b.record.blame(violation(fmt.Sprintf("packet %x came again with another amount, and was answered with %s (fulfilled: %v) instead of F00",
				p.condition[:6], reply.Code, reply.Fulfilled)))
		}
	}
	bytes, err := prepare.Append(nil)
	if err != nil {
		return err
	}
	p.expires = prepare.ExpiresAt
	reply, err := b.child.send(ctx, bytes)
	if err != nil {
		return err
	}
	b.record.answer(p, reply)
	if p.fate != fulfilled {
		b.record.blame(violation(fmt.Sprintf("packet %x was sent again and rejected with %s", p.condition[:6], p.code)))
	}
	return nil
}

// finish stops the gateway in order, and wants the books to be what the record says, without anything left open.
func (t *torture) finish(ctx context.Context, b *bed) error {
	if err := b.gateway.stop(); err != nil {
		return err
	}
	if h := b.gateway.horror(b.secrets()...); h != "" {
		b.record.blame(violation(h))
	}
	found, err := readBooks(ctx, filepath.Join(b.settings.data, "ledger"))
	if err != nil {
		return err
	}
	return verdict(append(b.record.takeBroken(), b.record.compare(found, flight{})...))
}
