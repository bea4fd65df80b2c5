package main

// This file sends packets to the real binary, kills it, and asks its API what it still knows; and looks for the operator's token in
// whatever it wrote.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// TestBalancesOfAccountsSurviveAKill pings the node from four senders at once, and kills it meanwhile. Every ping that was answered has to be on
// the account's balance afterwards, and none that was not sent.
func TestBalancesOfAccountsSurviveAKill(t *testing.T) {
	p := newProcess(t)
	node, admin := freeAddress(t), freeAddress(t)
	secret := strings.Repeat("s", 32)
	p.write("Caddyfile", fmt.Sprintf(`{
	admin %s
	auto_https off
	persist_config off
	log {
		level DEBUG
		output file log
	}
	servers {
		log_credentials
	}
	ilp {
		data_dir data
		address test.node
		account bob {
			relation peer
			http {
				incoming simple %s
			}
		}
	}
}
http://%s {
	bind 127.0.0.1
	log
	ilp_node
}
`, admin, secret, node))
	url := "http://" + node
	p.start(url, "run", "--config", "Caddyfile")
	var sent, answered atomic.Int64
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for {
				sent.Add(1)
				if !ping(url, secret) {
					return
				}
				answered.Add(1)
			}
		})
	}
	p.killAfter(50, &answered)
	senders.Wait()
	p.start(url, "run", "--config", "Caddyfile")
	token := p.adminToken()
	balance := -netOf(t, url, "Bearer "+token)
	if balance < answered.Load() || balance > sent.Load() || answered.Load() < 50 {
		t.Errorf("bob owes %d after %d answered pings of %d", balance, answered.Load(), sent.Load())
	}
	if basic := "Basic " + base64.StdEncoding.EncodeToString([]byte("admin:"+token)); -netOf(t, url, basic) != balance {
		t.Error("user and password see another balance")
	}
	p.stop()
	if out := p.run("", "tokens", "check", "--dir", "data"); !strings.Contains(out, "The ledger adds up.") {
		t.Errorf("the check says %s", out)
	}
	for name, text := range p.written() {
		if name == "data/admin.token" {
			continue
		}
		for what, hidden := range map[string]string{"the admin token": token, "its Basic form": base64.StdEncoding.EncodeToString([]byte("admin:" + token)), "bob's token": secret} {
			if strings.Contains(text, hidden) {
				t.Errorf("%s stands in %s", what, name)
			}
		}
	}
	if log := p.written()["log"]; !strings.Contains(log, "/accounts/bob/ilp") {
		t.Error("nothing was logged")
	}
}

func (p *process) adminToken() string {
	p.t.Helper()
	b, err := os.ReadFile(filepath.Join(p.dir, "data", "admin.token"))
	if err != nil {
		p.t.Fatal(err)
	}
	return strings.TrimSpace(string(b))
}

// ping sends one unit to the node as bob and says whether it was fulfilled.
func ping(url, token string) bool { return pingAs(url, "bob", token) }

func pingAs(url, name, token string) bool {
	prepare := ilpcore.Prepare{
		Amount: 1, ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.PingCondition, Destination: []byte("test.node"),
	}
	packet, err := prepare.Append(nil)
	if err != nil {
		return false
	}
	request, err := http.NewRequest(http.MethodPost, url+"/accounts/"+name+"/ilp", bytes.NewReader(packet))
	if err != nil {
		return false
	}
	request.Header.Set("Authorization", "Bearer "+token)
	request.Header.Set("Content-Type", "application/octet-stream")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return false
	}
	reply, err := ilpcore.DecodeReply(body)
	return err == nil && reply.Fulfilled
}

// netOf asks the node's status for the only balance there is.
func netOf(t *testing.T, url, authorization string) int64 {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, url+"/status", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", authorization)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var status struct {
		Accounts []struct {
			Balance struct{ Clearing, Prepaid int64 } `json:"balance"`
		} `json:"accounts"`
	}
	if err := json.NewDecoder(response.Body).Decode(&status); err != nil || len(status.Accounts) != 1 {
		t.Fatalf("%s, %v, %v", response.Status, status, err)
	}
	return status.Accounts[0].Balance.Clearing + status.Accounts[0].Balance.Prepaid
}
