package nodeapi

// This file tests kill -9: a child process has accounts pay each other until it is killed, and then their histories have to add up to their balances.

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"crypto/rand"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/receiver"
	"github.com/paydoor/paydoor/store"
)

// historyChild says in the environment of the child where its store is.
const historyChild = "PAYDOOR_HISTORY_CHILD"

// killPayers pay each other in a circle, each payment in many packets.
var killPayers = []ilpcore.AccountID{"alice", "bob", "carol"}

// payUntilKilled makes a node of the parts that a payment goes through: sender, history, node, receiver and history again.
func payUntilKilled(dir string) {
	if err := payFor(dir); err != nil {
		fmt.Println("failed", err)
	}
}

func payFor(dir string) error {
	s, err := store.Open(context.Background(), dir, store.Options{MinFree: 1, Ballast: -1})
	if err != nil {
		return err
	}
	books, err := connector.OpenBooks(s)
	if err != nil {
		return err
	}
	directory, err := OpenDirectory(s, NewKeeper([][]byte{testSecret}, rand.Reader))
	if err != nil {
		return err
	}
	a := &API{directory: directory, static: make(map[ilpcore.AccountID]Settings), now: time.Now}
	holders := &Holders{History: a, Now: time.Now}
	usd := ilpcore.Asset{Code: "USD", Scale: 9}
	c := connector.Config{Address: "test.node", Asset: usd, Books: books, Holders: holders}
	for _, id := range killPayers {
		a.static[id] = Settings{ID: id, UUID: "uuid of " + string(id), Asset: Asset(usd)}
		c.Accounts = append(c.Accounts, connector.Account{ID: id, UUID: a.static[id].UUID, Relation: connector.NonRouting, MaxPacketAmount: 10, MaxPacketsPerMinute: 1 << 30})
	}
	if a.node, err = connector.NewNode(c); err != nil {
		return err
	}
	holders.Receiver, err = receiver.New(receiver.Config{Secrets: [][]byte{testSecret}, Addresses: a.node, Crediter: noTokens{}, Random: rand.Reader, Now: time.Now})
	if err != nil {
		return err
	}
	sender := &streamer{a.node, holders.Receiver}
	for i, id := range killPayers {
		go func() {
			for n := 0; ; n++ {
				o := Outgoing{From: id, Receiver: string(killPayers[(i+1+n%2)%3]), Amount: amount.Amount(200 + n)}
				kept, err := directory.history.begin(context.Background(), a.static[id].UUID, paymentDetails{Direction: sent, Begun: time.Now(), Source: o.Amount}, time.Now)
				if err != nil {
					fmt.Println("failed", err)
					return
				}
				d, err := sender.Pay(connector.WithAlong(context.Background(), kept.along), o)
				a.endPayment(context.Background(), kept, d, err)
				fmt.Println("paid", id, d.Sent, err)
			}
		}()
	}
	select {}
}

func TestHistoryAddsUpAfterAKill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	cut := 0
	for round := 0; round < 3 || cut == 0 && round < 20; round++ { // a busy machine may let all payments end before it kills
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), historyChild+"="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		for seen := 1; lines.Scan(); seen++ {
			var from string
			var units int
			if _, err := fmt.Sscanf(lines.Text(), "paid %s %d <nil>", &from, &units); err != nil {
				t.Errorf("the child says %q", lines.Text())
				break
			}
			if seen == 7+round { // in the middle of others
				_ = cmd.Process.Kill()
			}
		}
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		cut += afterAKill(t, dir)
	}
	if cut == 0 {
		t.Error("no payment was under way at any kill")
	}
}

// afterAKill compares histories and balances, and returns how many payments were cut short.
func afterAKill(t *testing.T, dir string) (cut int) {
	t.Helper()
	s := openStore(t, dir)
	defer s.Close()
	books, err := connector.OpenBooks(s)
	if err != nil {
		t.Fatal(err)
	}
	h, err := openHistory(s)
	if err != nil {
		t.Fatal(err)
	}
	total := int64(0)
	for _, id := range killPayers {
		p, err := h.page("uuid of "+string(id), pageQuery{limit: 10_000})
		if err != nil || p.next != nil {
			t.Fatal(err, p.next)
		}
		net, packets := int64(0), uint64(0)
		for _, one := range p.payments {
			state := h.stateOf(one, time.Now())
			if one.details.Direction == received {
				net += int64(one.units)
				continue
			}
			net -= int64(one.units)
			packets += one.packets
			switch {
			case state == stateUnknown && one.units < one.details.Source:
				cut++
			case state == stateCompleted && one.units == one.details.Source, state == stateUnknown:
			default:
				t.Errorf("a payment of %s is %s, with %d of %d", id, state, one.units, one.details.Source)
			}
		}
		balance, _ := books.Balance(id)
		if net != balance.Net() || packets == 0 {
			t.Errorf("the history of %s adds up to %d, its balance is %d", id, net, balance.Net())
		}
		total += balance.Net()
	}
	if total != 0 {
		t.Errorf("the balances add up to %d", total)
	}
	return cut
}
