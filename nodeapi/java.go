package nodeapi

// This file lists what the API answers in the dialect of the Java connector.

import "net/http"

// registerJava registers the endpoints of the Java connector's admin API. Packets, which go to /accounts/{account}/ilp, are the link's.
func (a *API) registerJava(e endpoints) {
	e.add("GET /{$}", open, nil, a.javaStatus)

	e.add("POST /accounts", admin, nil, a.javaCreate)
	e.add("GET /accounts", admin, nil, a.javaList)
	e.add("GET /accounts/{account}", holder, nil, a.javaGet)
	e.add("PUT /accounts/{account}", admin, nil, a.javaUpdate)
	e.add("DELETE /accounts/{account}", admin, nil, a.javaDelete)
	e.add("GET /accounts/{account}/balance", holder, nil, a.exactly(a.javaBalance))

	e.add("GET /routes", open, nil, a.javaRoutes) // in interledger-rs it is open; javaRoutes asks for the admin
	e.add("GET /routes/static", admin, nil, a.javaStaticRoutes)
	e.add("PUT /routes/static/{prefix}", admin, nil, a.javaPutRoute)
	e.add("DELETE /routes/static/{prefix}", admin, nil, a.javaDeleteRoute)

	e.add("POST /encryption/encrypt", admin, nil, a.encrypt)
	e.add("PUT /encryption/keys/{keystore}", admin, nil, a.importKey)
}

// javaStatus answers GET /.
func (a *API) javaStatus(w http.ResponseWriter, _ *request) {
	address, _, _ := a.node.Address()
	writeJSON(w, http.StatusOK, map[string]any{"operatorAddress": string(address), "version": a.version})
}
