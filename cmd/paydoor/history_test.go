package main

// This file has two users of the real binary pay each other over its API, kills it in the middle, and adds their histories up.

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// paid is a payment in an account's history.
type paid struct {
	Direction string
	State     string
	Amount    int64
	Source    int64  `json:"source_amount"`
	Key       string `json:"idempotency_key"`
}

func TestHistoryOfAccountsSurvivesAKill(t *testing.T) {
	p := newProcess(t)
	node, admin := freeAddress(t), freeAddress(t)
	users := []string{"alice", "bob"}
	accounts := ""
	for _, name := range users {
		accounts += fmt.Sprintf("\t\taccount %s {\n\t\t\trelation non_routing\n\t\t\thttp {\n\t\t\t\tincoming simple %s\n\t\t\t}\n\t\t\tmax_packet 10\n\t\t\tpackets_per_minute 1000000\n\t\t}\n", name, userToken(name))
	}
	p.write("Caddyfile", fmt.Sprintf("{\n\tadmin %s\n\tauto_https off\n\tpersist_config off\n\tilp {\n\t\tdata_dir data\n\t\taddress test.node\n%s\t}\n}\nhttp://%s {\n\tbind 127.0.0.1\n\tilp_node {\n\t\tallow_private\n\t}\n}\n", admin, accounts, node))
	url := "http://" + node
	p.start(url, "run", "--config", "Caddyfile")
	var answered atomic.Int64
	var clients sync.WaitGroup
	for i, name := range users {
		for client := range 2 {
			clients.Go(func() {
				for n := 0; ; n++ {
					units := 200 + n
					if client == 1 {
						units = 10_000_000 // under way when the node is killed
					}
					body := fmt.Sprintf(`{"receiver":"%s/accounts/%s/spsp","source_amount":%d}`, url, users[1-i], units)
					status, answer, err := callWithKey(http.MethodPost, url+"/accounts/"+name+"/payments", "Bearer "+userToken(name), body, fmt.Sprintf("%s-%d-%d", name, client, n))
					if err != nil {
						return
					}
					if status != http.StatusOK {
						t.Errorf("%s is answered with %d %s", name, status, answer)
						return
					}
					answered.Add(1)
				}
			})
		}
	}
	p.killAfter(3, &answered)
	clients.Wait()
	p.start(url, "run", "--config", "Caddyfile")
	operator := "Bearer " + p.adminToken()
	completed, cut := int64(0), 0
	for _, name := range users {
		net := int64(0)
		for _, one := range historyOf(t, url, name, operator) {
			if one.Direction == "received" {
				net += one.Amount
				continue
			}
			net -= one.Amount
			switch {
			case one.State == "completed" && one.Amount == one.Source:
				completed++
			case one.State == "unknown" && one.Amount <= one.Source:
				cut++
				body := fmt.Sprintf(`{"receiver":"%s/accounts/%s/spsp","source_amount":%d}`, url, users[0], one.Source)
				if name == users[0] {
					body = fmt.Sprintf(`{"receiver":"%s/accounts/%s/spsp","source_amount":%d}`, url, users[1], one.Source)
				}
				status, answer, err := callWithKey(http.MethodPost, url+"/accounts/"+name+"/payments", "Bearer "+userToken(name), body, one.Key)
				if err != nil || status != http.StatusConflict || !strings.Contains(answer, "/payments") {
					t.Errorf("a payment that was cut short is asked for again: %d %s %v", status, answer, err)
				}
			default:
				t.Errorf("%s has %+v", name, one)
			}
		}
		status, body, err := call(http.MethodGet, url+"/accounts/"+name+"/balance", operator, "")
		var shown struct{ Balance int64 }
		if err == nil {
			err = json.Unmarshal([]byte(body), &shown)
		}
		if err != nil || status != http.StatusOK || shown.Balance != net {
			t.Errorf("the history of %s adds up to %d, the balance is %s, %v", name, net, body, err)
		}
	}
	// One that has ended may not have been answered any more.
	if completed < answered.Load() || cut < 2 || cut > 4 {
		t.Errorf("%d payments are completed and %d cut short, %d were answered", completed, cut, answered.Load())
	}
}

// historyOf reads all pages.
func historyOf(t *testing.T, url, name, authorization string) (all []paid) {
	t.Helper()
	for cursor := ""; ; {
		status, body, err := call(http.MethodGet, url+"/accounts/"+name+"/payments?limit=5"+cursor, authorization, "")
		var page struct {
			Payments []paid
			Next     string
		}
		if err == nil {
			err = json.Unmarshal([]byte(body), &page)
		}
		if err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, body, err)
		}
		all = append(all, page.Payments...)
		if page.Next == "" {
			return all
		}
		cursor = "&cursor=" + page.Next
	}
}
