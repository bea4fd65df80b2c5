package payer

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/paywall"
)

// busy has requests of w at the host one after the other until ctx is over, each as long as that, the first after a moment; turns counts them.
func busy(ctx context.Context, t *testing.T, w *Wallet, after, each time.Duration, turns *int) {
	time.Sleep(after)
	for ctx.Err() == nil {
		leave, _, err := w.Enter(ctx, "shop.example")
		if err != nil {
			if ctx.Err() == nil {
				t.Error(err)
			}
			return
		}
		time.Sleep(each)
		*turns++
		leave()
	}
}

// TestBusyProgramsTakeTurns has one program with a request under way at every moment, and another that pays the same host.
func TestBusyProgramsTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first, second := openWallet(t, dir, Limits{}), openWallet(t, dir, Limits{})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		var counts [3]int
		var working sync.WaitGroup
		working.Go(func() { busy(ctx, t, first, 0, 100*time.Millisecond, &counts[0]) })
		working.Go(func() { busy(ctx, t, first, 50*time.Millisecond, 100*time.Millisecond, &counts[1]) })
		time.Sleep(200 * time.Millisecond)
		begun := time.Now()
		leave, waited, err := second.Enter(ctx, "shop.example")
		if err != nil || !waited || time.Since(begun) > 3*time.Second {
			t.Fatalf("the other waited for %s: %v", time.Since(begun), err)
		}
		leave()
		working.Go(func() { busy(ctx, t, second, 0, 100*time.Millisecond, &counts[2]) })
		working.Wait()
		for i, count := range counts {
			if count < 60 { // of 600 without the other
				t.Errorf("of a minute, request %d had %d turns", i, count)
			}
		}
		for _, w := range []*Wallet{first, second} {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestAProgramAloneNeedNotWait lets requests join others that take long, as nobody else wants a turn.
func TestAProgramAloneNeedNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWallet(t, t.TempDir(), Limits{})
		var leaves []func()
		for range 5 {
			leave, waited, err := w.Enter(t.Context(), "shop.example")
			if err != nil || waited {
				t.Fatalf("waited %v, %v", waited, err)
			}
			leaves = append(leaves, leave)
			time.Sleep(time.Minute)
		}
		for _, leave := range leaves {
			leave()
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestARequestWaitsNotLongForItsOwn program's, which has the turn for as long as it takes, and perhaps until the other has its answer.
func TestARequestWaitsNotLongForItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		w, other := openWallet(t, dir, Limits{}), openWallet(t, dir, Limits{})
		first, _, err := w.Enter(t.Context(), "shop.example")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		var working sync.WaitGroup
		working.Go(func() { busy(ctx, t, other, 0, time.Millisecond, new(int)) })
		time.Sleep(10 * time.Second)
		begun := time.Now()
		second, _, err := w.Enter(t.Context(), "shop.example")
		if took := time.Since(begun); err != nil || took > turnPatience {
			t.Fatalf("it waited for %s: %v", took, err)
		}
		second()
		first()
		cancel()
		working.Wait()
		if err := errors.Join(w.Close(), other.Close()); err != nil {
			t.Error(err)
		}
	})
}

// TestWaitingForATurnIsSaid once, and only where it takes a while.
func TestWaitingForATurnIsSaid(t *testing.T) {
	for held, want := range map[time.Duration]int{turnPatience - time.Second: 0, 10 * time.Second: 1} {
		synctest.Test(t, func(t *testing.T) {
			dir, s, said := t.TempDir(), newSite(t, paywall.Rule{Price: 10}), 0
			other, w := openWallet(t, dir, Limits{}), openWallet(t, dir, Limits{})
			leave, _, err := other.Enter(t.Context(), "shop.example")
			if err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(held, leave)
			c, transport := client(s, s.receiver, w)
			transport.Waits = func(host string, atMost time.Duration) {
				if said++; host != "shop.example" || atMost != 0 {
					t.Errorf("it waits for %s, for %s", host, atMost)
				}
			}
			response, err := c.Get("https://shop.example/")
			if err != nil {
				t.Fatal(err)
			}
			if discard(response); response.StatusCode != 200 || said != want {
				t.Errorf("status %d, and %d times it was said", response.StatusCode, said)
			}
			if err := errors.Join(other.Close(), w.Close()); err != nil {
				t.Error(err)
			}
		})
	}
}
