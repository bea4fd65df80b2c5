package payer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/paydoor/paydoor/amount"
)

// writeJournal puts entries into the journal of a wallet that is not open.
func writeJournal(t *testing.T, dir string, entries []entry) {
	t.Helper()
	var text bytes.Buffer
	for _, e := range entries {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
	}
	if err := openWallet(t, dir, Limits{}).Close(); err != nil { // what has paid has a secret
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, journalFile), text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// settled are the two entries of a payment that spent half of what it reserved.
func settled(i int, at time.Time, host string, spent amount.Amount) []entry {
	id := fmt.Sprintf("%016x", i)
	return []entry{{At: at, Kind: entryReserved, ID: id, Host: host, Amount: 2 * spent}, {At: at.Add(time.Second), Kind: entrySettled, ID: id, Host: host, Amount: spent}}
}

func linesOf(t *testing.T, dir string) int {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, journalFile))
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Count(b, []byte("\n"))
}

// TestWalletOfManyYears has two payments a day for five years: the journal is short, the sums are exact, and the caps hold as before.
func TestWalletOfManyYears(t *testing.T) {
	const years, daily, keeps = 5, 2, 100
	now := time.Date(2031, 3, 1, 12, 0, 0, 0, time.UTC)
	var entries []entry
	spent, hosts := map[string]amount.Amount{}, []string{"a.example", "b.example", "c.example"}
	for i := range years * 365 * daily {
		host := hosts[i%len(hosts)]
		at := now.Add(-time.Duration(years*365*daily-i) * 24 * time.Hour / daily)
		entries = append(entries, settled(i, at, host, 5)...)
		spent[host] += 5
	}
	entries = append(entries, entry{At: entries[10].At, Kind: entryReserved, ID: "ffffffffffffffff", Host: "open.example", Amount: 3})
	dir := t.TempDir()
	writeJournal(t, dir, entries)
	limits := Limits{PerDay: 10, PerHost: 1_000_000}
	for range 2 {
		w, err := OpenWallet(WalletConfig{Dir: dir, Limits: limits, Now: func() time.Time { return now }})
		if err != nil {
			t.Fatal(err)
		}
		w.keeps = keeps
		if err := w.locked(w.compact); err != nil {
			t.Fatal(err)
		}
		all, err := w.Spendings()
		if err != nil {
			t.Fatal(err)
		}
		got, payments := map[string]amount.Amount{}, 0
		for _, s := range all {
			got[s.Host] += s.Amount
			payments += s.Payments
		}
		if payments != years*365*daily+1 || got["open.example"] != 3 {
			t.Errorf("%d payments, %s", payments, got)
		}
		delete(got, "open.example")
		if diff := cmp.Diff(spent, got); diff != "" {
			t.Error(diff)
		}
		if err := w.Reserve("a.example", 6); err == nil || !strings.Contains(err.Error(), "per day") {
			t.Errorf("the cap per day is forgotten: %v", err)
		}
		if today, err := w.SpentToday(); err != nil || today != 5 {
			t.Errorf("%s were spent today, %v", today, err)
		}
		if n := linesOf(t, dir); n > keeps+3*(401+12*years)+1 {
			t.Errorf("the journal has %d lines", n)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestCompactionSums shows line by line what becomes of a journal.
func TestCompactionSums(t *testing.T) {
	day := func(text string) time.Time {
		at, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return at
	}
	now := day("2026-11-26T04:00:00Z")
	var entries []entry
	for i, p := range []struct {
		at, host string
	}{
		{"2025-01-31T23:59:59Z", "a"}, {"2025-02-01T00:00:00Z", "a"}, {"2025-02-28T12:00:00Z", "a"}, {"2025-02-28T12:00:01Z", "b"}, // long ago
		{"2026-11-24T10:00:00Z", "a"}, {"2026-11-24T11:00:00Z", "a"}, {"2026-11-25T11:00:00Z", "a"},
		{"2026-11-26T01:00:00Z", "a"}, {"2026-11-26T02:00:00Z", "b"}, {"2026-11-26T03:00:00Z", "a"}, // the latest two of these stay
	} {
		entries = append(entries, settled(i+1, day(p.at), p.host, 10)...)
	}
	entries = append(entries[:8:8], append([]entry{
		{At: day("2026-11-01T00:00:00Z"), Kind: entryReserved, ID: "ffffffffffffffff", Host: "a", Amount: 7},
		{At: now, Kind: entryDoubted, Host: "a", Until: day("2026-11-26T04:00:30Z")},
		{At: now, Kind: entryDoubted, Host: "b", Until: day("2026-11-26T03:59:59Z")},
	}, entries[8:]...)...)
	b := newBooks()
	for _, e := range entries {
		if !b.add(e) {
			t.Fatalf("%+v", e)
		}
	}
	want := `{"at":"2025-01-31T23:59:59Z","kind":"summed","host":"a","amount":"10","until":"2025-01-31T23:59:59Z","count":1}
{"at":"2025-02-01T00:00:00Z","kind":"summed","host":"a","amount":"20","until":"2025-02-28T12:00:00Z","count":2}
{"at":"2025-02-28T12:00:01Z","kind":"summed","host":"b","amount":"10","until":"2025-02-28T12:00:01Z","count":1}
{"at":"2026-11-24T10:00:00Z","kind":"summed","host":"a","amount":"20","until":"2026-11-24T11:00:00Z","count":2}
{"at":"2026-11-25T11:00:00Z","kind":"summed","host":"a","amount":"10","until":"2026-11-25T11:00:00Z","count":1}
{"at":"2026-11-26T01:00:00Z","kind":"summed","host":"a","amount":"10","until":"2026-11-26T01:00:00Z","count":1}
{"at":"2026-11-01T00:00:00Z","kind":"reserved","id":"ffffffffffffffff","host":"a","amount":"7"}
{"at":"2026-11-26T02:00:00Z","kind":"paid","id":"0000000000000009","host":"b","amount":"10"}
{"at":"2026-11-26T03:00:00Z","kind":"paid","id":"000000000000000a","host":"a","amount":"10"}
{"at":"2026-11-26T04:00:00Z","kind":"doubted","host":"a","amount":"0","until":"2026-11-26T04:00:30Z"}
`
	once, err := b.shorter(now, 2)
	if diff := cmp.Diff(want, string(once)); diff != "" || err != nil {
		t.Fatal(diff, err)
	}
	again := newBooks()
	if err := again.addLines(once); err != nil {
		t.Fatal(err)
	}
	if twice, err := again.shorter(now, 2); !bytes.Equal(once, twice) || err != nil {
		t.Errorf("another time it becomes %s, %v", twice, err)
	}
	later, err := again.shorter(now.AddDate(2, 0, 0), 0) // all is long ago
	if want := 6; bytes.Count(later, []byte("\n")) != want || err != nil || !bytes.Contains(later, []byte(`"amount":"50","until":"2026-11-26T03:00:00Z","count":5`)) {
		t.Errorf("two years later it becomes %s, %v", later, err)
	}
}

// TestCompactionUnderOtherPrograms has one wallet make the journal shorter while others have it open, with payments under way.
func TestCompactionUnderOtherPrograms(t *testing.T) {
	dir := t.TempDir()
	wallets := make([]*Wallet, 2)
	for i := range wallets {
		w, err := OpenWallet(WalletConfig{Dir: dir, Limits: Limits{PerHost: 1000}})
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}()
		w.keeps = 3
		wallets[i] = w
	}
	for i := range 20 {
		a, b := wallets[i%2], wallets[(i+1)%2]
		for _, w := range []*Wallet{a, b} {
			if err := w.Reserve("x", 10); err != nil {
				t.Fatal(err)
			}
		}
		a.Settle("x", 10, 3)
		b.Settle("x", 10, 4)
	}
	for i, w := range wallets {
		hosts, err := w.Hosts()
		if err != nil || len(hosts) != 1 || hosts[0].Spent != 140 || hosts[0].Payments != 40 {
			t.Errorf("wallet %d: %+v, %v", i, hosts, err)
		}
		if err := w.Allows("x", 861); err == nil {
			t.Errorf("wallet %d: the cap is forgotten", i)
		}
	}
	if n := linesOf(t, dir); n > 15 {
		t.Errorf("the journal has %d lines", n)
	}
}

// TestWalletLeftInTheMiddleOfCompaction finds what a program left that was killed while it wrote the shorter journal.
func TestWalletLeftInTheMiddleOfCompaction(t *testing.T) {
	dir := t.TempDir()
	writeJournal(t, dir, settled(1, time.Now(), "x", 5))
	if err := os.WriteFile(filepath.Join(dir, shorterFile), []byte(`{"at":"2026-`), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := OpenWallet(WalletConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	w.keeps = 0
	if err := w.locked(w.compact); err != nil {
		t.Fatal(err)
	}
	if hosts, err := w.Hosts(); err != nil || len(hosts) != 1 || hosts[0].Spent != 5 || linesOf(t, dir) != 1 {
		t.Errorf("%+v, %v, %d lines", hosts, err, linesOf(t, dir))
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, shorterFile)); !os.IsNotExist(err) {
		t.Errorf("the file is still there: %v", err)
	}
}

// walletVariable names the directory for the process that TestKilledWallets kills.
const walletVariable = "PAYDOOR_TEST_KILLED_WALLET"

// TestKilledWallets kills two programs that pay from one wallet, whose journal is made shorter all the time. Each says what it has done as soon as the
// wallet has said so: none of that is lost, and nothing else is there but what was under way.
func TestKilledWallets(t *testing.T) {
	if dir := os.Getenv(walletVariable); dir != "" {
		payUntilKilled(t, dir)
	}
	if testing.Short() {
		t.Skip("it starts and kills processes")
	}
	dir := t.TempDir()
	reserved, over := 0, 0 // by what is in the wallet
	for range 8 {
		saidReserved, saidOver := killTwo(t, dir)
		w, err := OpenWallet(WalletConfig{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		all, err := w.Spendings()
		if err != nil {
			t.Fatal(err)
		}
		wasReserved, wasOver, sum := reserved, over, amount.Amount(0)
		reserved, over = 0, 0
		for _, s := range all {
			reserved += s.Payments
			if sum += s.Amount; s.Settled {
				over += s.Payments
			}
		}
		if n := reserved - wasReserved - saidReserved; n < 0 || n > 2 {
			t.Errorf("%d payments were begun, and %d are in the wallet", saidReserved, reserved-wasReserved)
		}
		if n := over - wasOver - saidOver; n < 0 || n > 2 {
			t.Errorf("%d payments came to their end, and %d are in the wallet", saidOver, over-wasOver)
		}
		hosts, err := w.Hosts()
		if want := amount.Amount(7*over + 10*(reserved-over)); err != nil || sum != want || len(hosts) != 1 || hosts[0].Spent != want {
			t.Errorf("%s were spent in %d payments of which %d are over; %+v, %v", sum, reserved, over, hosts, err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}
	if over < 8 {
		t.Errorf("only %d payments came to their end", over)
	}
}

// payUntilKilled pays, and says so.
func payUntilKilled(t *testing.T, dir string) {
	w, err := OpenWallet(WalletConfig{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	for w.keeps = 4; ; {
		if err := w.Reserve("x", 10); err != nil {
			t.Fatal(err)
		}
		fmt.Println("reserved")
		w.Settle("x", 10, 7)
		if w.failed != nil {
			t.Fatal(w.failed)
		}
		fmt.Println("over")
	}
}

// killTwo starts two programs, kills them after some payments, and returns what they said.
func killTwo(t *testing.T, dir string) (reserved, over int) {
	t.Helper()
	lines, ended := make(chan string), make(chan error)
	var programs [2]*exec.Cmd
	for i := range programs {
		programs[i] = exec.Command(os.Args[0], "-test.run=^TestKilledWallets$")
		programs[i].Env = append(os.Environ(), walletVariable+"="+dir)
		out, err := programs[i].StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := programs[i].Start(); err != nil {
			t.Fatal(err)
		}
		go func() {
			in := bufio.NewScanner(out)
			for in.Scan() {
				lines <- in.Text()
			}
			ended <- programs[i].Wait()
		}()
	}
	after := 10 + rand.IntN(40)
	for n, left := 0, len(programs); left > 0; {
		select {
		case line := <-lines:
			switch n++; line {
			case "reserved":
				reserved++
			case "over":
				over++
			default:
				t.Errorf("a program said %s", line)
			}
			if n == after {
				for _, p := range programs {
					if err := p.Process.Kill(); err != nil {
						t.Error(err)
					}
				}
			}
		case <-ended: // it was killed
			left--
		}
	}
	return reserved, over
}

// FuzzShorterJournal makes anything shorter that can be read as a journal. What makes sense can be made shorter, and again, with the same sums.
func FuzzShorterJournal(f *testing.F) {
	f.Add([]byte(`{"at":"2026-11-26T02:00:00Z","kind":"reserved","id":"a","host":"x","amount":"10"}
{"at":"2026-11-26T02:00:01Z","kind":"settled","id":"a","host":"x","amount":"7"}
{"at":"2026-11-26T02:00:01Z","kind":"doubted","host":"x","amount":"0","until":"2026-11-26T02:00:31Z"}
`), 0)
	f.Add([]byte(`{"at":"2025-02-01T00:00:00Z","kind":"summed","host":"x","amount":"20","until":"2025-02-28T12:00:00Z","count":2}
{"at":"2026-11-26T02:00:00Z","kind":"paid","id":"b","host":"x","amount":"10"}
`), 1)
	f.Fuzz(func(t *testing.T, text []byte, keeps int) {
		now := time.Date(2026, 11, 26, 2, 0, 10, 0, time.UTC)
		b := newBooks()
		if b.addLines(text) != nil {
			return
		}
		once, err := b.shorter(now, keeps)
		if err != nil {
			return // sums beyond 64 bits: it stays as it is
		}
		made := newBooks()
		if err := made.addLines(once); err != nil {
			t.Fatalf("%s: %v", once, err)
		}
		if twice, err := made.shorter(now, keeps); err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s becomes %s, %v", once, twice, err)
		}
	})
}
