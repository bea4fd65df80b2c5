package nodeapi

// This file is what an operator sees of settlements: what is unanswered, and why; what is left over; and what is counted.

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"encoding/json"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// SettlementOutcome is what became of a settlement.
type SettlementOutcome string

// The outcomes of settlements.
const (
	SettlementSent     SettlementOutcome = "sent"              // an engine has taken it
	SettlementRefused  SettlementOutcome = "refused"           // an engine has not, and the balance has the amount again
	SettlementReceived SettlementOutcome = "received"          // an engine told of it, and it was credited
	SettlementSettled  SettlementOutcome = "resolved_settled"  // the operator has said that it was made
	SettlementRefunded SettlementOutcome = "resolved_refunded" // the operator has said that it was not, and the balance has the amount again
	SettlementUnclear  SettlementOutcome = "unclear"           // a call had no clear answer; this one tells of calls
)

// SettlementEvent is told of once what it tells of is durable.
type SettlementEvent struct {
	Account ilpcore.AccountID
	Outcome SettlementOutcome
	Amount  amount.Amount // in base units of the account
	Asset   Asset
}

func (a *API) count(e SettlementEvent) {
	if a.settled != nil {
		a.settled(e)
	}
}

// The states of settlements that are unanswered.
const (
	SettlementUnderWay = "under_way" // the engine is being asked for the first time, or will be
	SettlementUnknown  = "unknown"   // it gave no clear answer, and is asked again
	SettlementDoubtful = "refused"   // it refuses what it may have carried out before: an operator has to resolve that
)

// attempt is what came of the calls for one settlement in this process.
type attempt struct {
	key   string // of the settlement
	tries int
	last  time.Time
	err   error // of the last one
}

// turn keeps an operator from resolving what an engine is being asked about, and the other way round.
func (s *settler) turn(id ilpcore.AccountID) *sync.Mutex {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.turns[id] == nil {
		s.turns[id] = new(sync.Mutex)
	}
	return s.turns[id]
}

// tried notes the answer to a call.
func (s *settler) tried(id ilpcore.AccountID, o outgoing, err error) {
	s.mu.Lock()
	a := s.attempts[id]
	if a.key != o.Key {
		a = attempt{key: o.Key}
	}
	a.tries, a.last, a.err = a.tries+1, s.api.now().UTC(), err
	s.attempts[id] = a
	s.mu.Unlock()
	if errors.Is(err, errUnknown) {
		s.api.count(SettlementEvent{Account: id, Outcome: SettlementUnclear, Amount: o.Amount, Asset: o.asset(s.api, id)})
	}
}

// forget forgets the calls for a settlement that is answered.
func (s *settler) forget(id ilpcore.AccountID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.attempts, id)
}

// PendingSettlement is a settlement that is unanswered: its amount has left the balance.
type PendingSettlement struct {
	Account  ilpcore.AccountID
	Asset    Asset
	State    string // SettlementUnderWay, SettlementUnknown or SettlementDoubtful
	Key      string // its Idempotency-Key
	Engine   string // URL
	Amount   amount.Amount
	Quantity Quantity // the amount, as the engine is told
	Since    time.Time
	Tries    int       // calls in this process
	Last     time.Time // of them; zero: none
	Err      error     // of the last one
}

// PendingSettlements returns all settlements that are unanswered, in the order of their accounts.
func (a *API) PendingSettlements() (list []PendingSettlement, err error) {
	all, err := a.directory.allOutgoing()
	if err != nil {
		return nil, err
	}
	for _, id := range slices.Sorted(maps.Keys(all)) {
		list = append(list, a.pendingOf(id, all[id]))
	}
	return list, nil
}

func (a *API) pendingOf(id ilpcore.AccountID, o outgoing) PendingSettlement {
	p := PendingSettlement{
		Account: id, Asset: o.asset(a, id), State: SettlementUnderWay, Key: o.Key, Engine: o.Engine, Amount: o.Amount, Quantity: o.Quantity, Since: o.At,
	}
	a.settler.mu.Lock()
	defer a.settler.mu.Unlock()
	tried := a.settler.attempts[id]
	if tried.key != o.Key {
		return p
	}
	p.Tries, p.Last, p.Err = tried.tries, tried.last, tried.err
	switch {
	case errors.Is(tried.err, errRefused):
		p.State = SettlementDoubtful
	case tried.err != nil:
		p.State = SettlementUnknown
	}
	return p
}

// shownPending is a PendingSettlement in answers; amounts are decimal strings.
type shownPending struct {
	Account  ilpcore.AccountID `json:"account"`
	State    string            `json:"state"`
	Amount   amount.Amount     `json:"amount,string"`
	Code     string            `json:"asset_code"`
	Scale    uint8             `json:"asset_scale"`
	Quantity Quantity          `json:"quantity"`
	Engine   string            `json:"engine"`
	Key      string            `json:"key"`
	Since    string            `json:"since"` // RFC 3339
	Tries    int               `json:"tries"`
	Last     string            `json:"last_try,omitempty"`
	Why      string            `json:"error,omitempty"`
}

func (p PendingSettlement) show() shownPending {
	shown := shownPending{
		Account: p.Account, State: p.State, Amount: p.Amount, Code: p.Asset.Code, Scale: p.Asset.Scale, Quantity: p.Quantity, Engine: p.Engine, Key: p.Key,
		Since: stamp(p.Since), Tries: p.Tries,
	}
	if !p.Last.IsZero() {
		shown.Last = stamp(p.Last)
	}
	if p.Err != nil {
		shown.Why = cut(p.Err.Error(), longestWhy)
	}
	return shown
}

// Leftover is what settlements have brought to an account that is less than one of its base units.
type Leftover struct {
	Account  ilpcore.AccountID
	Asset    Asset    // of the account
	Quantity Quantity // of a finer scale than the asset's
}

// Leftovers returns what is left over, of the accounts of which anything is.
func (a *API) Leftovers() (list []Leftover, err error) {
	err = a.directory.store.Iterate([]byte(leftoverKey), func(key, value []byte) error {
		id := ilpcore.AccountID(key[len(leftoverKey):])
		var l leftover
		if err := json.Unmarshal(value, &l); err != nil {
			return fmt.Errorf("reading what settlements of account %q have left over: %w", id, err)
		}
		s, err := a.find(id)
		if err != nil || s.UUID != l.UUID || l.Quantity.Amount == "0" {
			return nil //nolint:nilerr // it belongs to no account any more
		}
		if asset := a.shownAsset(s); asset.Code == l.Code {
			list = append(list, Leftover{id, asset, l.Quantity})
		}
		return nil
	})
	return list, err
}

// showSettlement answers GET /accounts/{account}/settlement, an endpoint of this node's own: how an account is settled. Amounts are strings.
func (a *API) showSettlement(w http.ResponseWriter, r *request) {
	shown, err := a.settlementOf(r.account)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, shown)
}

// shownSettlement is how an account is settled.
type shownSettlement struct {
	Account   ilpcore.AccountID `json:"account"`
	Code      string            `json:"asset_code"`
	Scale     uint8             `json:"asset_scale"`
	Engine    *string           `json:"engine"` // null: it has none
	Threshold *int64            `json:"settle_threshold,string"`
	To        *int64            `json:"settle_to,string"`
	Leftover  Quantity          `json:"leftover"`
	Problem   string            `json:"problem,omitempty"` // why nothing more is settled, beside what is unanswered
	Pending   *shownPending     `json:"pending"`           // null: nothing is unanswered
	Resolved  []resolution      `json:"resolved"`          // what operators have decided, newest first
}

// settlementOf returns how an account is settled; of one that is in no configuration any more, what is unanswered and was decided. The
// error is ErrNoAccount, or the store's.
func (a *API) settlementOf(id ilpcore.AccountID) (shown shownSettlement, err error) {
	o, err := a.directory.outgoing(id)
	if err != nil {
		return shown, err
	}
	s, missing := a.find(id)
	if missing != nil && o == nil {
		return shown, missing
	}
	shown = shownSettlement{Account: id, Leftover: Quantity{Amount: "0"}}
	if o != nil {
		pending := a.pendingOf(id, *o).show()
		shown.Pending, shown.Code, shown.Scale = &pending, pending.Code, pending.Scale
	}
	if missing == nil {
		asset := a.shownAsset(s)
		rest, err := a.directory.leftoverOf(s, asset)
		if err != nil {
			return shown, err
		}
		shown.Code, shown.Scale, shown.Leftover = asset.Code, asset.Scale, rest.Quantity
		shown.Engine, shown.Threshold, shown.To = filled(a.EngineOf(s).URL), s.SettleThreshold, s.SettleTo
		if o == nil {
			shown.Problem = a.settler.troubleOf(id)
		}
	}
	shown.Resolved, err = a.directory.resolved(id, s.UUID)
	return shown, err
}
