package nodeapi

// This file keeps what is being settled: from the moment it leaves the balance until the engine has answered.

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// outgoingKey is where settlements that are not answered are kept; the ID of the account follows, the value is an outgoing in JSON.
const outgoingKey = "node/outgoing/"

// outgoing is a settlement that an engine is to make. There is one at a time for each account. It stays with the engine that it was first sent to,
// also when the account gets another: that one may have paid.
type outgoing struct {
	Key       string        `json:"key"`        // Idempotency-Key
	Engine    string        `json:"engine"`     // URL
	AccountID string        `json:"account_id"` // how the engine knows the account
	Amount    amount.Amount `json:"amount"`     // that has left the balance
	Quantity  Quantity      `json:"quantity"`   // the same, as the engine is told
	At        time.Time     `json:"at"`
}

// outgoing returns what is being settled for an account; nil: nothing.
func (d *Directory) outgoing(id ilpcore.AccountID) (*outgoing, error) {
	b, err := d.store.Get(keyOfOutgoing(id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	o := new(outgoing)
	if err == nil {
		err = json.Unmarshal(b, o)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the settlement of account %q: %w", id, err)
	}
	return o, nil
}

// allOutgoing returns what is being settled, by account.
func (d *Directory) allOutgoing() (map[ilpcore.AccountID]outgoing, error) {
	all := make(map[ilpcore.AccountID]outgoing)
	err := d.store.Iterate([]byte(outgoingKey), func(key, value []byte) error {
		var o outgoing
		if err := json.Unmarshal(value, &o); err != nil {
			return fmt.Errorf("reading the settlement %s: %w", key, err)
		}
		all[ilpcore.AccountID(key[len(outgoingKey):])] = o
		return nil
	})
	return all, err
}

// asset is what the account counts; of one that is in no configuration any more the code is not known.
func (o outgoing) asset(a *API, id ilpcore.AccountID) Asset {
	asset := Asset{Scale: o.Quantity.Scale}
	if s, err := a.find(id); err == nil {
		asset.Code = a.shownAsset(s).Code
	}
	return asset
}

func keyOfOutgoing(id ilpcore.AccountID) []byte { return []byte(outgoingKey + string(id)) }

// payOut takes what is due from an account's balance and keeps it as outgoing, together: at the threshold, or, of an account that is overdue, all
// above settle_to. It returns nil if nothing is due or something is under way.
func (a *API) payOut(ctx context.Context, id ilpcore.AccountID, e Engine, overdue bool) (*outgoing, error) {
	ctx = context.WithoutCancel(ctx)
	a.directory.settling.Lock()
	defer a.directory.settling.Unlock()
	s, err := a.find(id)
	if err != nil || s.SettleThreshold == nil {
		return nil, nil //nolint:nilerr // it was deleted, or changed, meanwhile
	}
	if o, err := a.directory.outgoing(id); o != nil || err != nil {
		return nil, err
	}
	asset, threshold, to := a.shownAsset(s), *s.SettleThreshold, s.settleTo()
	if asset.Code == "" {
		return nil, errNoAsset
	}
	if overdue {
		threshold = to
	}
	var random [16]byte
	if _, err := io.ReadFull(a.random, random[:]); err != nil {
		return nil, fmt.Errorf("making the key of a settlement: %w", err)
	}
	o := &outgoing{Key: hex.EncodeToString(random[:]), Engine: e.URL, AccountID: e.AccountID, At: a.now().UTC()}
	due, err := a.books.Payout(ctx, id, threshold, to, func(g *store.Group, due amount.Amount) {
		o.Amount, o.Quantity = due, Quantity{Amount: strconv.FormatUint(uint64(due), 10), Scale: asset.Scale}
		g.Put(keyOfOutgoing(id), mustJSON(o))
	})
	if err != nil || due == 0 {
		return nil, err
	}
	return o, nil
}

// finish forgets a settlement that was made, or, with refund, gives back what was taken for it. Whoever comes second changes nothing.
// done says whether it was this call that did.
func (a *API) finish(ctx context.Context, id ilpcore.AccountID, o outgoing, refund bool) (done bool, err error) {
	ctx = context.WithoutCancel(ctx)
	a.directory.settling.Lock()
	defer a.directory.settling.Unlock()
	kept, err := a.directory.outgoing(id)
	if err != nil || kept == nil || kept.Key != o.Key {
		return false, err
	}
	forget := func(g *store.Group) { g.Delete(keyOfOutgoing(id)) }
	if !refund {
		return true, a.directory.change(ctx, forget)
	}
	_, err = a.books.Refund(ctx, id, o.Amount, forget)
	return true, err
}
