package main

// This file kills the real binary while its API makes accounts, and wants each of them wholly there or not at all.

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAccountsAreWholeAfterAKill has four clients make accounts until the node is killed: at that moment each of them waits for an answer.
func TestAccountsAreWholeAfterAKill(t *testing.T) {
	p := newProcess(t)
	node, admin := freeAddress(t), freeAddress(t)
	p.write("Caddyfile", fmt.Sprintf("{\n\tadmin %s\n\tauto_https off\n\tpersist_config off\n\tilp {\n\t\tdata_dir data\n\t\taddress test.node\n\t}\n}\nhttp://%s {\n\tbind 127.0.0.1\n\tilp_node\n}\n", admin, node))
	url := "http://" + node
	p.start(url, "run", "--config", "Caddyfile")
	operator := "Bearer " + p.adminToken()
	var mu sync.Mutex
	answered := make(map[string]bool) // by each name that was sent
	var made atomic.Int64
	var clients sync.WaitGroup
	for client := range 4 {
		clients.Go(func() {
			for i := 0; ; i++ {
				name := fmt.Sprintf("user%d-%d", client, i)
				mu.Lock()
				answered[name] = false
				mu.Unlock()
				status, _, err := call(http.MethodPost, url+"/accounts", operator, userBody(name))
				if err != nil {
					return
				}
				if status != http.StatusOK {
					t.Errorf("%s is answered with %d", name, status)
					return
				}
				mu.Lock()
				answered[name] = true
				mu.Unlock()
				made.Add(1)
			}
		})
	}
	p.killAfter(20, &made)
	clients.Wait()
	p.start(url, "run", "--config", "Caddyfile")
	there := 0
	for name, was := range answered {
		if wholly(t, url, operator, name) {
			there++
			continue
		}
		if was {
			t.Errorf("%s was answered and is gone", name)
		}
		if status, body, err := call(http.MethodPost, url+"/accounts", operator, userBody(name)); status != http.StatusOK || err != nil {
			t.Errorf("%s is not there and cannot be made: %d %s %v", name, status, body, err)
		}
	}
	if there < 20 {
		t.Errorf("%d accounts are there", there)
	}
}

func userToken(name string) string { return name + strings.Repeat("-", 32) }

func userBody(name string) string {
	return fmt.Sprintf(`{"username":%q,"asset_code":"USD","asset_scale":9,"min_balance":-5,"ilp_over_http_incoming_token":%q}`, name, userToken(name))
}

// wholly says whether the account is there. If it is, all of it has to be: its settings, its secret and its place in the node.
func wholly(t *testing.T, url, operator, name string) bool {
	t.Helper()
	status, body, err := call(http.MethodGet, url+"/accounts/"+name, operator, "")
	if err != nil {
		t.Fatal(err)
	}
	if status == http.StatusNotFound {
		if pingAs(url, name, userToken(name)) {
			t.Errorf("%s is not there and sends packets", name)
		}
		return false
	}
	var shown struct {
		UUID       string `json:"id"`
		ILPAddress string `json:"ilp_address"`
		Scale      int    `json:"asset_scale"`
		MinBalance int    `json:"min_balance"`
	}
	err = json.Unmarshal([]byte(body), &shown)
	if status != http.StatusOK || err != nil || shown.UUID == "" || shown.ILPAddress != "test.node."+name || shown.Scale != 9 || shown.MinBalance != -5 {
		t.Errorf("%s: %d %s %v", name, status, body, err)
	}
	if !pingAs(url, name, userToken(name)) {
		t.Errorf("a packet of %s is refused", name)
	}
	return true
}

// call asks the API.
func call(method, url, authorization, body string) (status int, answer string, err error) {
	return callWithKey(method, url, authorization, body, "")
}

// callWithKey is call with an Idempotency-Key, if it is not "".
func callWithKey(method, url, authorization, body, key string) (status int, answer string, err error) {
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	request.Header.Set("Authorization", authorization)
	request.Header.Set("Content-Type", "application/json")
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = response.Body.Close() }()
	b, err := io.ReadAll(response.Body)
	return response.StatusCode, string(b), err
}
