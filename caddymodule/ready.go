package caddymodule

// This file answers GET /paydoor/ready and /paydoor/alive on the admin endpoint: whether payments can be received, and whether a restart
// would help if not.

import "net/http"

// readiness is the answer.
type readiness struct {
	Ready bool `json:"ready"`
	// Alive is false when only a restart can help: the ledger has failed. Whatever else is missing may come back by itself.
	Alive   bool   `json:"alive"`
	Address string `json:"address,omitempty"`
	Asset   *Asset `json:"asset,omitempty"`
	// Problem says what is missing, for people.
	Problem string `json:"problem,omitempty"`
}

func (a *adminRoutes) ready(w http.ResponseWriter, _ *http.Request) error {
	answer := runningReadiness()
	return answer.write(w, answer.Ready)
}

// alive answers whether a restart would help: with 503, if it would.
func (a *adminRoutes) alive(w http.ResponseWriter, _ *http.Request) error {
	answer := runningReadiness()
	return answer.write(w, answer.Alive)
}

func (a *readiness) write(w http.ResponseWriter, good bool) error {
	if good {
		return writeJSON(w, http.StatusOK, a)
	}
	w.Header().Set("Retry-After", "5")
	return writeJSON(w, http.StatusServiceUnavailable, a)
}

func runningReadiness() readiness {
	app, ok := activeApp()
	if !ok {
		_, err := noApp()
		return readiness{Alive: true, Problem: err.Error()}
	}
	return app.readiness()
}
