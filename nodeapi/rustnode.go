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
