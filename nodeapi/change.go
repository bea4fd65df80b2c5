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
	// ErrReplaced says that another API has taken over the Directory, as a new configuration's does.
	ErrReplaced = errors.New("the node's configuration is being replaced: try again in a moment")
)

// OpenAccounts opens all accounts, routes and rates that the Directory keeps, at start. One that cannot be opened is logged and left: a
// dead neighbour or a mistake in one account must not keep the node from starting. It may be called again: then it brings the node to
// what the Directory keeps by now.
func (a *API) OpenAccounts() {
	a.changing.Lock()
	defer a.changing.Unlock()
	a.openAccounts()
}

// TakeOver is OpenAccounts, after which this API alone may make changes: those of other APIs of the Directory are ErrReplaced. No
// change is lost in between. Secrets are encrypted with the Keeper's key of now, if they were with another.
func (a *API) TakeOver() {
	a.changing.Lock()
	defer a.changing.Unlock()
	if before := a.directory.current; before != nil && before != a {
		before.settler.stop()
		before.sweeper.stop()
	}
	a.directory.current = a
	if err := a.directory.reseal(context.Background()); err != nil {
		a.logger.Error("secrets could not be encrypted anew: keep the node's old secret behind the new one", zap.Error(err))
	}
	a.openAccounts()
	a.settler.start()
	a.sweeper.start(a)
}

func (a *API) openAccounts() {
	kept := make(map[ilpcore.AccountID]bool)
	for _, s := range a.directory.Accounts() {
		kept[s.ID] = true
		static, ok := a.static[s.ID]
		if ok {
			a.tell(s.ID, "an account is set up both in the Caddyfile, which counts, and by the API", zap.String("caddyfile", static.Origin))
			continue
		}
		if err := a.opener.Open(s); err != nil {
			a.tell(s.ID, "an account that the API has made cannot be opened", zap.Error(err))
			continue
		}
		a.opened[s.ID] = true
	}
	for id := range a.opened {
		if kept[id] {
			continue
		}
		if err := a.opener.Close(id); err != nil {
			a.tell(id, "an account that is gone cannot be closed", zap.Error(err))
		}
		delete(a.opened, id)
	}
	a.openRoutes()
	a.openRates()
}

// tell warns about an account once.
func (a *API) tell(id ilpcore.AccountID, message string, why zap.Field) {
	if !a.told[id] {
		a.told[id] = true
		a.logger.Warn(message, zap.String("account", string(id)), why)
	}
}

// begin begins a change, for which a.changing is held until end is called; or it is ErrReplaced.
func (a *API) begin() (end func(), err error) {
	a.changing.Lock()
	if a.directory.current != nil && a.directory.current != a {
		a.changing.Unlock()
		return nil, ErrReplaced
	}
	return a.changing.Unlock, nil
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

// create makes a new account, and a parent the default route, unless there is one; or it makes nothing. Errors: ErrExists, *FieldError, and those of
// the store.
func (a *API) create(ctx context.Context, s Settings) (Settings, error) {
	end, err := a.begin()
	if err != nil {
		return s, err
	}
	defer end()
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
	end, err := a.begin()
	if err != nil {
		return Settings{}, err
	}
	defer end()
	old, err := a.changeable(id)
	if err != nil {
		return old, err
	}
	s, err := edit(old)
	if err != nil {
		return old, err
	}
	s.ID, s.UUID, s.Form, s.Created, s.Modified = old.ID, old.UUID, old.Form, old.Created, a.now().UTC()
	if s.Asset != old.Asset {
		a.directory.settling.Lock() // what leaves the balance for an engine is seen in one of both places
		defer a.directory.settling.Unlock()
		resume, err := a.standStill(id)
		if err != nil {
			return old, err
		}
		defer resume()
	}
	err = a.work(ctx, s, &old)
	if err == nil && !slices.EqualFunc(s.HTTP.Incoming, old.HTTP.Incoming, a.alike) {
		a.hub.dropAccount(id) // who has subscribed with what counts no more
	}
	return s, err
}

// alike says whether two credentials let the same in, however their secrets are encrypted.
func (a *API) alike(x, y Credential) bool {
	k := a.directory.Keeper()
	xs, wrongX := k.Open(x.Secret)
	ys, wrongY := k.Open(y.Secret)
	x.Secret, y.Secret = "", ""
	return wrongX == nil && wrongY == nil && xs == ys && x == y
}

// remove deletes an account whose balance is zero, with its routes, and returns what it was. Errors: ErrNoAccount, ErrStatic,
// ErrBalance, and those of the store.
func (a *API) remove(ctx context.Context, id ilpcore.AccountID) (Settings, error) {
	end, err := a.begin()
	if err != nil {
		return Settings{}, err
	}
	defer end()
	s, err := a.changeable(id)
	if err != nil {
		return s, err
	}
	if err := a.deletable(id); err != nil {
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
	a.directory.settling.Lock() // nor does a settlement come in
	defer a.directory.settling.Unlock()
	if err = a.outgoingNone(id); err == nil {
		err = a.books.Forget(id)
	}
	if errors.Is(err, connector.ErrBalance) {
		err = ErrBalance
	}
	if err == nil {
		err = a.directory.DeleteAccount(ctx, id)
	}
	if err != nil {
		return s, errors.Join(err, a.opener.Open(s), a.setRoutes(ctx, before))
	}
	delete(a.opened, id)
	if err := a.directory.history.remove(context.WithoutCancel(ctx), s.UUID); err != nil {
		a.logger.Warn("the payments of an account that is gone are still kept; nobody can see them", zap.String("account", string(id)), zap.Error(err))
	}
	a.hub.dropAccount(id)
	a.settler.farewell(id, a.EngineOf(s))
	return s, nil
}

// deletable returns the ErrBalance that can be told before anything of the account ends. Packets that are under way are none: those that its
// neighbour does not answer end with its links.
func (a *API) deletable(id ilpcore.AccountID) error {
	if balance, _ := a.books.Balance(id); balance != (connector.Balance{}) {
		return ErrBalance
	}
	return a.outgoingNone(id)
}

// standStill is pause for an account that is to count in another asset. It is called with the lock on settlements held.
func (a *API) standStill(id ilpcore.AccountID) (resume func(), err error) {
	if resume, err = a.pause(id); err != nil {
		err = fmt.Errorf("%w; a balance is never counted in another asset", err)
	}
	return resume, err
}

// pause keeps the account's balance at zero until resume is called; ErrBalance if it is not zero, or packets or a settlement are under way.
func (a *API) pause(id ilpcore.AccountID) (resume func(), err error) {
	if err = a.outgoingNone(id); err == nil {
		resume, err = a.books.Pause(id)
	}
	if errors.Is(err, connector.ErrBalance) {
		err = ErrBalance
	}
	return resume, err
}

// outgoingNone returns ErrBalance while the account is being settled.
func (a *API) outgoingNone(id ilpcore.AccountID) error {
	o, err := a.directory.outgoing(id)
	if err == nil && o != nil {
		err = fmt.Errorf("%w (a settlement is under way)", ErrBalance)
	}
	return err
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
	if err := a.engineIDFree(s); err != nil {
		return err
	}
	if err := a.opener.Open(s); err != nil {
		return err
	}
	err := a.keep(ctx, s, old == nil || old.Relation != s.Relation)
	if err == nil {
		a.opened[s.ID] = true
		a.reuseRoutes() // of its account there may be some already
		a.settler.review(s.ID)
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

// keep keeps s, and with a new parent the default route to it. fresh says that it is new, or was something else before.
func (a *API) keep(ctx context.Context, s Settings, fresh bool) error {
	if fresh && s.Relation == connector.Parent.String() {
		if routes, ok := a.withParent(s.ID); ok {
			return a.directory.PutWithRoutes(ctx, s, routes)
		}
	}
	return a.directory.PutAccount(ctx, s)
}
