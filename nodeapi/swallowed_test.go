package nodeapi

// This file deletes an account whose neighbour answers nothing.

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// swallower is a link that answers nothing before it is closed, as one whose opener it is closes it.
type swallower struct {
	Opener
	got, closed, answered chan struct{}
}

func (s swallower) HandlePrepare(context.Context, ilpcore.Incoming) ilpcore.Reply {
	close(s.got)
	<-s.closed
	return ilpcore.Reject(ilpcore.T01, "", "the link is closed", nil)
}

func (swallower) Up() bool { return true }

func (s swallower) Close(id ilpcore.AccountID) error {
	err := s.Opener.Close(id)
	close(s.closed)
	<-s.answered
	return err
}

// TestAPacketThatIsNotAnsweredKeepsNoAccount: its answer comes with the end of the link, at the latest.
func TestAPacketThatIsNotAnsweredKeepsNoAccount(t *testing.T) {
	link := swallower{got: make(chan struct{}), closed: make(chan struct{}), answered: make(chan struct{})}
	b := rustBed(t, func(c *Config) { link.Opener, c.Opener = c.Opener, &link })
	if err := b.node.Put(connector.Account{ID: "alice", Relation: connector.Child, Asset: ilpcore.Asset{Code: "XYZ", Scale: 6}, Link: link}); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(link.answered)
		b.node.HandlePrepare(t.Context(), ilpcore.Incoming{From: "bob", Prepare: ilpcore.Prepare{
			Amount: 5, ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.ConditionOf([32]byte{1}), Destination: []byte("test.node.alice.x"),
		}})
	}()
	select {
	case <-link.got:
	case <-link.answered:
		t.Fatal("the packet did not get there")
	}
	if w := b.ask(t, "DELETE", "/accounts/alice", asAdmin, ""); w.Code != http.StatusOK {
		t.Errorf("%d %s", w.Code, w.Body)
		close(link.closed)
		<-link.answered
	}
	if w := b.ask(t, "GET", "/accounts/alice", asAdmin, ""); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
