package nodeapi

// This file lists what the API answers in the dialects of interledger-rs.

// registerRust registers the endpoints of seed 001 and of interledger-rs 1.0.
func (a *API) registerRust(e endpoints) {
	e.add("GET /{$}", open, a.rustStatus, nil)
	e.add("GET /status", admin, a.nodeStatus, nil)
}
