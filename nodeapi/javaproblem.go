package nodeapi

// This file says in the Java connector's words what was wrong with a request: its problem types, titles and extension members.

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// javaFail answers an error about the account.
func (a *API) javaFail(w http.ResponseWriter, r *request, id ilpcore.AccountID, err error) {
	p := problemDetails{Detail: err.Error(), Extra: map[string]any{}}
	if id != "" {
		p.Extra["accountId"] = string(id)
	}
	var field *FieldError
	switch {
	case errors.Is(err, errNotJSON):
		p.Status = http.StatusBadRequest
	case errors.Is(err, errMediaType):
		p.Status = http.StatusUnsupportedMediaType
	case errors.Is(err, ErrNoAccount):
		p.Status = http.StatusNotFound
		p.Type, p.Title = problemTypes+"/accounts/account-not-found", fmt.Sprintf("Account Not Found (`%s`)", id)
	case errors.Is(err, ErrExists):
		p.Status = http.StatusConflict
		p.Type, p.Title = problemTypes+"/accounts/account-already-exists", fmt.Sprintf("Account Already Exists (`%s`)", id)
	case errors.Is(err, ErrEngineID):
		p.Status = http.StatusConflict
		p.Type, p.Title = problemTypes+"/accounts/account-settlement-engine-already-exists", "Account Settlement Engine Already Exists"
	case errors.Is(err, errAccountID):
		p.Status = http.StatusBadRequest
		p.Type, p.Title = problemTypes+"/accounts/invalid-account-id", "Invalid Account Id"
	case errors.Is(err, ErrSettings), errors.Is(err, connector.ErrAccount), errors.Is(err, connector.ErrParents):
		p.Status = http.StatusBadRequest
		p.Type, p.Title = problemTypes+"/accounts/invalid-account-settings", "Invalid Account Settings"
		if errors.As(err, &field) && field.Field != "" {
			p.Extra["invalid-params"] = []map[string]string{{"name": field.Field, "reason": field.Why}}
		}
	default:
		a.fail(w, r, err)
		return
	}
	writeProblem(w, p)
}

// javaRouteProblem answers what is wrong with a static route.
func javaRouteProblem(w http.ResponseWriter, status int, kind, title, prefix, detail string) {
	writeProblem(w, problemDetails{
		Type: problemTypes + "/routes/static/static-route-" + kind, Title: title, Status: status, Detail: detail,
		Extra: map[string]any{"prefix": prefix},
	})
}
