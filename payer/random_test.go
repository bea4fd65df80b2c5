package payer

// This file sends ten thousand random requests through Transports, and adds up afterwards.

import (
	"context"
	"fmt"
	mathrand "math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/paydoor/paydoor/amount"
)

const (
	worlds         = 50
	buyersPerWorld = 200
	randomDays     = 2
	// randomSeed is the variable that makes of TestRandomRequests one world: that of its seed.
	randomSeed = "PAYDOOR_RANDOM_SEED"
)

// TestRandomRequests buys from hosts that ask for random prices, ask again and for more, redirect, fail, lose answers and never answer, over ways that
// lose packets, fulfillments and links; several Transports share a wallet. The caps hold, nothing is paid twice, and every unit is accounted for.
func TestRandomRequests(t *testing.T) {
	seeds := make([]uint64, 0, worlds)
	if one, err := strconv.ParseUint(os.Getenv(randomSeed), 10, 64); err == nil {
		seeds = append(seeds, one)
	}
	for len(seeds) < cap(seeds) && os.Getenv(randomSeed) == "" {
		seeds = append(seeds, mathrand.Uint64())
	}
	var mu sync.Mutex
	var all tally
	t.Run("worlds", func(t *testing.T) {
		for _, seed := range seeds {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				dir := memoryDir(t)
				synctest.Test(t, func(t *testing.T) {
					sum := runWorld(t, seed, dir)
					mu.Lock()
					defer mu.Unlock()
					all.add(sum)
				})
				if t.Failed() {
					t.Logf("again with %s=%d", randomSeed, seed)
				}
			})
		}
	})
	t.Logf("%+v", all)
	if len(seeds) == worlds && (all.Requests != worlds*buyersPerWorld || all.Served == 0 || all.Capped == 0 || all.Doubted == 0 || all.Paid == 0) {
		t.Error("what is tested does not happen")
	}
}

// memoryDir is a directory for a wallet, where syncing takes no time if there is such.
func memoryDir(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "paydoor-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// tally is what happened.
type tally struct {
	Requests, Served, Unserved, Failed, Capped int
	Paid, Doubted, Charged, Left               amount.Amount
}

func (s *tally) add(o tally) {
	s.Requests, s.Served, s.Unserved, s.Failed, s.Capped = s.Requests+o.Requests, s.Served+o.Served, s.Unserved+o.Unserved, s.Failed+o.Failed, s.Capped+o.Capped
	s.Paid, s.Doubted, s.Charged, s.Left = s.Paid+o.Paid, s.Doubted+o.Doubted, s.Charged+o.Charged, s.Left+o.Left
}

// world is some hosts, the way to them, and wallets that buy there.
type world struct {
	names   []string
	hosts   map[string]*paidHost
	rate    Rate
	largest amount.Amount // of a packet; 0: any
	limits  Limits
	buyers  []*buyer

	mu      sync.Mutex
	paid    map[string]amount.Amount // left, as the payer knows, by host
	doubted map[string]amount.Amount // left or not: nobody told the payer
	days    map[int64]amount.Amount  // both, by the day of the request
	wrong   []string
	tally   tally
}

// fault notes what must not happen.
func (w *world) fault(format string, a ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, a...))
}

func runWorld(t *testing.T, seed uint64, dir string) tally {
	draw := mathrand.New(mathrand.NewPCG(seed, 0))
	w := &world{
		hosts: map[string]*paidHost{}, paid: map[string]amount.Amount{}, doubted: map[string]amount.Amount{}, days: map[int64]amount.Amount{},
		rate:    []Rate{{1, 1}, {99, 100}, {1, 3}, {5, 1}}[draw.IntN(4)],
		largest: []amount.Amount{0, 0, 40, 7}[draw.IntN(4)],
		limits: Limits{
			PerRequest: amount.Amount(draw.IntN(200)), PerHost: amount.Amount(500 + draw.IntN(5000)), PerDay: amount.Amount(500 + draw.IntN(5000)),
		},
	}
	wallets := []*Wallet{openRandomWallet(t, dir, w.limits, seed), openRandomWallet(t, dir, w.limits, seed)}
	var transports []*Transport
	for i := range 3 {
		transport := wallets[i%2].Transport(w)
		transport.Base, transport.Method = w, []string{MethodStream, MethodPSK2}[draw.IntN(2)]
		transports = append(transports, transport)
	}
	for i := range 1 + draw.IntN(4) {
		name := fmt.Sprintf("shop%d.example", i)
		w.names = append(w.names, name)
		w.hosts[name] = newPaidHost(t, w, name, wallets[0].Secret(), draw)
	}
	var buying sync.WaitGroup
	for i := range buyersPerWorld {
		w.buyers = append(w.buyers, newBuyer(w, seed, i))
	}
	for _, b := range w.buyers {
		buying.Go(func() { b.buy(t, transports[b.int(len(transports))]) })
	}
	buying.Wait()
	time.Sleep(time.Minute) // packets may still arrive
	for _, h := range w.hosts {
		h.mu.Lock() // after which all that came before it is seen here
		h.mu.Unlock()
	}
	w.addUp(t, wallets, transports)
	return w.tally
}

func openRandomWallet(t *testing.T, dir string, limits Limits, seed uint64) *Wallet {
	var key [32]byte
	copy(key[:], fmt.Sprint(seed, mathrand.Uint64())) // ids of payments must differ between wallets
	w, err := OpenWallet(WalletConfig{Dir: dir, Limits: limits, Random: &lockedRandom{source: mathrand.NewChaCha8(key)}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// lockedRandom is randomness for all.
type lockedRandom struct {
	mu     sync.Mutex
	source *mathrand.ChaCha8
}

func (r *lockedRandom) Read(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.source.Read(b)
}

// addUp compares what the hosts and the way have counted with what the payer believes, and with its caps.
func (w *world) addUp(t *testing.T, wallets []*Wallet, transports []*Transport) {
	for day, left := range w.days {
		if left > w.limits.PerDay {
			t.Errorf("%s left on day %d, and the cap is %s", left, day, w.limits.PerDay)
		}
	}
	spent := map[string]amount.Amount{}
	spendings, err := wallets[0].Spendings()
	if err != nil {
		t.Error(err)
	}
	for _, s := range spendings {
		spent[s.Host] += s.Amount
		if !s.Settled {
			t.Errorf("the payment %+v is not settled", s)
		}
	}
	for _, name := range w.names {
		h := w.hosts[name]
		left := w.paid[name] + w.doubted[name]
		if spent[name] != left || left > w.limits.PerHost {
			t.Errorf("%s: %s left, and may have: %s; the wallet says %s, and the cap is %s", name, w.paid[name], w.doubted[name], spent[name], w.limits.PerHost)
		}
		if h.credited != h.charged+h.balance {
			t.Errorf("%s: the test itself does not add up: %+v", name, h)
		}
		w.explain(h)
		w.tally.Paid, w.tally.Doubted = w.tally.Paid+w.paid[name], w.tally.Doubted+w.doubted[name]
		w.tally.Charged, w.tally.Left = w.tally.Charged+h.charged, w.tally.Left+h.balance
	}
	w.settleDust(t, wallets, transports)
	for _, wrong := range w.wrong {
		t.Error(wrong)
	}
}

// settleDust asks each host once more, in peace. Then the wallets know what the hosts know, and nothing is promised any more.
func (w *world) settleDust(t *testing.T, wallets []*Wallet, transports []*Transport) {
	b := newBuyer(w, 0, 0)
	ctx := context.WithValue(context.WithValue(t.Context(), buyerKey{}, b), hopKey{}, &hop{buyer: b})
	for _, transport := range transports {
		for name, h := range w.hosts {
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+name+peaceful, nil)
			if err != nil {
				t.Fatal(err)
			}
			if response, err := transport.RoundTrip(r); err != nil || response.StatusCode != http.StatusOK {
				t.Errorf("%s: %+v, %v", name, response, err)
			}
			if balance, known := transport.Balance(name); known != h.tells || known && balance != h.balance {
				t.Errorf("%s has %s, and is believed to have %s, %v", name, h.balance, balance, known)
			}
			if known := transport.hosts.get(name); known.promised != 0 || known.present != 0 || len(known.turn) != 0 {
				t.Errorf("%s is left with %+v", name, known)
			}
		}
	}
	for _, wallet := range wallets {
		if err := wallet.Close(); err != nil {
			t.Error(err)
		}
	}
	again := openRandomWallet(t, wallets[0].dir, w.limits, 0)
	defer again.Close()
	hosts, err := again.Hosts()
	if err != nil {
		t.Error(err)
	}
	for _, known := range hosts {
		if known.Balance > w.hosts[known.Name].balance {
			t.Errorf("%s has %s, and the wallet remembers %s", known.Name, w.hosts[known.Name].balance, known.Balance)
		}
	}
}
