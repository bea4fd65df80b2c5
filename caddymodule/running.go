package caddymodule

// This file is the app at work: books, links, receiver and node, made once at the first use or at Start, whichever comes first, and
// given back at Cleanup and after the last request that holds a lease.

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/receiver"
)

// running is what a config works with once it runs.
type running struct {
	app      *App
	settings *settings
	books    *books
	receiver *receiver.Receiver
	node     *connector.Node
	rates    *connector.Rates
	api      *nodeapi.API
	opener   *opener // of the accounts that the API has made
	entry    *entrance
	links    []acquiredLink // of the accounts in the Caddyfile
	handler  *handler
	// credentials are what neighbours log in with over HTTP.
	credentials *ilphttp.Credentials
	quotes      *quoteCache

	// leases counts the app itself and each operation under way; the books are given back when it comes to 0.
	leases atomic.Int64
}

type acquiredLink struct {
	settings linkSettings
	link     *pooledLink
}

// open acquires everything, or nothing.
func open(s *settings, app *App) (_ *running, err error) {
	r := &running{app: app, settings: s, quotes: newQuoteCache()}
	if r.books, err = acquireBooks(s.dataDir, s.ledger); err != nil {
		return nil, err
	}
	r.leases.Store(1)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	if s.asset != (ilpcore.Asset{}) {
		if err := r.books.pin(s.asset); err != nil {
			return nil, fmt.Errorf("%w: set asset to what the ledger in %s holds, or use another data_dir", err, s.dataDir)
		}
	}
	secrets, err := r.secrets()
	if err != nil {
		return nil, err
	}
	if _, err := r.books.openDirectory(r, secrets); err != nil {
		return nil, err
	}
	if err := r.checkAssets(); err != nil {
		return nil, err
	}
	accounts, err := r.openLinks()
	if err != nil {
		return nil, err
	}
	if r.rates, err = s.newRates(); err != nil {
		return nil, err
	}
	addresses := new(nodeAddresses)
	if r.receiver, err = r.newReceiver(secrets, addresses, app.logger); err != nil {
		return nil, err
	}
	holders := &nodeapi.Holders{Receiver: r.receiver, Notify: func(p nodeapi.Payment) { r.api.Notify(p) }, Now: time.Now}
	r.node, err = connector.NewNode(connector.Config{
		Address: s.address, Asset: s.asset, Accounts: accounts, Routes: s.routes, Receiver: r.receiver, Holders: holders, Books: r.books.accounts,
		Rates: r.rates, Due: r.due, Owed: r.owed(), Messages: r, Passed: countPacket, Before: r.books.latestNode(), Silent: true, Logger: app.logger,
	})
	if err != nil {
		return nil, err
	}
	addresses.Node = r.node
	r.handler = &handler{Handler: leasing{r}, announce: app.announceLink}
	r.credentials = s.credentials()
	if r.entry, err = r.newEntrance(app.logger); err != nil {
		return nil, err
	}
	err = r.newAPI()
	holders.History = r.api
	return r, err
}

// nodeAddresses breaks the circle between receiver and node: the receiver is made first and knows the node's address through it.
type nodeAddresses struct{ *connector.Node }

func (r *running) openLinks() ([]connector.Account, error) {
	accounts := make([]connector.Account, 0, len(r.settings.accounts))
	for _, account := range r.settings.accounts {
		if account.link.Kind != "" {
			// What the config expects is part of the key: a config with another asset gets another link.
			if account.link.Asset == (ilpcore.Asset{}) {
				account.link.Asset = r.settings.asset
			}
			link, err := acquireLink(account.link, r.expectedAsset(account))
			if err != nil {
				return nil, err
			}
			r.links = append(r.links, acquiredLink{account.link, link})
			account.Link = link.OpenLink
		}
		account.UUID = uuidOf(string(account.ID))
		accounts = append(accounts, account.Account)
	}
	return accounts, nil
}

// expectedAsset is what a parent has to count in: what is configured, else what the ledger already holds. Another one keeps the account
// down, since balances are never reinterpreted.
func (r *running) expectedAsset(account accountSettings) ilpcore.Asset {
	if account.Asset != (ilpcore.Asset{}) {
		return account.Asset
	}
	if r.settings.asset != (ilpcore.Asset{}) {
		return r.settings.asset
	}
	if asset, pinned := r.books.ledger.Asset(); pinned {
		return ilpcore.Asset(asset)
	}
	return ilpcore.Asset{}
}

// secrets returns the receiver secrets: the configured ones, or the generated one.
func (r *running) secrets() ([][]byte, error) {
	if len(r.settings.secrets) > 0 {
		return r.settings.secrets, nil
	}
	_, missing := os.Stat(filepath.Join(r.books.dir, receiverSecretFile))
	secret, err := r.books.secret(receiverSecretFile)
	if err == nil && errors.Is(missing, fs.ErrNotExist) && r.books.used {
		r.app.logger.Warn("a new "+receiverSecretFile+" was made for a ledger that had another: "+lostWithSecret+
			"; if there is a copy of the old file, stop the server and put it in place", zap.String("data_dir", r.books.dir))
	}
	return [][]byte{[]byte(secret)}, err
}

func (r *running) newReceiver(secrets [][]byte, addresses receiver.Addresses, logger *zap.Logger) (*receiver.Receiver, error) {
	made, err := receiver.New(receiver.Config{
		Secrets: secrets, Addresses: addresses, Crediter: &crediter{r, addresses}, Sessions: r.books.sessions,
		Random: rand.Reader, Now: time.Now,
		Conflict: func(from ilpcore.AccountID) {
			counts.conflicts.Add(1)
			logger.Warn("a payment came again with other content and was refused", zap.String("account", string(from)))
		},
	})
	if err != nil {
		return nil, fmt.Errorf("making the receiver: %w", err)
	}
	return made, nil
}

// takePackets directs what the links bring to this config.
func (r *running) takePackets() {
	for _, l := range r.links {
		l.link.incoming.add(r.handler)
	}
	r.opener.take()
	r.books.start(r)
	r.node.TalkRoutes()
}

// leavePackets leaves what the links bring to another config; without one it is T01. The node could not come to rest under packets that go on
// coming.
func (r *running) leavePackets() {
	for _, l := range r.links {
		l.link.incoming.remove(r.handler)
	}
	if r.opener != nil {
		r.opener.leave()
	}
}

// close gives everything back; the books only once the last lease has ended. It is called once.
func (r *running) close() error {
	var err error
	r.leavePackets()
	r.books.end(r)
	if r.api != nil {
		err = r.closeAPI()
	}
	if r.entry != nil {
		err = errors.Join(err, r.entry.close())
	}
	if r.node != nil {
		err = errors.Join(err, r.node.Close())
	}
	links := r.links
	if r.opener != nil {
		links = slices.Concat(links, r.opener.close())
	}
	return errors.Join(err, releaseLinks(links), r.endLease())
}

// lease keeps the books open until the returned lease is ended, once. After the config's end it joins the books of a newer
// config with the same directory; without such it is errClosed.
func (r *running) lease() (*books, lease, error) {
	for n := r.leases.Load(); n > 0; n = r.leases.Load() {
		if r.leases.CompareAndSwap(n, n+1) {
			return r.books, lease{running: r}, nil
		}
	}
	joined, err := joinBooks(r.settings.dataDir)
	if err != nil {
		return nil, lease{}, err
	}
	return joined, lease{running: r, joined: true}, nil
}

// lease is the right to use the books until end is called, once.
type lease struct {
	running *running
	joined  bool // the books of a newer config
}

func (l lease) end() {
	if l.joined {
		_ = releaseBooks(l.running.settings.dataDir)
		return
	}
	_ = l.running.endLease()
}

func (r *running) endLease() error {
	if r.leases.Add(-1) > 0 {
		return nil
	}
	return releaseBooks(r.settings.dataDir)
}

var _ receiver.Addresses = nodeAddresses{}

var _ ilpcore.Handler = (*handler)(nil)
