package nodeapi

// This file tells subscribers of payments as they come in. Nothing waits for a subscriber: one that does not keep up is dropped.

import (
	"sync"

	"github.com/paydoor/paydoor/ilpcore"
)

const (
	subscriberRoom = 256 // payments that wait for a subscriber at most
	maxSubscribers = 100 // of one account, and of the whole node
)

// hub passes payments on.
type hub struct {
	mu          sync.Mutex
	closed      bool
	subscribers map[*subscriber]struct{}
	serving     sync.WaitGroup // the handlers of subscribers
}

// subscriber is one connection. payments is closed when no more will come: it was dropped, its account deleted or given other credentials, or the API closed.
type subscriber struct {
	account  ilpcore.AccountID // "": all
	payments chan Payment
	slow     bool // read after payments is closed
}

func newHub() *hub { return &hub{subscribers: make(map[*subscriber]struct{})} }

// subscribe returns a new subscriber, which calls leave in the end; ok is false after close, and where there are too many.
func (h *hub) subscribe(account ilpcore.AccountID) (s *subscriber, ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	same := 0
	for other := range h.subscribers {
		if other.account == account {
			same++
		}
	}
	if h.closed || same >= maxSubscribers {
		return nil, false
	}
	s = &subscriber{account: account, payments: make(chan Payment, subscriberRoom)}
	h.subscribers[s] = struct{}{}
	h.serving.Add(1)
	return s, true
}

func (h *hub) leave(s *subscriber) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.drop(s)
	h.serving.Done()
}

// drop ends what s gets. The lock is held.
func (h *hub) drop(s *subscriber) {
	if _, ok := h.subscribers[s]; ok {
		delete(h.subscribers, s)
		close(s.payments)
	}
}

// notify passes p on to all who may know of it.
func (h *hub) notify(p Payment) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		if s.account != "" && s.account != p.To {
			continue
		}
		select {
		case s.payments <- p:
		default:
			s.slow = true
			h.drop(s)
		}
	}
}

// dropAccount ends the subscriptions to an account that is no more, or that whoever subscribed may not ask about any more.
func (h *hub) dropAccount(id ilpcore.AccountID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.subscribers {
		if s.account == id {
			h.drop(s)
		}
	}
}

// close ends all subscriptions. Their handlers go on until the clients are told.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for s := range h.subscribers {
		h.drop(s)
	}
}

// Notify tells the subscribers of a payment. It does not block.
func (a *API) Notify(p Payment) { a.hub.notify(p) }

// Due tells that an account has reached its threshold, so that it is settled. It does not block.
func (a *API) Due(id ilpcore.AccountID) { a.settler.due(id) }

// EndSubscriptions has the subscribers told that no more comes here, and waits for nobody. Payments go on.
func (a *API) EndSubscriptions() { a.hub.close() }

// Close stops the payments that are being made and the calls to settlement engines, ends the subscriptions to incoming payments, and waits
// for all. Other requests are answered as before.
func (a *API) Close() error {
	a.settler.stop()
	a.sweeper.stop()
	a.paying.close()
	a.EndSubscriptions()
	a.hub.serving.Wait()
	return nil
}
