package nodeapi

// This file has a payment made once for each Idempotency-Key, and its answer kept in the store for 24 hours; that of one which was cut short, so that nobody
// knows its answer, for good. Those to settlements are kept with them.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

const (
	answerKey      = "node/answer/" // and answerID, or settlementID; the value is an answerRecord in JSON
	answerLifetime = 24 * time.Hour
	maxIdempotency = 256 // bytes of an Idempotency-Key
)

var (
	errKeyLength = &FieldError{Field: "Idempotency-Key", Why: fmt.Sprintf("it has 1 to %d bytes", maxIdempotency)}
	// errOtherInput says that an Idempotency-Key belongs to another request.
	errOtherInput = errors.New("Provided idempotency key is tied to other input")
	// errUnderWay says that the first request with an Idempotency-Key is not answered yet.
	errUnderWay = errors.New("the payment with this Idempotency-Key is under way; ask again for its outcome")
	// errInterrupted says that the node stopped while a payment was under way.
	errInterrupted = errors.New("the node was stopped while the payment with this Idempotency-Key was under way, and some of it may have been paid: " +
		"compare the account's balance, or look at GET /accounts/NAME/payments, which says how much, and pay what is missing with another key")
)

// answerRecord is the answer to a request with an Idempotency-Key. It is written without answer before anything is paid.
type answerRecord struct {
	Input  string          `json:"input"` // hash of the request
	At     time.Time       `json:"at"`
	Status int             `json:"status,omitempty"` // 0: there is no answer yet
	Body   json.RawMessage `json:"body,omitempty"`
}

// expired says whether the key may be used for a new payment, or an answer deleted. What has no answer never expires: some of it may have been paid. There is
// one such record, of some 150 bytes, for each payment that the end of a process has cut short.
func (r answerRecord) expired(before time.Time) bool { return r.Status != 0 && !r.At.After(before) }

// answers is what is under way, of whichever API.
type answers struct {
	mu      sync.Mutex // the sweep holds it, too, from its look at answers until they are deleted: none begins to be used meanwhile
	running map[string]struct{}
}

// once returns the answer that f gives to the request, or gave to the same one of the same account earlier. Errors: *FieldError, ErrNoAccount,
// errOtherInput, errUnderWay, errInterrupted, and those of the store; then f was not called.
func (a *API) once(r *request, key, input string, f func() (status int, body []byte)) (status int, body []byte, err error) {
	if key == "" || len(key) > maxIdempotency {
		return 0, nil, errKeyLength
	}
	s, err := a.find(r.account)
	if err != nil {
		return 0, nil, err
	}
	id := answerID(s.UUID, key)
	if !a.directory.answers.begin(id) {
		return 0, nil, errUnderWay
	}
	defer a.directory.answers.end(id)
	record := answerRecord{Input: hashOf(input), At: a.now().UTC()}
	known, err := a.directory.answerTo(s, key)
	switch {
	case err != nil:
		return 0, nil, err
	case known == nil || known.expired(a.now().Add(-answerLifetime)):
	case known.Input != record.Input:
		return 0, nil, errOtherInput
	case known.Status == 0:
		return 0, nil, errInterrupted
	default:
		return known.Status, known.Body, nil
	}
	if err := a.directory.put(r.Context(), answerKey+id, record); err != nil {
		return 0, nil, err
	}
	record.Status, record.Body = f()
	if err := a.directory.putAnswer(r.Context(), id, record); err != nil {
		a.logger.Error("the answer to a payment could not be kept for repetitions", zap.Error(err))
	}
	return record.Status, record.Body, nil
}

// failOnce answers an error of once.
func (a *API) failOnce(w http.ResponseWriter, r *request, err error) {
	switch {
	case errors.Is(err, errOtherInput):
		writeProblem(w, problemDetails{Status: http.StatusConflict, Title: errOtherInput.Error(), Detail: "use another Idempotency-Key for another payment"})
	case errors.Is(err, errUnderWay):
		w.Header().Set("Retry-After", "1")
		writeProblem(w, problemDetails{Status: http.StatusConflict, Detail: err.Error()})
	case errors.Is(err, errInterrupted):
		writeProblem(w, problemDetails{Status: http.StatusConflict, Detail: err.Error()})
	default:
		a.rustFail(w, r, err)
	}
}

// begin says whether nobody else is about the same key.
func (s *answers) begin(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.running[id]; ok {
		return false
	}
	if s.running == nil {
		s.running = make(map[string]struct{})
	}
	s.running[id] = struct{}{}
	return true
}

func (s *answers) end(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, id)
}

// answer returns the record, or nil if there is none.
func (d *Directory) answer(id string) (*answerRecord, error) {
	b, err := d.store.Get([]byte(answerKey + id))
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	r := new(answerRecord)
	if err == nil {
		err = json.Unmarshal(b, r)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the answer to a payment: %w", err)
	}
	return r, nil
}

// answerTo returns the record of an account's key, or nil if there is none. Versions before this one kept them by the account's name: of those the ones since the
// account was made are its own, or what was paid before an update would be paid again after it.
func (d *Directory) answerTo(s Settings, key string) (*answerRecord, error) {
	r, err := d.answer(answerID(s.UUID, key))
	if r != nil || err != nil {
		return r, err
	}
	r, err = d.answer(answerIDByName(s.ID, key))
	if r != nil && s.Origin == "" && r.At.Before(s.Created) {
		return nil, nil // a predecessor's; what the Caddyfile has was made nobody knows when
	}
	return r, err
}

// putAnswer keeps the answer to what was paid, durably, also on a disk that has filled up meanwhile.
func (d *Directory) putAnswer(ctx context.Context, id string, r answerRecord) error {
	b := mustJSON(r)
	if len(b) > store.MaxValue {
		return fmt.Errorf("the answer to a payment has %d bytes, and at most %d can be kept", len(b), store.MaxValue)
	}
	f := func(g *store.Group) { g.Put([]byte(answerKey+id), b) }
	ticket, err := d.store.Join(f)
	if errors.Is(err, store.ErrNoSpace) { // it is a few hundred bytes, for which the store keeps room
		ticket, err = d.store.FollowUp(f)
	}
	if err == nil {
		err = ticket.Wait(context.WithoutCancel(ctx))
	}
	return err
}

// deleteAnswers deletes the answers that were last used at that time or before, durably.
func (d *Directory) deleteAnswers(ctx context.Context, before time.Time) error {
	var from []byte // nil: from the beginning
	for {
		next, err := d.deleteSomeAnswers(ctx, from, before)
		if err != nil || next == nil || ctx.Err() != nil {
			return err
		}
		from = next
	}
}

// deleteSomeAnswers looks at some answers, and returns the key to go on with; nil: that is all. Nobody settles meanwhile, nor begins to pay with a key, so that
// none is deleted that is just being used again.
func (d *Directory) deleteSomeAnswers(ctx context.Context, from []byte, before time.Time) (next []byte, err error) {
	d.settling.Lock()
	defer d.settling.Unlock()
	d.answers.mu.Lock()
	defer d.answers.mu.Unlock()
	var old [][]byte
	looked := 0
	err = d.store.View(func(v *store.View) error {
		return v.Iterate([]byte(answerKey), from, func(key, value []byte) error {
			if looked++; looked > lookedAtOnce || len(old) == forgottenAtOnce {
				next = slices.Clone(key)
				return errEnough
			}
			var r answerRecord
			_, used := d.answers.running[string(key[len(answerKey):])]
			if json.Unmarshal(value, &r) == nil && !used && r.expired(before) {
				old = append(old, slices.Clone(key))
			}
			return nil
		})
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	if err != nil || len(old) == 0 {
		return next, err
	}
	return next, d.change(ctx, func(g *store.Group) {
		for _, key := range old {
			g.Delete(key)
		}
	})
}

// answerID names the answer to a payment of the account with that UUID.
func answerID(uuid, key string) string {
	return hashOf("payment\x00" + uuid + "\x00" + key)
}

// answerIDByName is what answerID was before. No key has a zero byte, so that no name can be mistaken for the other form.
func answerIDByName(account ilpcore.AccountID, key string) string {
	return hashOf(string(account) + "\x00" + key)
}

func hashOf(text string) string {
	hash := sha256.Sum256([]byte(text))
	return hex.EncodeToString(hash[:])
}
