//go:build linux

package main

// This file is the receiver of this process that senders pay to: whatever it costs is the same for all of them, and it has no disk.

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/links/btp"
	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/receiver"
)

// largestPacket is the most that a packet of a sender may carry, in base units: larger ones get F08.
const largestPacket = 10_000

// till is what senders pay to.
type till interface {
	// uplink is how the sender of that name reaches it.
	uplink(name string, overBTP bool) uplink
	// quote returns where to pay, for one payment; received, what has arrived of it.
	quote(ctx context.Context) (to order, received func(context.Context) (amount.Amount, error), err error)
}

// memoryTill is a node of this process: the two links, and nothing behind them but a limit and the receiver.
type memoryTill struct {
	secret   string
	address  netip.AddrPort
	receiver *receiver.Receiver
	server   *http.Server
	ended    chan error
	btp      *btp.Listener
	links    []*btp.Awaited

	mu       sync.Mutex
	received map[[32]byte]*atomic.Uint64
}

const memoryNode = ilpcore.Address("test.memory")

func startMemoryTill(secret string, senders []string) (_ *memoryTill, err error) {
	m := &memoryTill{secret: secret, ended: make(chan error, 1), received: map[[32]byte]*atomic.Uint64{}, btp: btp.NewListener(btp.ListenerConfig{})}
	m.receiver, err = receiver.New(receiver.Config{
		Secrets: [][]byte{[]byte(secret)}, Addresses: memoryAddress{}, Crediter: m, Random: rand.Reader, Now: time.Now,
	})
	if err != nil {
		return nil, err
	}
	node := ilpcore.HandlerFunc(m.handle)
	credentials := ilphttp.NewCredentials(nil)
	for _, name := range senders {
		credentials.Add(ilpcore.AccountID(name), m.token(name))
		link, err := btp.Await(btp.AwaitConfig{Account: ilpcore.AccountID(name), Token: m.token(name), Handler: node})
		if err != nil {
			return nil, err
		}
		m.links = append(m.links, link)
		m.btp.Add(link)
	}
	posts, err := ilphttp.NewServer(ilphttp.ServerConfig{Accounts: credentials, Handler: node})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	m.address = listener.Addr().(*net.TCPAddr).AddrPort()
	mux := http.NewServeMux()
	mux.Handle("POST /ilp", posts)
	mux.HandleFunc("/btp", m.btp.ServeHTTP)
	m.server = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go func() { m.ended <- m.server.Serve(listener) }()
	return m, nil
}

func (m *memoryTill) token(name string) string { return m.secret + "-" + name }

func (m *memoryTill) close() error {
	var errs []error
	for _, link := range m.links {
		errs = append(errs, link.Close())
	}
	errs = append(errs, m.btp.Close(), m.server.Close())
	if served := <-m.ended; !errors.Is(served, http.ErrServerClosed) {
		errs = append(errs, served)
	}
	return errors.Join(errs...)
}

func (m *memoryTill) uplink(name string, overBTP bool) uplink {
	if overBTP {
		return uplink{BTP: fmt.Sprintf("btp+ws://:%s@%s/btp", m.token(name), m.address)}
	}
	return uplink{HTTP: fmt.Sprintf("http://%s/ilp", m.address), Token: m.token(name)}
}

func (m *memoryTill) quote(context.Context) (to order, received func(context.Context) (amount.Amount, error), err error) {
	var payee receiver.Payee
	rand.Read(payee.ID[:])
	made, err := m.receiver.Quote(receiver.QuoteRequest{Payee: payee, Due: 1})
	if err != nil {
		return to, nil, err
	}
	sum := new(atomic.Uint64)
	m.mu.Lock()
	m.received[payee.ID] = sum
	m.mu.Unlock()
	to = order{Destination: made.Address, Secret: base64.RawURLEncoding.EncodeToString(made.SharedSecret[:])}
	return to, func(context.Context) (amount.Amount, error) { return amount.Amount(sum.Load()), nil }, nil
}

// handle tells senders who they are, refuses what is too large, and leaves the rest to the receiver.
func (m *memoryTill) handle(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	if string(in.Destination) == ilpcore.PeerConfig {
		told, err := ilpcore.ILDCP{Address: memoryNode + "." + ilpcore.Address(in.From), Asset: asset}.Reply()
		if err != nil {
			return ilpcore.Reject(ilpcore.T00, string(memoryNode), err.Error(), nil)
		}
		return told
	}
	if in.Amount > largestPacket {
		data := ilpcore.AmountTooLarge{Received: in.Amount, Maximum: largestPacket}.Append(nil)
		return ilpcore.Reject(ilpcore.F08, string(memoryNode), "the packet is too large", data)
	}
	return m.receiver.HandlePrepare(ctx, in)
}

// Credit adds up in memory.
func (m *memoryTill) Credit(_ context.Context, c receiver.Credit) (bool, error) {
	m.mu.Lock()
	sum := m.received[c.Payee.ID]
	m.mu.Unlock()
	sum.Add(uint64(c.Amount))
	return false, nil
}

// Lookup knows no duplicates: no sender sends a packet twice here, and the sums would show it.
func (m *memoryTill) Lookup(context.Context, [32]byte) (digest [32]byte, found bool, err error) {
	return digest, false, nil
}

var asset = ilpcore.Asset{Code: "USD", Scale: 9}

type memoryAddress struct{}

func (memoryAddress) Address() (ilpcore.Address, ilpcore.Asset, bool) { return memoryNode, asset, true }

func (memoryAddress) Suffix(destination []byte) ([]byte, bool) { return memoryNode.Suffix(destination) }

var _ till = (*memoryTill)(nil)
