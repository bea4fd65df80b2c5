package nodeapi

// This file answers the Java connector's request about an account's balance.

import (
	"net/http"
	"strconv"

	"github.com/paydoor/paydoor/ilpcore"
)

// javaBalance is the answer. Positive is what the node owes the account, in base units of the account's asset.
type javaBalance struct {
	AssetCode  string         `json:"assetCode"`
	AssetScale string         `json:"assetScale"`
	Balance    javaBalanceSum `json:"accountBalance"`
}

type javaBalanceSum struct {
	AccountID ilpcore.AccountID `json:"accountId"`
	Net       string            `json:"netBalance"`
	Clearing  string            `json:"clearingBalance"`
	Prepaid   string            `json:"prepaidAmount"`
}

// javaBalance answers GET /accounts/{account}/balance.
func (a *API) javaBalance(w http.ResponseWriter, r *request) {
	s, err := a.find(r.account)
	if err != nil {
		a.javaFail(w, r, r.account, err)
		return
	}
	asset := a.shownAsset(s)
	balance, _ := a.books.Balance(r.account) // none yet is a balance of 0
	number := func(n int64) string { return strconv.FormatInt(n, 10) }
	writeJSON(w, http.StatusOK, javaBalance{
		AssetCode: asset.Code, AssetScale: strconv.Itoa(int(asset.Scale)),
		Balance: javaBalanceSum{AccountID: r.account, Net: number(balance.Net()), Clearing: number(balance.Clearing), Prepaid: number(balance.Prepaid)},
	})
}
