package connector

// This file stops packets that a change of their account has overtaken: a packet keeps to the accounts that it saw when it came, and before it holds any
// money one of those may be deleted and made anew under its name, or count in another asset.

import (
	"errors"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

// errOvertaken says that an account is not any more what the packet took it for, or is being made another.
var errOvertaken = errors.New("the account was changed")

// Pause keeps the account's balance at zero, so that it can be counted in another asset, until resume is called: packets that would move money there are
// rejected meanwhile. It is ErrBalance unless the balance is zero and nothing is under way. Settlements are the caller's to keep away.
func (b *Books) Pause(id ilpcore.AccountID) (resume func(), err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, err := b.forgettable(id); err != nil {
		return nil, err
	}
	b.paused[id]++
	return func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if b.paused[id]--; b.paused[id] == 0 {
			delete(b.paused, id)
		}
	}, nil
}

// open returns errOvertaken for an account that is paused. The lock is held.
func (b *Books) open(id ilpcore.AccountID) error {
	if len(b.paused) > 0 && b.paused[id] > 0 {
		return errOvertaken
	}
	return nil
}

// hold holds what the packet takes from an account. As of expect, the account stays as the packet has seen it.
func (n *Node) hold(from *account, units amount.Amount) (hold, error) {
	held, err := n.books.take(from.ID, units, from.MinBalance)
	if err == nil && units > 0 && !n.stands(from) {
		n.books.release(&held)
		return hold{}, errOvertaken
	}
	return held, err
}

// expect keeps room for what the packet brings to an account. Once it is kept, the account's balance can be neither forgotten nor paused before the packet
// has ended; so the account is looked at again after that, and stays what the packet has seen.
func (d *dispatch) expect(to *account, units amount.Amount) error {
	err := d.node.books.expect(&d.held, to.ID, units)
	if err == nil && units > 0 && !d.node.stands(to) {
		return errOvertaken // what is kept is given back at the packet's end
	}
	return err
}

// stands says whether the account is still there, is the same one, and counts the same.
func (n *Node) stands(a *account) bool {
	now := n.table.Load().accounts[a.ID]
	return now == a || now != nil && now.same(a)
}

// same says whether money of one account may be that of the other: it is the one that it was, with other settings.
func (a *account) same(other *account) bool { return a.UUID == other.UUID && a.Asset == other.Asset }
