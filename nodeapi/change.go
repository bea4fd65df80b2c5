package nodeapi

// This file carries out what changes accounts: first they work as wanted, then that is kept.

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.uber.org/zap"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

var (
	// ErrExists says that there is an account of that name already.
	ErrExists = errors.New("there is an account of this name already")
	// ErrStatic says that an account is written in the Caddyfile, where alone it can be changed; the error that wraps it names the line.
	ErrStatic = errors.New("the account is set up in the Caddyfile: change it there and reload")
	// ErrStaticRoute says that a route is written in the Caddyfile, where alone it can be changed.
	ErrStaticRoute = errors.New("the route is set up in the Caddyfile: change it there and reload")
	// ErrBalance says that an account still owes or is owed something, so that it cannot be deleted or count in another asset.
	ErrBalance = errors.New("the account's balance is not zero, or packets of it are under way: settle it first")
)

// OpenAccounts opens all accounts, routes and rates that the Directory keeps, at start. One that cannot be opened is logged and left: a
// dead neighbour or a mistake in one account must not keep the node from starting.
func (a *API) OpenAccounts() {
	for _, s := range a.directory.Accounts() {
		if static, ok := a.static[s.ID]; ok {
			a.logger.Warn("an account is set up both in the Caddyfile, which counts, and by the API",
				zap.String("account", string(s.ID)), zap.String("caddyfile", static.Origin))
			continue
		}
		if err := a.opener.Open(s); err != nil {
			a.logger.Error("an account cannot be opened", zap.String("account", string(s.ID)), zap.Error(err))
		}
	}
	a.openRoutes()
	a.openRates()
}

// find returns an account of the Caddyfile or of the Directory, or ErrNoAccount.
func (a *API) find(id ilpcore.AccountID) (Settings, error) {
	if s, ok := a.static[id]; ok {
		return s, nil
	}
	return a.directory.Account(id)
}

// list returns all accounts in the order of their names.
func (a *API) list() []Settings {
	all := maps.Clone(a.static)
	for _, s := range a.directory.Accounts() {
		if _, ok := all[s.ID]; !ok {
			all[s.ID] = s
		}
	}
	list := make([]Settings, 0, len(all))
	for _, id := range slices.Sorted(maps.Keys(all)) {
		list = append(list, all[id])
	}
	return list
}

// create makes a new account. Errors: ErrExists, *FieldError, and those of the store.
func (a *API) create(ctx context.Context, s Settings) (Settings, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	if _, err := a.find(s.ID); err == nil {
		return s, fmt.Errorf("%w: %q", ErrExists, s.ID)
	}
	s.Created = a.now().UTC()
	s.Modified = s.Created
	uuid, err := a.uuid()
	if err != nil {
		return s, err
	}
	s.UUID = uuid
	return s, a.work(ctx, s, nil)
}

// update changes an account: edit is given what it is now and returns what it shall be. Errors: ErrNoAccount, ErrStatic, ErrBalance,
// *FieldError, edit's own, and those of the store.
func (a *API) update(ctx context.Context, id ilpcore.AccountID, edit func(Settings) (Settings, error)) (Settings, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	old, err := a.changeable(id)
	if err != nil {
		return old, err
	}
	s, err := edit(old)
	if err != nil {
		return old, err
	}
	s.ID, s.UUID, s.Form, s.Created, s.Modified = old.ID, old.UUID, old.Form, old.Created, a.now().UTC()
	if s.Asset != old.Asset && a.owes(id) {
		return old, fmt.Errorf("%w; a balance is never counted in another asset", ErrBalance)
	}
	return s, a.work(ctx, s, &old)
}

// remove deletes an account whose balance is zero, with its routes, and returns what it was. Errors: ErrNoAccount, ErrStatic,
// ErrBalance, and those of the store.
func (a *API) remove(ctx context.Context, id ilpcore.AccountID) (Settings, error) {
	a.changing.Lock()
	defer a.changing.Unlock()
	s, err := a.changeable(id)
	if err != nil {
		return s, err
	}
	before := a.directory.Routes()
	if err := a.setRoutes(ctx, slices.DeleteFunc(slices.Clone(before), func(r connector.Route) bool { return r.Account == id })); err != nil {
		return s, err
	}
	if err := a.opener.Close(id); err != nil {
		return s, fmt.Errorf("closing account %q: %w", id, err)
	}
	// Only now does the balance stand still.
	err = a.books.Forget(id)
	if errors.Is(err, connector.ErrBalance) {
		err = ErrBalance
	}
	if err == nil {
		err = a.directory.DeleteAccount(ctx, id)
	}
	if err != nil {
		return s, errors.Join(err, a.opener.Open(s), a.setRoutes(ctx, before))
	}
	a.hub.dropAccount(id)
	return s, nil
}

func (a *API) changeable(id ilpcore.AccountID) (Settings, error) {
	s, err := a.find(id)
	if err == nil && s.Origin != "" {
		err = fmt.Errorf("%w (%s)", ErrStatic, s.Origin)
	}
	return s, err
}

// work opens the account as s says and then keeps it. If that fails, the account works as old says again; nil: not at all.
func (a *API) work(ctx context.Context, s Settings, old *Settings) error {
	if err := a.opener.Open(s); err != nil {
		return err
	}
	err := a.directory.PutAccount(ctx, s)
	if err == nil {
		return nil
	}
	var undo error
	if old == nil {
		undo = a.opener.Close(s.ID)
	} else {
		undo = a.opener.Open(*old)
	}
	return errors.Join(err, undo)
}
