package payer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/paywall"
)

// spender is the variable that makes of this test a program which spends from the wallet in a directory as much as it may.
const spender = "PAYDOOR_TEST_SPENDER"

func openWallet(t testing.TB, dir string, limits Limits) *Wallet {
	t.Helper()
	w, err := OpenWallet(WalletConfig{Dir: dir, Limits: limits})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestWalletAcrossProcesses lets three programs spend at once: together they stay within the caps, and the books have every unit.
func TestWalletAcrossProcesses(t *testing.T) {
	if dir := os.Getenv(spender); dir != "" {
		w := openWallet(t, dir, Limits{PerRequest: 9, PerHost: 100, PerDay: 150})
		var spent amount.Amount
		for i := range 60 {
			host := fmt.Sprintf("%c.example", 'a'+i%3)
			cost := amount.Amount(1 + i%10)
			if err := w.Reserve(host, cost); err != nil {
				if !errors.Is(err, ErrCap) {
					t.Fatal(err)
				}
				continue
			}
			w.Settle(host, cost, cost/2)
			spent += cost / 2
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		fmt.Printf("spent %s\n", spent)
		return
	}
	if testing.Short() {
		t.Skip("starts processes")
	}
	dir := filepath.Join(t.TempDir(), "wallet")
	outputs := make([]bytes.Buffer, 3)
	commands := make([]*exec.Cmd, 3)
	for i := range commands {
		commands[i] = exec.Command(os.Args[0], "-test.run=^TestWalletAcrossProcesses$", "-test.v")
		commands[i].Env = append(os.Environ(), spender+"="+dir)
		commands[i].Stdout, commands[i].Stderr = &outputs[i], &outputs[i]
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	var claimed amount.Amount
	for i, command := range commands {
		if err := command.Wait(); err != nil {
			t.Fatalf("%v\n%s", err, &outputs[i])
		}
		_, said, _ := strings.Cut(outputs[i].String(), "spent ")
		said, _, _ = strings.Cut(said, "\n")
		n, err := amount.Parse(said)
		if err != nil {
			t.Fatalf("%v\n%s", err, &outputs[i])
		}
		claimed += n
	}
	w := openWallet(t, dir, Limits{})
	defer w.Close()
	today, err := w.SpentToday()
	if err != nil || today != claimed || today > 150 || today < 130 {
		t.Errorf("%s were spent by the wallet, and %s by the programs: %v", today, claimed, err)
	}
	hosts, err := w.Hosts()
	if err != nil {
		t.Fatal(err)
	}
	var sum amount.Amount
	for _, host := range hosts {
		if host.Spent > 100 {
			t.Errorf("%s got %s", host.Name, host.Spent)
		}
		sum += host.Spent
	}
	if sum != claimed || len(hosts) != 3 {
		t.Errorf("%d hosts got %s", len(hosts), sum)
	}
}

// TestWalletAfterACrash leaves a payment without an end and a line without one: the payment counts, and may still arrive for a minute.
func TestWalletAfterACrash(t *testing.T) {
	dir := t.TempDir()
	w := openWallet(t, dir, Limits{})
	secret := w.Secret()
	if err := w.Reserve("shop.example", 30); err != nil {
		t.Fatal(err)
	}
	if !w.Doubtful("shop.example").IsZero() {
		t.Error("a program doubts its own payment")
	}
	if err := w.closeFiles(); err != nil { // as when the process ends
		t.Fatal(err)
	}
	journal := filepath.Join(dir, journalFile)
	whole, err := os.ReadFile(journal)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(whole) { // a second entry, of which the disk has a part only
		if err := os.WriteFile(journal, append(whole[:len(whole):len(whole)], whole[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		w = openWallet(t, dir, Limits{PerHost: 50})
		if !bytes.Equal(secret, w.Secret()) {
			t.Fatal("the secret was made twice")
		}
		if err := w.Reserve("shop.example", 21); !errors.Is(err, ErrCap) {
			t.Errorf("cut at %d: %v", cut, err)
		}
		if left := time.Until(w.Doubtful("shop.example")); left < 50*time.Second || left > time.Minute {
			t.Errorf("cut at %d: the payment may arrive for %s", cut, left)
		}
		if all, err := w.Spendings(); err != nil || len(all) != 1 || all[0].Settled || all[0].Amount != 30 {
			t.Errorf("cut at %d: %+v, %v", cut, all, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(journal); err != nil || !bytes.Equal(b, whole) {
		t.Errorf("the journal is %q, %v", b, err)
	}
}

func TestWalletRefusesDamage(t *testing.T) {
	tests := []struct {
		name   string
		damage func(dir string) error
		said   string
	}{
		{"a damaged line", func(dir string) error { return os.WriteFile(filepath.Join(dir, journalFile), []byte("{}\n"), 0o600) }, "damage in line 1: put a copy back"},
		{"an end without a beginning", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, journalFile), []byte(`{"at":"2026-01-01T00:00:00Z","kind":"settled","id":"x","host":"a","amount":"1"}`+"\n"), 0o600)
		}, "damage in line 1: put a copy back"},
		{"a secret that is gone", func(dir string) error {
			w := openWallet(t, dir, Limits{})
			if err := w.Reserve("a.example", 1); err != nil {
				return err
			}
			w.Settle("a.example", 1, 1)
			return errors.Join(w.Close(), os.Remove(filepath.Join(dir, secretFile)))
		}, "put a copy back"},
		{"no hosts", func(dir string) error { return os.WriteFile(filepath.Join(dir, hostsFile), []byte("null\n"), 0o600) }, "hosts.json is damaged: put a copy back"},
		{"half of the hosts", func(dir string) error { return os.WriteFile(filepath.Join(dir, hostsFile), []byte("{"), 0o600) }, "hosts.json is damaged: put a copy back"},
		{"an open secret", func(dir string) error { return os.Chmod(filepath.Join(dir, secretFile), 0o644) }, "chmod 600"},
		{"a short secret", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, secretFile), []byte("c2hvcnQ\n"), 0o600)
		}, "put a copy back"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := openWallet(t, dir, Limits{}).Close(); err != nil {
				t.Fatal(err)
			}
			if err := test.damage(dir); err != nil {
				t.Fatal(err)
			}
			w, err := OpenWallet(WalletConfig{Dir: dir})
			if err == nil {
				err = errors.Join(w.SetMax("a.example", 1), w.Close())
			}
			if !errors.Is(err, ErrWallet) || !strings.Contains(err.Error(), test.said) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWalletModesAndMaximum(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	w := openWallet(t, dir, Limits{NeedMax: true})
	if err := w.Reserve("shop.example", 1); !errors.Is(err, ErrNoMax) {
		t.Errorf("without a maximum: %v", err)
	}
	if err := w.SetMax("SHOP.example", 10); err != nil {
		t.Fatal(err)
	}
	w.Says("shop.example", 90)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w = openWallet(t, dir, Limits{NeedMax: true, PerRequest: 5})
	defer w.Close()
	var above *CapError
	if err := w.Reserve("shop.example", 11); !errors.As(err, &above) || above.Cap != "per request" || above.Limit != 10 {
		t.Errorf("above the maximum of the host: %v", err)
	}
	if err := w.Reserve("other.example", 6); !errors.As(err, &above) || above.Limit != 5 {
		t.Errorf("above the maximum of all others: %v", err)
	}
	if err := w.Reserve("shop.example", 10); err != nil {
		t.Error(err)
	}
	hosts, err := w.Hosts()
	if err != nil || len(hosts) != 1 || hosts[0].Balance != 90 || hosts[0].Max != 10 || hosts[0].Spent != 10 || hosts[0].Payments != 1 {
		t.Errorf("got %+v, %v", hosts, err)
	}
	for name, want := range map[string]os.FileMode{".": 0o700, secretFile: 0o600, journalFile: 0o600, hostsFile: 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
}

// TestWalletRemembersDoubt has a program after the one whose payment got no answer: it asks before it pays.
func TestWalletRemembersDoubt(t *testing.T) {
	for _, arrives := range []bool{true, false} {
		t.Run(fmt.Sprint("arrives ", arrives), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				s := newSite(t, paywall.Rule{Price: 10})
				quote := func() (*Wallet, func() (int, error)) {
					w := openWallet(t, dir, Limits{})
					c, _ := client(s, s.receiver, w)
					return w, func() (int, error) {
						response, err := c.Get("https://shop.example/")
						if err != nil {
							return 0, err
						}
						return response.StatusCode, response.Body.Close()
					}
				}
				first := openWallet(t, dir, Limits{})
				if err := first.Reserve("shop.example", 10); err != nil {
					t.Fatal(err)
				}
				if err := first.closeFiles(); err != nil {
					t.Fatal(err)
				}
				if arrives {
					time.AfterFunc(10*time.Second, func() {
						if err := s.give("shop.example", 10); err != nil {
							t.Error(err)
						}
					})
				}
				w, get := quote()
				began := time.Now()
				if status, err := get(); status != 200 || err != nil {
					t.Fatalf("status %d, %v", status, err)
				}
				waited := time.Since(began)
				today, err := w.SpentToday()
				if err := errors.Join(err, w.Close()); err != nil {
					t.Fatal(err)
				}
				if arrives && (today != 10 || waited > 12*time.Second) || !arrives && (today != 20 || waited < 50*time.Second) {
					t.Errorf("%s were spent, after %s", today, waited)
				}
			})
		})
	}
}

// give credits the token of the tests' secret at host, as a payment does that arrives late.
func (s *site) give(host string, n amount.Amount) error {
	_, transport := client(s, nil, nil)
	account, err := paywall.AccountOf(transport.Token(host), "")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.balances[account] += n
	return err
}

func FuzzJournal(f *testing.F) {
	f.Add([]byte(`{"at":"2026-01-01T00:00:00Z","kind":"reserved","id":"x","host":"a","amount":"5"}` + "\n" + `{"at":"2026-01-01T00:00:00Z","kind":"settled","id":"x","host":"a","amount":"1"}` + "\n"))
	f.Fuzz(func(t *testing.T, journal []byte) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, journalFile), journal, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := OpenWallet(WalletConfig{Dir: dir})
		if err != nil {
			return
		}
		defer w.Close()
		all, err := w.Spendings()
		if err != nil {
			t.Fatal(err)
		}
		var sum, hosts, days amount.Amount
		for _, s := range all {
			sum = sum.Saturate(s.Amount)
		}
		for _, n := range w.books.hosts {
			hosts = hosts.Saturate(n)
		}
		for _, n := range w.books.days {
			days = days.Saturate(n)
		}
		if sum < amount.Max/2 && (sum != hosts || sum != days) {
			t.Errorf("payments of %s, by host %s, by day %s", sum, hosts, days)
		}
	})
}

// TestWalletTurns has programs pay one host at once. What one has paid is there for its own request, but for first requests that come in
// between and find it; whoever is paid for, no unit is lost.
func TestWalletTurns(t *testing.T) {
	dir := t.TempDir()
	s := newSite(t, paywall.Rule{Price: 10})
	var wait sync.WaitGroup
	var mu sync.Mutex
	answers := map[int]amount.Amount{}
	for range 4 {
		w := openWallet(t, dir, Limits{})
		c, _ := client(s, &network{to: s.receiver, conditions: conditions{delay: time.Millisecond}}, w)
		wait.Go(func() {
			for range 5 {
				response, err := c.Get("https://shop.example/")
				if err != nil {
					t.Error(err)
					continue
				}
				mu.Lock()
				answers[response.StatusCode]++
				mu.Unlock()
				if err := response.Body.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	w := openWallet(t, dir, Limits{})
	defer w.Close()
	spent, err := w.SpentToday()
	if err != nil || spent != s.credited || s.credited != 10*answers[200]+s.left() || answers[200]+answers[402] != 20 || answers[402] > 5 {
		t.Errorf("%s were spent, %s credited, %s are left: %v, %v", spent, s.credited, s.left(), answers, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	other := openWallet(t, dir, Limits{})
	defer other.Close()
	leave, waited, err := w.Enter(ctx, "shop.example")
	if err != nil || waited {
		t.Fatal(waited, err)
	}
	if _, waited, err := other.Enter(ctx, "shop.example"); !errors.Is(err, context.DeadlineExceeded) || !waited {
		t.Errorf("two programs have the turn: %v, %v", waited, err)
	}
	leave()
	if leave, _, err := other.Enter(t.Context(), "shop.example"); err != nil {
		t.Error(err)
	} else {
		leave()
	}
}
