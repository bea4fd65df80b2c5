package nodeapi

// This file takes in settlements that an engine tells of (RFC 38): each is credited once, exactly, and answered alike when it is told again.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/store"
)

// engineUser is the user of Basic authentication that engines may send the settlement token with.
const engineUser = "settlement"

// keyRefresh is how old the last use of an Idempotency-Key is before another use is written down; answers are kept as much longer.
const keyRefresh = time.Hour

// errNoAsset says that it is not known yet what an account counts.
var errNoAsset = errors.New("the node has not learned its asset from its parent yet; try again in a moment")

// registerSettlement registers what engines call, whatever the dialect.
func (a *API) registerSettlement(e endpoints) {
	e.add("POST /accounts/{account}/settlements", engine, a.takeSettlement, nil)
	e.add("POST /accounts/{account}/messages", engine, a.sendMessage, nil)
	e.add("GET /accounts/{account}/settlement", admin, a.showSettlement, nil)
	e.add("POST /accounts/{account}/settlement/resolution", admin, a.resolveSettlement, nil)
}

// takeSettlement answers POST /accounts/:id/settlements. The 201 has the quantity of the request: all of it is taken, and what is less than a base
// unit of the account is kept for the next time, so the engine keeps nothing back. :id is the account's UUID, the name by which its engine knows
// it, or its own. An Idempotency-Key is required; its answer is given again for 24 hours after its last use.
func (a *API) takeSettlement(w http.ResponseWriter, r *request) {
	s, err := a.findForEngine(r.PathValue("account"))
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	key := strings.Join(r.Header["Idempotency-Key"], ",")
	if key == "" || len(key) > maxIdempotency {
		a.rustFail(w, r, errKeyLength)
		return
	}
	q, err := readQuantity(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	answer, err := a.credit(r.Context(), s, key, q)
	switch {
	case errors.Is(err, errTooMuch), errors.Is(err, connector.ErrRange):
		writeProblem(w, problemDetails{Status: http.StatusBadRequest, Detail: errTooMuch.Error()})
	case errors.Is(err, errOtherInput):
		writeProblem(w, problemDetails{Status: http.StatusConflict, Title: errOtherInput.Error(), Detail: "use another Idempotency-Key for another settlement"})
	case errors.Is(err, errNoAsset):
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemDetails{Status: http.StatusServiceUnavailable, Detail: err.Error()})
	case err != nil:
		a.rustFail(w, r, err)
	default:
		writeAnswer(w, answer.Status, answer.Body)
	}
}

// findForEngine returns the account that an engine calls id: by UUID, by the engine's own name for it, or by ID, in this order. The error is
// ErrNoAccount.
func (a *API) findForEngine(id string) (Settings, error) {
	all := a.list()
	for _, names := range []func(Settings) string{
		func(s Settings) string { return s.UUID },
		func(s Settings) string { return s.Engine.AccountID },
		func(s Settings) string { return string(s.ID) },
	} {
		for _, s := range all {
			if names(s) == id {
				return s, nil
			}
		}
	}
	return Settings{}, fmt.Errorf("%w: %q", ErrNoAccount, id)
}

// credit takes in q once for each key. Balance, leftover and answer become durable together. Errors: ErrNoAccount, errOtherInput, errTooMuch,
// errNoAsset, connector.ErrRange, and those of the store.
func (a *API) credit(ctx context.Context, s Settings, key string, q Quantity) (answerRecord, error) {
	ctx = context.WithoutCancel(ctx) // what is begun is told to the next in line
	d := a.directory
	d.settling.Lock()
	defer d.settling.Unlock()
	id, now := settlementID(s, key), a.now().UTC()
	answer := answerRecord{Input: hashOf(q.Amount + " " + fmt.Sprint(q.Scale)), At: now, Status: http.StatusCreated, Body: mustJSON(q)}
	known, err := d.answer(id)
	switch {
	case err != nil:
		return answer, err
	case known == nil || now.Sub(known.At) >= answerLifetime+keyRefresh:
	case known.Input != answer.Input:
		return answer, errOtherInput
	default:
		return *known, a.refresh(ctx, id, *known, now)
	}
	if current, err := a.find(s.ID); err != nil || current.UUID != s.UUID { // deleted meanwhile, and maybe made anew
		return answer, fmt.Errorf("%w: %q", ErrNoAccount, s.ID)
	}
	asset := a.shownAsset(s)
	if asset.Code == "" {
		return answer, errNoAsset
	}
	rest, err := d.leftoverOf(s, asset)
	if err != nil {
		return answer, err
	}
	whole, rest, err := rest.add(q, asset.Scale)
	if err != nil {
		return answer, err
	}
	balance, err := a.books.Credit(ctx, s.ID, whole, func(g *store.Group) {
		g.Put([]byte(answerKey+id), mustJSON(answer))
		g.Put(keyOfLeftover(s.ID), mustJSON(rest))
	})
	if err == nil {
		a.logger.Info("a settlement came in", zap.String("account", string(s.ID)), zap.String("amount", q.Amount), zap.Uint8("scale", q.Scale),
			zap.Uint64("credited", uint64(whole)), zap.Int64("balance", balance.Net()))
		a.count(SettlementEvent{Account: s.ID, Outcome: SettlementReceived, Amount: whole, Asset: asset})
	}
	return answer, err
}

// refresh notes that a key was used, so that it is kept 24 hours from now. Uses within an hour of each other count as one.
func (a *API) refresh(ctx context.Context, id string, known answerRecord, now time.Time) error {
	if now.Sub(known.At) < keyRefresh {
		return nil
	}
	known.At = now
	return a.directory.put(ctx, answerKey+id, known)
}

// settlementID names a settlement among the answers that are kept. No Idempotency-Key of a payment has the same.
func settlementID(s Settings, key string) string {
	return hashOf("settlement\x00" + s.UUID + "\x00" + key)
}
