package balances

// This file tests kill -9: a child process credits and charges, says over a pipe what was acknowledged to it, and is killed.

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

const childWorkers = 16

// childCondition is the condition of the n-th credit of a worker in a round.
func childCondition(round, worker, n int) [32]byte {
	return digest(fmt.Sprintf("round %d worker %d credit %d", round, worker, n))
}

// childAccount: two workers share an account.
func childAccount(worker int) Account { return account(worker / 2) }

func childOptions(process bool) (store.Options, Options) {
	if process {
		return store.Options{MinFree: 1, Tail: true, Journal: true}, Options{Durability: Process}
	}
	return store.Options{MinFree: 1, Journal: true}, Options{}
}

// child runs until it is killed. The specification is "round mode directory".
func child(spec string) {
	var round int
	var mode, dir string
	if _, err := fmt.Sscanf(spec, "%d %s %s", &round, &mode, &dir); err != nil {
		childFailed(err)
	}
	so, o := childOptions(mode == "process")
	s, err := store.Open(context.Background(), dir, so)
	if err != nil {
		childFailed(err)
	}
	l, err := Open(s, o)
	if err == nil {
		err = l.PinAsset("USD", 9)
	}
	if err != nil {
		childFailed(err)
	}
	for w := range childWorkers {
		go childWorker(l, round, w)
	}
	select {}
}

func childFailed(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// childWorker credits 10 and spends some, over and over, and writes "c worker n" and "s worker charge" for what was acknowledged.
func childWorker(l *Ledger, round, w int) {
	for n := 0; ; n++ {
		c := Credit{Account: childAccount(w), Amount: 10, Condition: childCondition(round, w, n)}
		if _, err := l.Credit(context.Background(), c); err != nil {
			childFailed(err)
		}
		fmt.Printf("c %d %d\n", w, n)
		for charge := range amount.Amount(4) {
			r, err := l.Reserve(context.Background(), c.Account, charge+1)
			if err != nil {
				childFailed(err)
			}
			if _, err := r.Settle(context.Background(), charge); err != nil {
				childFailed(err)
			}
			fmt.Printf("s %d %d\n", w, charge)
		}
	}
}

func TestP1P5P7KilledProcess(t *testing.T) {
	for _, mode := range []string{"group", "process"} {
		t.Run(mode, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "ledger")
			total := make(map[Account]*books)
			for round := range 5 {
				credited, settled := runAndKill(t, fmt.Sprintf("%d %s %s", round, mode, dir), time.Duration(40+50*round)*time.Millisecond)
				checkAfterKill(t, dir, round, credited, settled, total)
			}
		})
	}
}

// books is what an account has got and paid, over all rounds.
type books struct {
	credits uint64 // that are there, in number
	charged uint64 // that was acknowledged
	perhaps uint64 // charged beyond that at most
}

// checkAfterKill opens what the killed child has left: all that was acknowledged is there, to the account, and little more.
func checkAfterKill(t *testing.T, dir string, round int, credited map[int]int, settled map[int]uint64, total map[Account]*books) {
	t.Helper()
	s, err := store.Open(ctx, dir, store.Options{MinFree: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	l, err := Open(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r, err := l.Audit(ctx)
	if err == nil {
		err = l.PinAsset("USD", 9)
	}
	if err != nil {
		t.Fatal(err)
	}
	for w := range childWorkers {
		a := childAccount(w)
		if total[a] == nil {
			total[a] = new(books)
		}
		total[a].charged += settled[w]
		total[a].perhaps += 3 // the charge that nobody heard of
		for i := range credited[w] {
			c := Credit{Account: a, Amount: 10, Condition: childCondition(round, w, i)}
			if repeated, err := l.Credit(ctx, c); !repeated || err != nil {
				t.Fatalf("round %d: acknowledged credit %d of worker %d: %v, %v", round, i, w, repeated, err)
			}
		}
		total[a].credits += uint64(credited[w])
		_, unheard, err := l.earlier(childCondition(round, w, credited[w]))
		if err != nil {
			t.Fatal(err)
		}
		if unheard {
			total[a].credits++
		}
	}
	if len(credited) == 0 {
		t.Error("nothing was acknowledged")
	}
	compareAccounts(t, l, round, r, total)
}

// compareAccounts wants of every account the credits that are there, and the charges that were acknowledged.
func compareAccounts(t *testing.T, l *Ledger, round int, r Report, total map[Account]*books) {
	t.Helper()
	var credits, charged uint64
	for a, b := range total {
		balance, err := l.Balance(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		got := 10*b.credits - uint64(balance.Spendable)
		if got < b.charged || got > b.charged+b.perhaps {
			t.Errorf("round %d: account %.3x is charged %d, and %d was acknowledged", round, a, got, b.charged)
		}
		credits, charged = credits+b.credits, charged+got
	}
	if r.Totals.CreditCount != credits || r.Totals.Charges.Lo != charged {
		t.Errorf("round %d: %d credits and charges of %d, the accounts make %d and %d", round, r.Totals.CreditCount, r.Totals.Charges.Lo, credits, charged)
	}
	t.Logf("round %d: %d credits and charges of %d so far, %v groups", round, credits, charged, r.Sequence)
}

// runAndKill runs a child for a while after its first word. It returns, by worker, how many credits and what sum of charges were
// acknowledged.
func runAndKill(t *testing.T, spec string, after time.Duration) (credited map[int]int, settled map[int]uint64) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PAYDOOR_LEDGER_CHILD="+spec)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	credited, settled = map[int]int{}, map[int]uint64{}
	first := true
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			break // what has no end was cut by the kill
		}
		var what string
		var w, n int
		if _, err := fmt.Sscanf(line, "%s %d %d\n", &what, &w, &n); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if what == "c" {
			credited[w] = n + 1
		} else {
			settled[w] += uint64(n)
		}
		if first {
			time.AfterFunc(after, func() { cmd.Process.Kill() })
			first = false
		}
	}
	if err := cmd.Wait(); err == nil || first {
		t.Fatalf("the child was not killed: %v", err)
	}
	return credited, settled
}
