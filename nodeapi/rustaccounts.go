package nodeapi

// This file answers, in the dialects of interledger-rs, what makes, shows, changes and deletes accounts.

import "net/http"

// rustCreate answers POST /accounts. It answers with the account.
func (a *API) rustCreate(w http.ResponseWriter, r *request) {
	f, err := readFields(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	s, err := a.readDetails(f, Settings{Form: FormRust})
	if err == nil {
		s, err = a.create(r.Context(), s)
	}
	a.rustAnswer(w, r, s, err)
}

// rustList answers GET /accounts.
func (a *API) rustList(w http.ResponseWriter, _ *request) {
	list := []rustAccount{}
	for _, s := range a.list() {
		list = append(list, a.rustAccount(s))
	}
	writeJSON(w, http.StatusOK, list)
}

// rustShow answers GET /accounts/:username.
func (a *API) rustShow(w http.ResponseWriter, r *request) {
	s, err := a.find(r.account)
	a.rustAnswer(w, r, s, err)
}

// rustReplace answers PUT /accounts/:username: the account becomes what the body says, and what the body leaves out has its default again, or, in a
// merge patch, stays.
func (a *API) rustReplace(w http.ResponseWriter, r *request) {
	f, err := readFields(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	read := a.readDetails
	if r.isMergePatch() {
		read = a.mergeDetails
	}
	s, err := a.update(r.Context(), r.account, func(old Settings) (Settings, error) {
		s, err := read(f, old)
		if err == nil && s.ID != old.ID {
			err = &FieldError{Field: "username", Why: "an account keeps its name; make a new one with POST /accounts"}
		}
		return s, err
	})
	a.rustAnswer(w, r, s, err)
}

// rustSettings answers PUT /accounts/:username/settings: only what the body gives changes.
func (a *API) rustSettings(w http.ResponseWriter, r *request) {
	f, err := readFields(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	s, err := a.update(r.Context(), r.account, func(old Settings) (Settings, error) { return a.readSettings(f, old) })
	a.rustAnswer(w, r, s, err)
}

// rustDelete answers DELETE /accounts/:username with what the account was.
func (a *API) rustDelete(w http.ResponseWriter, r *request) {
	before, err := a.find(r.account)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	shown := a.rustAccount(before) // with its address, which it is about to lose
	if _, err := a.remove(r.Context(), r.account); err != nil {
		a.rustFail(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, shown)
}

func (a *API) rustAnswer(w http.ResponseWriter, r *request, s Settings, err error) {
	if err != nil {
		a.rustFail(w, r, inRust(err))
		return
	}
	writeJSON(w, http.StatusOK, a.rustAccount(s))
}
