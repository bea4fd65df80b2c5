package nodeapi

// This file answers the Java connector's requests about accounts.

import "net/http"

// javaCreate answers POST /accounts: 201, where the account is, and what it is.
func (a *API) javaCreate(w http.ResponseWriter, r *request) {
	s, err := a.newJava(r)
	if err == nil {
		s, err = a.create(r.Context(), s)
	}
	if err != nil {
		a.javaFail(w, r, s.ID, s.inJava(err))
		return
	}
	w.Header().Set("Location", accountURL(r, s))
	writeJSON(w, http.StatusCreated, a.showJava(r, s))
}

// newJava reads a new account.
func (a *API) newJava(r *request) (Settings, error) {
	f, err := javaBody(r)
	if err != nil {
		return Settings{}, err
	}
	id, err := f.id("accountId")
	if err != nil {
		return Settings{}, err
	}
	s, err := a.readJava(f, Settings{ID: id, Form: FormJava})
	s.ID = id
	return s, err
}

// javaList answers GET /accounts.
func (a *API) javaList(w http.ResponseWriter, r *request) {
	list := []javaAccount{}
	for _, s := range a.list() {
		list = append(list, a.showJava(r, s))
	}
	javaPage(w, "immutableAccountSettingsList", list, len(list))
}

// javaGet answers GET /accounts/{account}.
func (a *API) javaGet(w http.ResponseWriter, r *request) {
	s, err := a.find(r.account)
	if err != nil {
		a.javaFail(w, r, r.account, err)
		return
	}
	writeJSON(w, http.StatusOK, a.showJava(r, s))
}

// javaUpdate answers PUT /accounts/{account}. An accountId in the body is ignored.
func (a *API) javaUpdate(w http.ResponseWriter, r *request) {
	f, err := javaBody(r)
	if err == nil && r.isMergePatch() { // what it leaves out would not stay
		err = errMediaType
	}
	if err != nil {
		a.javaFail(w, r, r.account, err)
		return
	}
	s, err := a.update(r.Context(), r.account, func(s Settings) (Settings, error) { return a.readJava(f, s) })
	if err != nil {
		a.javaFail(w, r, r.account, s.inJava(err))
		return
	}
	writeJSON(w, http.StatusOK, a.showJava(r, s))
}

// javaDelete answers DELETE /accounts/{account} with 204.
func (a *API) javaDelete(w http.ResponseWriter, r *request) {
	if _, err := a.remove(r.Context(), r.account); err != nil {
		a.javaFail(w, r, r.account, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
