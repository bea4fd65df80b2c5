package nodeapi

// This file lists what the API answers in the dialect of the Java connector.

// registerJava registers the endpoints of the Java connector's admin API.
func (a *API) registerJava(e endpoints) {
	e.add("POST /encryption/encrypt", admin, nil, a.encrypt)
	e.add("PUT /encryption/keys/{keystore}", admin, nil, a.importKey)
}
