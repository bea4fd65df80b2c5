package nodeapi

// This file lists what the API answers in the dialects of interledger-rs.

// registerRust registers the endpoints of seed 001 and of interledger-rs 1.0.
func (a *API) registerRust(e endpoints) {
	e.add("GET /{$}", open, a.rustStatus, nil)
	e.add("GET /status", admin, a.nodeStatus, nil)
	e.add("GET /openapi.json", open, a.describe, nil)

	e.add("POST /accounts", admin, a.rustCreate, nil)
	e.add("POST /accounts/{$}", admin, a.rustCreate, nil)
	e.add("GET /accounts", admin, a.rustList, nil)
	e.add("GET /accounts/{$}", admin, a.rustList, nil)
	e.add("GET /accounts/{account}", holder, a.rustShow, nil)
	e.add("PUT /accounts/{account}", admin, a.rustReplace, nil)
	e.add("DELETE /accounts/{account}", admin, a.rustDelete, nil)
	e.add("PUT /accounts/{account}/settings", holder, a.rustSettings, nil)
	e.add("GET /accounts/{account}/balance", holder, a.exactly(a.rustBalance), nil)

	e.add("GET /accounts/{account}/payments/incoming", holder, a.rustIncoming, nil)
	e.add("GET /payments/incoming", admin, a.rustAllIncoming, nil)

	e.add("GET /rates", open, a.rustRates, nil)
	e.add("PUT /rates", admin, a.rustSetRates, nil)
	e.add("GET /routes", open, a.rustRoutes, nil)
	e.add("PUT /routes/static", admin, a.rustSetRoutes, nil)
	e.add("PUT /routes/static/{prefix}", admin, a.rustSetRoute, nil)
	e.add("PUT /settlement/engines", admin, a.rustEngines, nil)

	if a.sender != nil {
		e.add("POST /accounts/{account}/payments", owner, a.rustPay, nil)
	}
	if a.quoter != nil {
		e.add("GET /accounts/{account}/spsp", open, a.rustSPSP, nil)
		e.add("OPTIONS /accounts/{account}/spsp", open, a.rustSPSPOptions, nil)
		e.add("GET /.well-known/pay", open, a.rustWellKnown, nil)
		e.add("OPTIONS /.well-known/pay", open, a.rustSPSPOptions, nil)
	}
}
