package caddymodule

// This file has neighbours that leave while what they paid is being written: the credit stands, and is counted as one whose fulfillment could
// not be sent, over every kind of link.

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/ilpcore/psk2"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/payer"
	"github.com/paydoor/paydoor/store"
)

// heldDisk is a disk that stops at the next group when it is told to, and says when it has.
type heldDisk struct {
	holding       atomic.Bool
	held, release chan struct{}
}

// holdDisk is to be called before the server is made.
func holdDisk(t *testing.T) *heldDisk {
	d := &heldDisk{held: make(chan struct{}, 1), release: make(chan struct{})}
	fault = func(at store.Point, _ uint64) error {
		if at == store.BeforeCommit && d.holding.CompareAndSwap(true, false) {
			d.held <- struct{}{}
			<-d.release
		}
		return nil
	}
	t.Cleanup(func() { fault = nil })
	return d
}

// leaving is a neighbour's way to send a packet, and to be gone before there is an answer.
type leaving struct {
	send  func(p ilpcore.Prepare)
	leave func()
}

func TestP13UnconfirmedCreditsAreCountedOnEveryLink(t *testing.T) {
	account := func(link string) string { return "\naccount kid {\nrelation child\n" + link + "\n}" }
	for name, c := range map[string]struct {
		options string // "PEER" stands for where a server of the neighbour listens
		link    string // by its name in the metrics
		open    func(s *server, peer *btp.Awaited) leaving
	}{
		"http":     {account("http {\nincoming simple " + strong + "\n}"), "kid", postsBody("/accounts/kid/ilp")},
		"headers":  {account("headers {\nincoming simple " + strong + "\n}"), "kid", postsHeaders},
		"sandbox":  {"", "sandbox", postsBody("/sandbox/ilp")},
		"btp":      {account("btp listen " + strong), "kid", dials},
		"btp dial": {account("btp btp+ws://:" + strong + "@PEER/"), "kid", isDialled},
	} {
		t.Run(name, func(t *testing.T) {
			disk := holdDisk(t)
			s := newServer(t)
			peer, address := awaitNode(t)
			s.options += strings.ReplaceAll(c.options, "PEER", address)
			s.load()
			neighbour := c.open(s, peer)
			p := s.packetFor(25)
			before, _ := s.scrape()
			disk.holding.Store(true)
			sent := make(chan struct{})
			go func() {
				defer close(sent)
				neighbour.send(p)
			}()
			select {
			case <-disk.held:
			case <-sent:
				t.Fatal("the packet did not come to the disk")
			}
			neighbour.leave()
			<-sent
			time.Sleep(100 * time.Millisecond) // until the server has noticed
			close(disk.release)
			labels := `{link="` + c.link + `"}`
			eventually(t, "the payment is counted", func() bool {
				after, _ := s.scrape()
				grown := increases(before, after)
				return grown["paydoor_unconfirmed_credits_total"+labels] == 1 && grown["paydoor_unconfirmed_units_total"+labels] == 25
			})
			s.want(s.do(http.MethodOptions, "/"), http.StatusNoContent, "25")
		})
	}
}

// packetFor makes a packet that pays n to the token.
func (s *server) packetFor(n amount.Amount) ilpcore.Prepare {
	s.t.Helper()
	ask, err := payer.ParsePay(s.do(http.MethodOptions, "/").Header.Get("Pay"))
	if err != nil {
		s.t.Fatal(err)
	}
	keys := psk2.Keys(ask.Secret)
	plain, err := psk2.Packet{Type: psk2.TypeRequest, RequestID: 1, Amount: n}.Append(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	data, err := keys.Seal(nil, plain, rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	return ilpcore.Prepare{
		Amount: n, ExpiresAt: time.Now().Add(20 * time.Second), Condition: ilpcore.ConditionOf(keys.Fulfillment(data)),
		Destination: []byte(ask.Address), Data: data,
	}
}

// awaitNode serves a BTP link that the node may dial.
func awaitNode(t *testing.T) (peer *btp.Awaited, address string) {
	t.Helper()
	peer, err := btp.Await(btp.AwaitConfig{Account: "node", Token: strong})
	if err != nil {
		t.Fatal(err)
	}
	listener := btp.NewListener(btp.ListenerConfig{})
	listener.Add(peer)
	served := httptest.NewServer(listener)
	t.Cleanup(func() {
		if err := peer.Close(); err != nil {
			t.Error(err)
		}
		served.Close()
	})
	return peer, served.Listener.Addr().String()
}

// posts makes requests with build, and leaves by ending their connection.
func posts(s *server, build func(ctx context.Context, p ilpcore.Prepare) (*http.Request, error)) leaving {
	ctx, cancel := context.WithCancel(s.t.Context())
	return leaving{leave: cancel, send: func(p ilpcore.Prepare) {
		request, err := build(ctx, p)
		if err != nil {
			s.t.Error(err)
			return
		}
		if response, err := s.client.Do(request); err == nil {
			body, _ := io.ReadAll(response.Body)
			_ = response.Body.Close()
			s.t.Errorf("the neighbour got an answer: %s %q", response.Status, body)
		}
	}}
}

func postsBody(path string) func(*server, *btp.Awaited) leaving {
	return func(s *server, _ *btp.Awaited) leaving {
		return posts(s, func(ctx context.Context, p ilpcore.Prepare) (*http.Request, error) {
			body, err := p.Append(nil)
			if err != nil {
				return nil, err
			}
			request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.node+path, bytes.NewReader(body))
			if err == nil {
				request.Header.Set("Authorization", "Bearer "+strong)
				request.Header.Set("Content-Type", "application/octet-stream")
			}
			return request, err
		})
	}
}

func postsHeaders(s *server, _ *btp.Awaited) leaving {
	return posts(s, func(ctx context.Context, p ilpcore.Prepare) (*http.Request, error) {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.node+"/", bytes.NewReader(p.Data))
		if err == nil {
			for name, value := range map[string]string{
				"Authorization": "Bearer " + strong, "ILP-Destination": string(p.Destination), "ILP-Amount": p.Amount.String(),
				"ILP-Condition": base64.RawURLEncoding.EncodeToString(p.Condition[:]), "ILP-Expiry": p.ExpiresAt.UTC().Format("2006-01-02T15:04:05Z"),
			} {
				request.Header.Set(name, value)
			}
		}
		return request, err
	})
}

func overBTP(t *testing.T, link interface {
	ilpcore.Handler
	Close() error
}) leaving {
	return leaving{
		send: func(p ilpcore.Prepare) {
			if reply := link.HandlePrepare(context.Background(), ilpcore.Incoming{Prepare: p}); reply.Fulfilled || reply.Code != ilpcore.T01 && reply.Code != ilpcore.R00 {
				t.Errorf("the neighbour got an answer: %+v", reply)
			}
		},
		leave: func() {
			if err := link.Close(); err != nil {
				t.Error(err)
			}
		},
	}
}

func dials(s *server, _ *btp.Awaited) leaving {
	kid := s.neighbour("/accounts/kid/ilp/btp", "kid", strong, nil)
	eventually(s.t, "the neighbour connects", kid.Up)
	return overBTP(s.t, kid)
}

func isDialled(s *server, peer *btp.Awaited) leaving {
	eventually(s.t, "the node connects", peer.Up)
	return overBTP(s.t, peer)
}
