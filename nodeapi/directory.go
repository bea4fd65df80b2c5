package nodeapi

// This file keeps in the store what the API makes: accounts, static routes, rates, settlement engines and imported keys.

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
	"github.com/paydoor/paydoor/store"
)

// The keys of the records, each a JSON text.
const (
	accountKey = "node/account/" // and the ID
	routeKey   = "node/route/"   // and the hash of the prefix
	tableKey   = "node/table/"   // and rates or engines
	importKey  = "node/key/"     // and the keystore
)

// ErrNoAccount says that there is no account of that name.
var ErrNoAccount = errors.New("no such account")

// Directory is what the API has made, in memory and durably in the store. Its methods may be called from many goroutines at once; what
// they return is the caller's, but for the maps and slices inside Settings, which nobody changes.
type Directory struct {
	store  *store.Store
	keeper *Keeper

	mu       sync.RWMutex
	accounts map[ilpcore.AccountID]Settings
	routes   map[string]ilpcore.AccountID
	tables   map[string]map[string]string

	changing sync.Mutex // one change of accounts, routes or rates at a time, by whichever API
	current  *API       // whose node they are for; nil: any. Guarded by changing

	answers  answers
	history  *history
	settling sync.Mutex // one settlement at a time: what is left over from one counts with the next. Taken after changing
}

// OpenDirectory reads what is in the store. The Keeper gets the imported keys.
func OpenDirectory(s *store.Store, keeper *Keeper) (*Directory, error) {
	d := &Directory{
		store: s, keeper: keeper, accounts: make(map[ilpcore.AccountID]Settings), routes: make(map[string]ilpcore.AccountID),
		tables: make(map[string]map[string]string),
	}
	for prefix, read := range map[string]func(key string, value []byte) error{
		accountKey: d.readAccount, routeKey: d.readRoute, tableKey: d.readTable, importKey: d.readKey,
	} {
		err := s.Iterate([]byte(prefix), func(key, value []byte) error { return read(string(key[len(prefix):]), value) })
		if err != nil {
			return nil, fmt.Errorf("reading the accounts of the node: %w", err)
		}
	}
	var err error
	d.history, err = openHistory(s)
	return d, err
}

func (d *Directory) readAccount(key string, value []byte) error {
	var s Settings
	if err := json.Unmarshal(value, &s); err != nil {
		return fmt.Errorf("account %q: %w", key, err)
	}
	d.accounts[s.ID] = s
	return nil
}

// routeRecord is one static route; the key only has a hash, since prefixes may be longer than keys.
type routeRecord struct {
	Prefix  string            `json:"prefix"`
	Account ilpcore.AccountID `json:"account"`
}

func (d *Directory) readRoute(key string, value []byte) error {
	var r routeRecord
	if err := json.Unmarshal(value, &r); err != nil {
		return fmt.Errorf("route %s: %w", key, err)
	}
	d.routes[r.Prefix] = r.Account
	return nil
}

func (d *Directory) readTable(name string, value []byte) error {
	var table map[string]string
	if err := json.Unmarshal(value, &table); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	d.tables[name] = table
	return nil
}

// readKey takes an imported key, which is itself encrypted. One that no longer opens is left alone: secrets that were encrypted with it
// have been encrypted anew when they were taken.
func (d *Directory) readKey(keystore string, value []byte) error {
	key, err := d.keeper.Open(Sealed(value))
	if err != nil {
		return nil
	}
	return d.keeper.Import(keystore, []byte(key))
}

// Keeper returns what encrypts the secrets.
func (d *Directory) Keeper() *Keeper { return d.keeper }

// Account returns the account, or ErrNoAccount.
func (d *Directory) Account(id ilpcore.AccountID) (Settings, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	s, ok := d.accounts[id]
	if !ok {
		return s, fmt.Errorf("%w: %q", ErrNoAccount, id)
	}
	return s, nil
}

// Accounts returns all accounts in the order of their names.
func (d *Directory) Accounts() []Settings {
	d.mu.RLock()
	defer d.mu.RUnlock()
	list := make([]Settings, 0, len(d.accounts))
	for _, id := range slices.Sorted(maps.Keys(d.accounts)) {
		list = append(list, d.accounts[id])
	}
	return list
}

// PutAccount keeps s under its ID, and returns when that is durable.
func (d *Directory) PutAccount(ctx context.Context, s Settings) error {
	if err := d.put(ctx, accountKey+string(s.ID), s); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accounts[s.ID] = s
	return nil
}

// PutWithRoutes is PutAccount and SetRoutes in one: after an error nothing is changed.
func (d *Directory) PutWithRoutes(ctx context.Context, s Settings, routes []connector.Route) error {
	record, err := encode(accountKey+string(s.ID), s)
	if err != nil {
		return err
	}
	next, write, err := d.nextRoutes(routes)
	if err != nil {
		return err
	}
	err = d.change(ctx, func(g *store.Group) {
		g.Put([]byte(accountKey+string(s.ID)), record)
		write(g)
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.accounts[s.ID], d.routes = s, next
	return nil
}

// DeleteAccount forgets the account, and returns when that is durable.
func (d *Directory) DeleteAccount(ctx context.Context, id ilpcore.AccountID) error {
	err := d.change(ctx, func(g *store.Group) {
		g.Delete([]byte(accountKey + string(id)))
		g.Delete(keyOfLeftover(id)) // less than one base unit
	})
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.accounts, id)
	return nil
}

// Routes returns the static routes in the order of their prefixes.
func (d *Directory) Routes() []connector.Route {
	d.mu.RLock()
	defer d.mu.RUnlock()
	list := make([]connector.Route, 0, len(d.routes))
	for _, prefix := range slices.Sorted(maps.Keys(d.routes)) {
		list = append(list, connector.Route{Prefix: prefix, Account: d.routes[prefix]})
	}
	return list
}

// What the API keeps of static routes at most: all of them change in one group of the store, which takes no more.
const (
	maxRoutes      = 400
	maxRoutesBytes = 100 << 10
)

// ErrTooMany says that there would be more static routes than are kept.
var ErrTooMany = fmt.Errorf("a node keeps at most %d static routes, of %d KiB together", maxRoutes, maxRoutesBytes>>10)

// SetRoutes replaces all static routes at once, and returns when that is durable.
func (d *Directory) SetRoutes(ctx context.Context, routes []connector.Route) error {
	next, write, err := d.nextRoutes(routes)
	if err != nil {
		return err
	}
	if err := d.change(ctx, write); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.routes = next
	return nil
}

// nextRoutes returns routes as d.routes has them, and what makes of those on the disk these. The error is ErrTooMany.
func (d *Directory) nextRoutes(routes []connector.Route) (next map[string]ilpcore.AccountID, write func(*store.Group), err error) {
	next, size := make(map[string]ilpcore.AccountID, len(routes)), 0
	for _, r := range routes {
		next[r.Prefix] = r.Account
		size += len(r.Prefix) + len(r.Account)
	}
	if len(next) > maxRoutes || size > maxRoutesBytes {
		return nil, nil, ErrTooMany
	}
	d.mu.RLock()
	old := maps.Clone(d.routes)
	d.mu.RUnlock()
	return next, func(g *store.Group) {
		for prefix := range old {
			if _, stays := next[prefix]; !stays {
				g.Delete(routeKeyOf(prefix))
			}
		}
		for prefix, account := range next {
			if was, ok := old[prefix]; !ok || was != account {
				g.Put(routeKeyOf(prefix), mustJSON(routeRecord{prefix, account}))
			}
		}
	}, nil
}

func routeKeyOf(prefix string) []byte {
	hash := sha256.Sum256([]byte(prefix))
	return []byte(routeKey + hex.EncodeToString(hash[:]))
}

// The tables that a Directory keeps.
const (
	RatesTable   = "rates"   // asset code → exact decimal
	EnginesTable = "engines" // asset code → URL of the settlement engine
)

// Table returns a copy of one of the tables; set is false where it never was, which is not the same as set to nothing.
func (d *Directory) Table(name string) (table map[string]string, set bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	table, set = d.tables[name]
	return maps.Clone(table), set
}

// SetTable replaces a table, and returns when that is durable.
func (d *Directory) SetTable(ctx context.Context, name string, table map[string]string) error {
	if err := d.put(ctx, tableKey+name, table); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tables[name] = maps.Clone(table)
	return nil
}

// maxKeystore is how many bytes the name of a keystore has at most; the store has no room for keys of any length.
const maxKeystore = 64

// ImportKey keeps the key of another node's keystore, encrypted, for good; see Keeper.Import.
func (d *Directory) ImportKey(ctx context.Context, keystore string, key []byte) error {
	if len(keystore) > maxKeystore {
		return fmt.Errorf("%w: the name of a keystore has at most %d bytes", ErrSealed, maxKeystore)
	}
	if err := d.keeper.Import(keystore, key); err != nil {
		return err
	}
	sealed, err := d.keeper.Seal(string(key))
	if err != nil {
		return err
	}
	return d.change(ctx, func(g *store.Group) { g.Put([]byte(importKey+keystore), []byte(sealed)) })
}

// encode returns the record of value for the store. What is too long for it is ErrSettings.
func encode(key string, value any) ([]byte, error) {
	b, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("keeping %s: %w", key, err)
	}
	if len(b) > store.MaxValue {
		return nil, fmt.Errorf("%w: they take %d bytes, and at most %d can be kept", ErrSettings, len(b), store.MaxValue)
	}
	return b, nil
}

func (d *Directory) put(ctx context.Context, key string, value any) error {
	b, err := encode(key, value)
	if err != nil {
		return err
	}
	return d.change(ctx, func(g *store.Group) { g.Put([]byte(key), b) })
}

func (d *Directory) change(ctx context.Context, f func(*store.Group)) error {
	ticket, err := d.store.Join(f)
	if err == nil {
		// A client that leaves does not undo a change that is on its way to the disk.
		err = ticket.Wait(context.WithoutCancel(ctx))
	}
	if err != nil {
		return fmt.Errorf("keeping a change of the node: %w", err)
	}
	return nil
}

// mustJSON is for types that always can be written.
func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}
