package nodeapi

// This file lets an operator decide about a settlement of which the node cannot learn what its engine did: that it was made, or that it was not.

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

var (
	// errNotPending says that no such settlement is unanswered.
	errNotPending = errors.New("no settlement with this key is unanswered: GET /accounts/NAME/settlement shows the one that is, if any")
	// errBeingAsked says that the engine may answer at any moment.
	errBeingAsked = errors.New("the engine is being asked about this settlement right now: try again in a moment")
	// errDecided says that a settlement was resolved otherwise before.
	errDecided = errors.New("this settlement was resolved otherwise before: GET /accounts/NAME/settlement shows how")
)

const (
	// resolvedKey is where decisions are kept, for good; the ID of the account, a slash, the complement of the time and the key of the settlement follow, so
	// that the newest is first. The value is a resolution in JSON.
	resolvedKey   = "node/resolved/"
	resolvedShown = 100 // of one account
	longestReason = 500 // bytes
)

// The decisions.
const (
	resolvedSettled  = "settled"  // the engine has made it: the balance stays as it is
	resolvedRefunded = "refunded" // it has not, and will not: the amount goes back to the balance
)

// resolution is what an operator has decided about a settlement.
type resolution struct {
	Key      string        `json:"key"`
	Outcome  string        `json:"outcome"`
	Reason   string        `json:"reason"`
	Amount   amount.Amount `json:"amount,string"`
	Quantity Quantity      `json:"quantity"`
	Engine   string        `json:"engine"`
	Since    time.Time     `json:"since"` // when the amount left the balance
	At       time.Time     `json:"at"`
	UUID     string        `json:"uuid,omitempty"` // of the account, if it was in a configuration
}

// resolveSettlement answers POST /accounts/{account}/settlement/resolution: {"key", "outcome", "reason"}. It answers with the decision, as it is
// kept; the same again changes nothing.
func (a *API) resolveSettlement(w http.ResponseWriter, r *request) {
	wanted, err := readResolution(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	decided, err := a.resolve(r.Context(), r.account, wanted)
	switch {
	case errors.Is(err, errNotPending), errors.Is(err, errDecided):
		writeProblem(w, problemDetails{Status: http.StatusConflict, Detail: err.Error()})
	case errors.Is(err, errBeingAsked):
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemDetails{Status: http.StatusConflict, Detail: err.Error()})
	case errors.Is(err, connector.ErrRange):
		writeProblem(w, problemDetails{Status: http.StatusConflict, Detail: "the balance has no room for the amount: nothing was changed"})
	case err != nil:
		a.rustFail(w, r, err)
	default:
		writeJSON(w, http.StatusOK, decided)
	}
}

// readResolution reads what an operator has decided. The error is a *bodyError.
func readResolution(r *request) (decided resolution, err error) {
	f, err := readFields(r)
	if err != nil {
		return decided, err
	}
	f.require("key", "outcome", "reason")
	decided.Key, _ = f.text("key")
	decided.Outcome, _ = f.text("outcome")
	decided.Reason, _ = f.text("reason")
	if _, ok := f.members["outcome"]; ok && decided.Outcome != resolvedSettled && decided.Outcome != resolvedRefunded {
		f.wrong("outcome", "it is settled, if the engine has made the settlement, or refunded, if it has not and will not")
	}
	if _, ok := f.members["reason"]; ok && (strings.TrimSpace(decided.Reason) == "" || len(decided.Reason) > longestReason) {
		f.wrong("reason", fmt.Sprintf("it says how you know, in 1 to %d bytes; it is kept", longestReason))
	}
	return decided, f.err()
}

// resolve carries out the decision. Errors: errNotPending, errDecided, errBeingAsked, ErrNoAccount, ErrReplaced, connector.ErrRange, and those of the store.
func (a *API) resolve(ctx context.Context, id ilpcore.AccountID, decided resolution) (resolution, error) {
	ctx = context.WithoutCancel(ctx)
	end, err := a.begin()
	if err != nil {
		return decided, err
	}
	defer end()
	turn := a.settler.turn(id)
	if !turn.TryLock() {
		return decided, errBeingAsked
	}
	defer turn.Unlock()
	a.directory.settling.Lock()
	defer a.directory.settling.Unlock()
	s, missing := a.find(id)
	o, err := a.directory.outgoing(id)
	if err != nil {
		return decided, err
	}
	if o == nil || o.Key != decided.Key {
		if missing != nil && o == nil {
			return decided, missing
		}
		return a.decidedBefore(id, s.UUID, decided)
	}
	decided.Amount, decided.Quantity, decided.Engine, decided.Since = o.Amount, o.Quantity, o.Engine, o.At
	decided.At, decided.UUID = a.now().UTC(), s.UUID
	keep := func(g *store.Group) {
		g.Delete(keyOfOutgoing(id))
		g.Put(keyOfResolution(id, decided), mustJSON(decided))
	}
	if decided.Outcome == resolvedSettled {
		err = a.directory.change(ctx, keep)
	} else {
		_, err = a.books.Refund(ctx, id, o.Amount, keep)
	}
	if err != nil {
		return decided, err
	}
	a.resolvedNow(id, *o, decided)
	return decided, nil
}

// resolvedNow tells of a decision, and has the account settled again; after a refund not at once, so that its engine can be changed before.
func (a *API) resolvedNow(id ilpcore.AccountID, o outgoing, decided resolution) {
	a.logger.Warn("a settlement was resolved by hand", zap.String("account", string(id)), zap.String("outcome", decided.Outcome), zap.String("reason", decided.Reason),
		zap.String("amount", o.Quantity.Amount), zap.Uint8("scale", o.Quantity.Scale), zap.String("key", o.Key))
	a.settler.forget(id)
	event := SettlementEvent{Account: id, Outcome: SettlementSettled, Amount: o.Amount, Asset: o.asset(a, id)}
	if decided.Outcome == resolvedRefunded {
		event.Outcome = SettlementRefunded
		a.settler.forgive(id)
		a.settler.pause(id)
		a.settler.mu.Lock()
		a.settler.wake(id)
		a.settler.mu.Unlock()
	} else {
		a.settler.review(id)
	}
	a.count(event)
}

// decidedBefore returns the decision about a settlement that is not unanswered any more, if it is the same.
func (a *API) decidedBefore(id ilpcore.AccountID, uuid string, wanted resolution) (resolution, error) {
	all, err := a.directory.resolved(id, uuid)
	if err != nil {
		return wanted, err
	}
	for _, before := range all {
		switch {
		case before.Key != wanted.Key:
		case before.Outcome == wanted.Outcome:
			return before, nil
		default:
			return wanted, errDecided
		}
	}
	return wanted, errNotPending
}

// resolved returns the newest decisions about an account's settlements. Those about an earlier account of the name are left out.
func (d *Directory) resolved(id ilpcore.AccountID, uuid string) ([]resolution, error) {
	list := []resolution{}
	err := d.store.Iterate([]byte(resolvedKey+string(id)+"/"), func(_, value []byte) error {
		var r resolution
		if err := json.Unmarshal(value, &r); err != nil {
			return fmt.Errorf("reading how settlements of account %q were resolved: %w", id, err)
		}
		if uuid == "" || r.UUID == "" || r.UUID == uuid {
			list = append(list, r)
		}
		if len(list) == resolvedShown {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return list, err
}

func keyOfResolution(id ilpcore.AccountID, r resolution) []byte {
	return append(binary.BigEndian.AppendUint64([]byte(resolvedKey+string(id)+"/"), ^uint64(r.At.UnixNano())), r.Key...)
}
