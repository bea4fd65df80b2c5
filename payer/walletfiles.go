package payer

// This file keeps the small files of a wallet: the secret, and what is known of each host. They are replaced, never written over.

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/paydoor/paydoor/amount"
)

const (
	secretFile = "client.secret"
	hostsFile  = "hosts.json"
)

// hostNote is what a wallet knows of a host beside the payments.
type hostNote struct {
	Max     amount.Amount `json:"max,omitempty,string"` // 0: none
	Balance amount.Amount `json:"balance,string"`
	At      time.Time     `json:"at,omitzero"` // when it told the balance; zero: never
}

// WalletHost is what a wallet knows of a host.
type WalletHost struct {
	Name      string
	Max       amount.Amount // the most that a request may cost, in base units of the sender; 0: none of its own
	Spent     amount.Amount // in base units of the sender, with what is set aside
	Payments  int
	Last      time.Time     // when the last one began; zero: never
	Balance   amount.Amount // what the host said last, in its own base units
	BalanceAt time.Time     // when; zero: never
}

// Hosts returns all hosts that were paid, told a balance, or have a maximum, by name.
func (w *Wallet) Hosts() (all []WalletHost, err error) {
	err = w.locked(func() error {
		notes, err := w.readHosts()
		if err != nil {
			return err
		}
		for name := range w.books.payments {
			notes[name] = notes[name] // also those that never told anything
		}
		for _, name := range slices.Sorted(maps.Keys(notes)) {
			note := notes[name]
			all = append(all, WalletHost{
				Name: name, Max: note.Max, Spent: w.books.hosts[name], Payments: w.books.payments[name], Last: w.books.last[name],
				Balance: note.Balance, BalanceAt: note.At,
			})
		}
		return nil
	})
	return all, err
}

// Max returns the most that one request to host may cost; 0: nobody has said.
func (w *Wallet) Max(host string) (most amount.Amount, err error) {
	err = w.locked(func() error {
		notes, err := w.readHosts()
		if most = notes[strings.ToLower(host)].Max; most == 0 {
			most = w.limits.PerRequest
		}
		return err
	})
	return most, err
}

// SpentToday returns what counts against the cap per day.
func (w *Wallet) SpentToday() (today amount.Amount, err error) {
	err = w.locked(func() error {
		today = w.books.days[dayOf(w.now())]
		return nil
	})
	return today, err
}

// ownSecret reads the secret, or makes it for a wallet that has paid nothing yet.
func (w *Wallet) ownSecret() ([]byte, error) {
	path := filepath.Join(w.dir, secretFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && len(w.books.payments) > 0 {
		return nil, fmt.Errorf("%w: %s is missing, and what was paid to hosts belongs to it: put a copy back, or begin with another directory if there is none", ErrWallet, path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		secret := make([]byte, 32)
		if _, err := io.ReadFull(w.random, secret); err != nil {
			return nil, fmt.Errorf("%w: making a secret: %w", ErrWallet, err)
		}
		return secret, w.replace(secretFile, []byte(base64.RawURLEncoding.EncodeToString(secret)+"\n"))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWallet, err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, errors.Join(fmt.Errorf("%w: %s can be read by other users: run chmod 600 on it", ErrWallet, path), err)
	}
	secret, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(string(b)))
	if err != nil || len(secret) < 32 {
		return nil, fmt.Errorf("%w: %s is not 32 bytes in base64url: put a copy back, because the balances at all hosts belong to it", ErrWallet, path)
	}
	return secret, nil
}

func (w *Wallet) readHosts() (map[string]hostNote, error) {
	notes := map[string]hostNote{}
	name := filepath.Join(w.dir, hostsFile)
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return notes, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrWallet, err)
	}
	if err := json.Unmarshal(b, &notes); err != nil || notes == nil {
		return nil, fmt.Errorf("%w: %s is damaged: put a copy back, or remove it, which forgets the maxima of hosts and no payment", ErrWallet, name)
	}
	return notes, nil
}

// changeHosts reads what is known of the hosts, changes it, and writes it.
func (w *Wallet) changeHosts(change func(map[string]hostNote)) error {
	notes, err := w.readHosts()
	if err != nil {
		return err
	}
	change(notes)
	b, err := json.MarshalIndent(notes, "", "\t")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrWallet, err)
	}
	return w.replace(hostsFile, append(b, '\n'))
}

// writeBalances writes what the hosts said since the wallet was opened, unless another program has heard later news.
func (w *Wallet) writeBalances() error {
	if len(w.said) == 0 {
		return nil
	}
	return w.changeHosts(func(notes map[string]hostNote) {
		for name, said := range w.said {
			if note := notes[name]; said.at.After(note.At) {
				note.Balance, note.At = said.balance, said.at
				notes[name] = note
			}
		}
		clear(w.said)
	})
}

// replace writes a file whole, with mode 0600: after a crash there is the old one or the new one.
func (w *Wallet) replace(name string, content []byte) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("%w: writing %s: %w", ErrWallet, name, err)
		}
	}()
	f, err := os.CreateTemp(w.dir, name+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filepath.Join(w.dir, name))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return syncDir(w.dir)
}
