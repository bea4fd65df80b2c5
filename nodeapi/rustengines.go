package nodeapi

// This file is the default settlement engines by asset code.

import "net/http"

// rustEngines answers PUT /settlement/engines: the body, {asset code: URL}, replaces all defaults, from the next settlement of
// each account on. It answers with the same.
func (a *API) rustEngines(w http.ResponseWriter, r *request) {
	f, err := readFields(r)
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	engines := make(map[string]string, len(f.members))
	for code := range f.members {
		url, given := f.text(code)
		if !given {
			f.wrong(code, "it is the URL of a settlement engine")
			continue
		}
		if err := a.checkEngineURL(code, url, false, "http", "https"); err != nil {
			a.rustFail(w, r, err)
			return
		}
		engines[code] = url
	}
	if err = f.err(); err == nil {
		err = a.directory.SetTable(r.Context(), EnginesTable, engines)
	}
	if err != nil {
		a.rustFail(w, r, err)
		return
	}
	a.settler.reviewAll()
	writeJSON(w, http.StatusOK, engines)
}

// EngineOf returns the settlement engine of an account: its own, or the default of its asset code. Without any its URL is "". The engine knows
// the account by its AccountID.
func (a *API) EngineOf(s Settings) Engine {
	e := s.Engine
	if e.URL == "" {
		engines, _ := a.directory.Table(EnginesTable)
		e.URL = engines[a.shownAsset(s).Code]
	}
	if e.AccountID == "" {
		e.AccountID = s.UUID
	}
	return e
}

// mayGetEngine says whether an account without an engine may have a default one as soon as the node learns its asset.
func (a *API) mayGetEngine(s Settings) bool {
	engines, _ := a.directory.Table(EnginesTable)
	return len(engines) > 0 && a.shownAsset(s).Code == ""
}
