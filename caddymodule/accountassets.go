package caddymodule

// This file keeps what an account of the Caddyfile has from being counted in another asset: the ledger holds base units, and remembers of which asset.

import (
	"encoding/json"
	"errors"
	"fmt"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/nodeapi"
	"github.com/paydoor/paydoor/store"
)

// accountAssetKey is in front of an account's name; the value is the asset in JSON.
const accountAssetKey = "node/counts/"

// checkAssets refuses a config in which an account counts in another asset than the balance that it has.
func (r *running) checkAssets() error {
	for _, a := range r.settings.accounts {
		known, _, err := r.books.countedIn(a.ID)
		if err != nil {
			return err
		}
		if now := r.counts(a); known == now || known == (ilpcore.Asset{}) || now == (ilpcore.Asset{}) {
			continue
		}
		resume, err := r.books.accounts.Pause(a.ID)
		if err == nil {
			resume()
			continue
		}
		balance, _ := r.books.accounts.Balance(a.ID)
		err = fmt.Errorf("account %s has a balance of %d base units of %s with scale %d, or packets under way (%w), and a balance is never counted in another asset: "+
			"settle it first, or give the account with the other asset another name", a.ID, balance.Net(), known.Code, known.Scale, err)
		if a.origin != "" {
			err = fmt.Errorf("%w, at %s", err, a.origin)
		}
		return err
	}
	return nil
}

// counts returns what an account counts in: what is configured, else what the node does; zero while that is not known.
func (r *running) counts(a accountSettings) ilpcore.Asset {
	if a.Asset != (ilpcore.Asset{}) {
		return a.Asset
	}
	return r.expectedAsset(a)
}

// countedIn returns what the balance of an account is counted in, and whether that is written down: else it is what the API's account of that name
// counts in; zero if there is none.
func (b *books) countedIn(id ilpcore.AccountID) (asset ilpcore.Asset, written bool, err error) {
	if noted, ok := b.noted.Load(id); ok {
		return noted.(ilpcore.Asset), true, nil
	}
	text, err := b.store.Get([]byte(accountAssetKey + string(id)))
	if errors.Is(err, store.ErrNotFound) {
		if s, err := b.directory.Account(id); err == nil {
			asset = ilpcore.Asset(s.Asset)
		}
		return asset, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, (*nodeapi.Asset)(&asset))
	}
	if err != nil {
		err = fmt.Errorf("reading what account %s counts in: %w", id, err)
	}
	return asset, true, err
}

// noteAssets writes down what the accounts of the config count in. It is called when the config takes over. A disk without room for it must not keep
// the node from its other work: the next config writes it.
func (r *running) noteAssets() {
	changed := map[ilpcore.AccountID]ilpcore.Asset{}
	for _, a := range r.settings.accounts {
		now := r.counts(a)
		known, written, err := r.books.countedIn(a.ID)
		if now == (ilpcore.Asset{}) || err != nil || written && known == now {
			continue
		}
		changed[a.ID] = now
	}
	if len(changed) == 0 {
		return
	}
	_, err := r.books.store.Join(func(g *store.Group) {
		for id, now := range changed {
			text, _ := json.Marshal(nodeapi.Asset(now)) // of a text and a number
			g.Put([]byte(accountAssetKey+string(id)), text)
		}
	})
	if err != nil {
		r.app.logger.Warn("what accounts count in could not be written down", zap.Error(err))
		return
	}
	for id, now := range changed {
		r.books.noted.Store(id, now)
	}
}
