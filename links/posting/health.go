package posting

// This file remembers what the last exchange said about the peer.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/ilpcore"
)

// Health is how the peer of one link is. It is safe for concurrent use.
type Health struct {
	logger *zap.Logger
	state  atomic.Pointer[state] // nil before the first packet
}

type state struct{ err error } // nil: it answers

// NewHealth returns the Health of a peer of which nothing is known. The logger has what names the link.
func NewHealth(logger *zap.Logger) *Health { return &Health{logger: logger} }

// Up says whether the other node answered when last asked; false before the first packet.
func (h *Health) Up() bool {
	s := h.state.Load()
	return s != nil && s.err == nil
}

// Err says why the other node did not answer when last asked; nil when it did, or was not asked yet.
func (h *Health) Err() error {
	if s := h.state.Load(); s != nil {
		return s.err
	}
	return nil
}

// Note remembers how the peer is, nil being well, and logs when it goes away or comes back, not each packet in between.
func (h *Health) Note(why error) {
	before := h.state.Load()
	if before != nil && before.err == nil && why == nil {
		return
	}
	h.state.Store(&state{why})
	switch {
	case why == nil:
		h.logger.Info("the peer answers")
	case before == nil || before.err == nil:
		h.logger.Warn("the peer does not answer as it should", zap.Error(why))
	}
}

// NoteStatus notes an answer without a packet: the peer counts as well when only this one packet was at fault.
func (h *Health) NoteStatus(status int) {
	switch status {
	case http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusTooManyRequests:
		h.Note(nil)
	default:
		h.Note(fmt.Errorf("it answered with HTTP status %d%s", status, meaning(status)))
	}
}

// meaning says what to look at; nothing for a status that the peer has to explain.
func meaning(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ": it does not know the token"
	case http.StatusNotFound, http.StatusMethodNotAllowed:
		return ": packets are not taken at that URL"
	}
	return ""
}

// Failed notes a request that ended with err, and tells a peer that cannot be reached from one that did not answer in time.
func (h *Health) Failed(ctx context.Context, err error) ilpcore.Reply {
	late := errors.Is(err, ErrLate)
	if late || ctx.Err() != nil {
		if late || errors.Is(ctx.Err(), context.DeadlineExceeded) {
			h.Note(errors.New("it did not answer in time"))
		}
		return ilpcore.Reject(ilpcore.R00, "", "the peer did not answer in time", nil)
	}
	h.Note(reason(err))
	return ilpcore.Reject(ilpcore.T01, "", "the peer cannot be reached", nil)
}
