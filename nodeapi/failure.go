package nodeapi

// This file says to the client what went wrong with a change that could not be carried out.

import (
	"errors"
	"net/http"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/store"
)

// fail answers an error of the API's own work. What the client can mend is told in words; what only the operator can is logged, and the
// client told that it is.
func (a *API) fail(w http.ResponseWriter, r *request, err error) {
	p := problemDetails{Detail: err.Error()}
	switch {
	case errors.Is(err, ErrNoAccount):
		p.Status = http.StatusNotFound
	case errors.Is(err, ErrExists), errors.Is(err, ErrStatic), errors.Is(err, ErrStaticRoute), errors.Is(err, ErrBalance):
		p.Status = http.StatusConflict
	case errors.Is(err, ErrSettings), errors.Is(err, ErrSealed), errors.Is(err, ErrNoKey), errors.Is(err, ErrTooMany),
		errors.Is(err, connector.ErrAccount), errors.Is(err, connector.ErrRoute), errors.Is(err, connector.ErrParents):
		p.Status = http.StatusBadRequest
	case errors.Is(err, ErrReplaced):
		p.Status = http.StatusServiceUnavailable
		w.Header().Set("Retry-After", "1")
	case errors.Is(err, store.ErrNoSpace):
		p.Status, p.Detail = http.StatusServiceUnavailable, "the node's disk is nearly full: nothing was changed; try again when the operator has made room"
		w.Header().Set("Retry-After", "60")
	default:
		p.Status, p.Detail = http.StatusInternalServerError, "the node could not carry this out; its log says why"
		a.logger.Error("a request to the node's API failed", zap.String("method", r.Method), zap.String("pattern", r.Pattern), zap.Error(err))
	}
	writeProblem(w, p)
}
