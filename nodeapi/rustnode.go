package nodeapi

// This file answers, in the dialects of interledger-rs, what is about the node as a whole.

import "net/http"

// rustStatus answers GET /.
func (a *API) rustStatus(w http.ResponseWriter, _ *request) {
	address, _, ready := a.node.Address()
	status := "Ready"
	if !ready {
		status = "Waiting for an address"
	}
	writeJSON(w, http.StatusOK, map[string]any{"status": status, "ilp_address": string(address), "version": a.version})
}

// nodeStatus answers GET /status, an endpoint of this node's own: the state of the node and of each account, with balances.
func (a *API) nodeStatus(w http.ResponseWriter, _ *request) {
	writeJSON(w, http.StatusOK, a.node.Status())
}
