//go:build linux

package main

// This file asks connectors for the balances of their accounts, as the account holders see them.

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
)

// askConnector asks ilp-connector for its balances, which are as the connector sees them: here they are turned round.
func askConnector(ctx context.Context, r *relay) (map[string]int64, error) {
	var answer struct {
		Accounts map[string]struct {
			Balance int64 `json:",string"`
		}
	}
	if ok, err := fetchJSON(ctx, "http://"+r.admin.String()+"/balance", "", &answer); err != nil || !ok {
		return nil, errors.Join(err, errors.New("ilp-connector does not tell its balances"))
	}
	balances := make(map[string]int64)
	for account, a := range answer.Accounts {
		balances[account] = -a.Balance
	}
	return balances, nil
}

// askNode asks Paydoor for the balances of its accounts. Where its API is off there are none.
func askNode(ctx context.Context, r *relay) (map[string]int64, error) {
	var answer struct {
		Accounts []struct {
			ID      string
			Balance struct{ Clearing, Prepaid int64 }
		}
	}
	if ok, err := fetchJSON(ctx, "http://"+r.entry.String()+"/status", r.secret, &answer); err != nil || !ok {
		return nil, err
	}
	balances := make(map[string]int64)
	for _, a := range answer.Accounts {
		balances[a.ID] = a.Balance.Clearing + a.Balance.Prepaid
	}
	return balances, nil
}

// fetchJSON decodes an answer; ok is false when its status is not 200.
func fetchJSON(ctx context.Context, url, bearer string, into any) (ok bool, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return false, err
	}
	request.Header.Set("Authorization", "Bearer "+bearer)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return false, err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return false, nil
	}
	return true, json.NewDecoder(answer.Body).Decode(into)
}

// askNothing is for what keeps no balances.
func askNothing(context.Context, *relay) (map[string]int64, error) { return nil, nil }
