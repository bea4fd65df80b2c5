package payer

// This file is a budget in a directory: what was spent, within which caps, and the secret that the tokens are made of, for all programs of
// one user together.

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

var (
	// ErrWallet says that the files of a wallet cannot be read or written. Nothing is paid then.
	ErrWallet = errors.New("the wallet cannot be used")
	// ErrNoMax says that nobody has said how much a request to a host may cost.
	ErrNoMax = errors.New("nothing may be spent there yet")
)

// Limits are the caps of a Wallet. A cap of 0 is none. Amounts are base units of the sender.
type Limits struct {
	PerRequest amount.Amount // of hosts without a maximum of their own
	PerHost    amount.Amount // in all, as long as the wallet exists
	PerDay     amount.Amount // over all hosts, from midnight to midnight UTC
	// NeedMax refuses, with ErrNoMax, to pay hosts for which neither PerRequest nor SetMax says how much a request may cost.
	NeedMax bool
}

// WalletConfig is what a Wallet is made of. Dir is required.
type WalletConfig struct {
	Dir    string // is made, with mode 0700, if it is not there
	Limits Limits
	Now    func() time.Time // nil: time.Now
	Random io.Reader        // nil: crypto/rand
}

// Wallet is a Budget that all programs with the same directory share, also at once. Each payment is on disk, synced, before it is made, and
// counts against the caps until what it spent is on disk; so a program that is killed in between has spent too much on paper, never too
// little. It is safe for concurrent use.
type Wallet struct {
	dir    string
	limits Limits
	now    func() time.Time
	random io.Reader
	keeps  int // payments in the journal that are not summed
	secret []byte
	turns  turns

	mu      sync.Mutex
	lock    *os.File
	journal *os.File
	books   books
	mine    map[string][]open // payments that this process has under way, by host
	said    map[string]saidBalance
	failed  error // the first failure to write what nobody waits for
}

// open is a payment under way.
type open struct {
	id     string
	amount amount.Amount
}

// saidBalance is what a host said last.
type saidBalance struct {
	balance amount.Amount
	at      time.Time
}

// WalletDir returns where the wallet of the user is: paydoor in the directory for configuration.
func WalletDir() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrWallet, err)
	}
	return filepath.Join(dir, "paydoor"), nil
}

// OpenWallet opens the wallet in the directory, and makes what is missing of it: the secret once. The error wraps ErrWallet.
func OpenWallet(c WalletConfig) (_ *Wallet, err error) {
	w := &Wallet{
		dir: c.Dir, limits: c.Limits, now: c.Now, random: c.Random, keeps: keptPayments, mine: map[string][]open{}, said: map[string]saidBalance{},
	}
	if w.now == nil {
		w.now = time.Now
	}
	if w.random == nil {
		w.random = rand.Reader
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWallet, err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.closeFiles())
		}
	}()
	if w.lock, err = os.OpenFile(filepath.Join(c.Dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWallet, err)
	}
	if err = w.openJournal(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWallet, err)
	}
	err = w.locked(func() (err error) {
		w.secret, err = w.ownSecret()
		return err
	})
	if err == nil {
		w.note(w.compact)
	}
	return w, err
}

// Secret returns the secret of Transport, 32 bytes: the balances at all hosts belong to who knows it.
func (w *Wallet) Secret() []byte { return w.secret }

// Transport returns a Transport that pays from the wallet over link.
func (w *Wallet) Transport(link ilpcore.Handler) *Transport {
	return &Transport{Link: link, Random: w.random, Now: w.now, Budget: w, Secret: w.secret}
}

// locked calls f while no other program changes the wallet, with the books up to date.
func (w *Wallet) locked(f func() error) (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := lockFile(w.lock); err != nil {
		return fmt.Errorf("%w: locking: %w", ErrWallet, err)
	}
	defer func() {
		if failed := unlockFile(w.lock); failed != nil && err == nil {
			err = fmt.Errorf("%w: unlocking: %w", ErrWallet, failed)
		}
	}()
	if err := w.catchUp(); err != nil {
		return fmt.Errorf("%w: %w", ErrWallet, err)
	}
	return f()
}

// Reserve sets cost aside for a payment to host. The error is a *CapError, or wraps ErrNoMax or ErrWallet.
func (w *Wallet) Reserve(host string, cost amount.Amount) error { return w.ReserveAgain(host, cost, 0) }

// ReserveAgain is Reserve for a request that has spent something before, which counts against the cap per request.
func (w *Wallet) ReserveAgain(host string, cost, before amount.Amount) error {
	return w.locked(func() error {
		if err := w.allows(host, cost, before); err != nil {
			return err
		}
		var id [8]byte
		if _, err := io.ReadFull(w.random, id[:]); err != nil {
			return fmt.Errorf("%w: %w", ErrWallet, err)
		}
		made := open{hex.EncodeToString(id[:]), cost}
		if err := w.append(entry{At: w.now().UTC(), Kind: entryReserved, ID: made.id, Host: host, Amount: cost}); err != nil {
			return err
		}
		w.mine[host] = append(w.mine[host], made)
		return nil
	})
}

// Allows says what Reserve would say, and sets nothing aside.
func (w *Wallet) Allows(host string, cost amount.Amount) error {
	return w.locked(func() error { return w.allows(host, cost, 0) })
}

func (w *Wallet) allows(host string, cost, before amount.Amount) error {
	notes, err := w.readHosts()
	if err != nil {
		return err
	}
	most := w.limits.PerRequest
	if own := notes[host].Max; own != 0 {
		most = own
	}
	if most == 0 && w.limits.NeedMax {
		return fmt.Errorf("%w: %s costs %s, and no maximum for a request to %s was set", ErrNoMax, host, cost, host)
	}
	return exceeded(host, cost, []CapError{
		{Cap: "per request", Limit: most, Spent: before},
		{Cap: "per host", Limit: w.limits.PerHost, Spent: w.books.hosts[host]},
		{Cap: "per day", Limit: w.limits.PerDay, Spent: w.books.days[dayOf(w.now())]},
	})
}

// Settle notes what a payment to host spent. If that cannot be written, the reservation goes on counting as spent.
func (w *Wallet) Settle(host string, reservation, spent amount.Amount) {
	w.note(func() error {
		for i, made := range w.mine[host] {
			if made.amount == reservation {
				w.mine[host] = append(w.mine[host][:i:i], w.mine[host][i+1:]...)
				if err := w.append(entry{At: w.now().UTC(), Kind: entrySettled, ID: made.id, Host: host, Amount: min(spent, reservation)}); err != nil {
					return err
				}
				return w.compact()
			}
		}
		return nil
	})
}

// Says remembers the balance that host told. It is written by Close.
func (w *Wallet) Says(host string, balance amount.Amount) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said[host] = saidBalance{balance, w.now().UTC()}
}

// note is locked for what has nobody to return an error to: Close does.
func (w *Wallet) note(f func() error) {
	if err := w.locked(f); err != nil {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.failed == nil {
			w.failed = err
		}
	}
}

// SetMax remembers the most that one request to host may cost; 0 forgets it.
func (w *Wallet) SetMax(host string, most amount.Amount) error {
	host = strings.ToLower(host)
	return w.locked(func() error {
		return w.changeHosts(func(notes map[string]hostNote) {
			note := notes[host]
			note.Max = most
			notes[host] = note
		})
	})
}

// Close writes what is left to write, and returns the first error of all that could not be written. Payments under way stay reserved.
func (w *Wallet) Close() error {
	err := w.locked(w.writeBalances)
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.failed, err, w.closeFiles())
}

func (w *Wallet) closeFiles() error {
	var errs []error
	for _, f := range []*os.File{w.journal, w.lock} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	return errors.Join(errs...)
}
