package connector

// This file stops packets that a change of their account has overtaken: a packet keeps to the accounts that it saw when it came, and one of those may be
// deleted and made anew under its name before the packet holds any money.

import (
	"errors"

	"github.com/paydoor/paydoor/amount"
)

// errOvertaken says that an account is not any more what the packet took it for.
var errOvertaken = errors.New("the account was changed")

// expect keeps room for what the packet brings to an account. Once it is kept, the account's balance cannot be forgotten before the packet has ended; so
// the account is looked at again after that, and is then still the one that the packet is for.
func (d *dispatch) expect(to *account, units amount.Amount) error {
	if err := d.node.books.expect(&d.held, to.ID, units); err != nil {
		return err
	}
	if !d.node.stands(to) {
		return errOvertaken
	}
	return nil
}

// stands says whether the account is still there, and the same one.
func (n *Node) stands(a *account) bool {
	now := n.table.Load().accounts[a.ID]
	return now == a || now != nil && now.UUID == a.UUID
}
