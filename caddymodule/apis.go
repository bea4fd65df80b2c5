package caddymodule

// This file lets the newest config of a data directory answer the node's API, whichever config a request came in by, so that no change
// is made to a node that is on its way out.

import (
	"crypto/rand"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"sync"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/nodeapi"
)

// adminTokenFile is the file of the generated admin token in the data directory.
const adminTokenFile = "admin.token"

// nodes are the configs of one data directory. Those that have started stand in their order.
type nodes struct {
	mu      sync.Mutex
	started []*running
	secrets []configSecrets
}

// configSecrets are the receiver secrets of an open config, from which the keys of secrets at rest come.
type configSecrets struct {
	of      *running
	secrets [][]byte
}

// openDirectory returns what the API has made, read at the first call, and lets the secrets of r open what is encrypted there, and the
// newest ones encrypt.
func (b *books) openDirectory(r *running, secrets [][]byte) (*nodeapi.Directory, error) {
	b.nodes.mu.Lock()
	defer b.nodes.mu.Unlock()
	b.nodes.secrets = append(b.nodes.secrets, configSecrets{r, secrets})
	if b.keeper == nil {
		b.keeper = nodeapi.NewKeeper(secrets, rand.Reader)
	}
	b.useSecrets()
	if b.directory == nil {
		directory, err := nodeapi.OpenDirectory(b.store, b.keeper)
		if err != nil {
			return nil, err
		}
		b.directory = directory
	}
	return b.directory, nil
}

// useSecrets keeps the secrets of older configs while those are open: the newest may fail to start.
func (b *books) useSecrets() {
	var all [][]byte
	for _, c := range slices.Backward(b.nodes.secrets) {
		all = append(all, c.secrets...)
	}
	if len(all) > 0 {
		b.keeper.Use(all)
	}
}

// start lets r answer the API.
func (b *books) start(r *running) {
	b.nodes.mu.Lock()
	defer b.nodes.mu.Unlock()
	b.nodes.started = append(b.nodes.started, r)
	r.api.TakeOver()
	r.noteAssets()
}

// latestNode returns the node of the newest config that has started; nil: none has.
func (b *books) latestNode() *connector.Node {
	b.nodes.mu.Lock()
	defer b.nodes.mu.Unlock()
	if n := len(b.nodes.started); n > 0 {
		return b.nodes.started[n-1].node
	}
	return nil
}

// end takes r out. If it was the newest because it has failed to start, the one before answers again.
func (b *books) end(r *running) {
	b.nodes.mu.Lock()
	defer b.nodes.mu.Unlock()
	started := b.nodes.started
	b.nodes.started = slices.DeleteFunc(slices.Clone(started), func(other *running) bool { return other == r })
	if n := len(b.nodes.started); n > 0 && started[len(started)-1] == r {
		b.yield(r)
		before := b.nodes.started[n-1]
		before.api.TakeOver()
		before.noteAssets()
	}
	b.nodes.secrets = slices.DeleteFunc(b.nodes.secrets, func(c configSecrets) bool { return c.of == r })
	if b.keeper != nil {
		b.useSecrets()
	}
}

// yield lets the secrets of r still open what is encrypted, and those of the others encrypt.
func (b *books) yield(r *running) {
	slices.SortStableFunc(b.nodes.secrets, func(x, y configSecrets) int {
		switch {
		case x.of == r && y.of != r:
			return -1
		case x.of != r && y.of == r:
			return 1
		}
		return 0
	})
	b.useSecrets()
}

// newest returns the config that answers the API, r itself before any has started.
func (b *books) newest(r *running) *running {
	b.nodes.mu.Lock()
	defer b.nodes.mu.Unlock()
	if n := len(b.nodes.started); n > 0 {
		return b.nodes.started[n-1]
	}
	return r
}

// newAPI opens what the API has made in earlier configs, and makes the API.
func (r *running) newAPI() (err error) {
	token := r.settings.adminToken
	if token == "" {
		if token, err = r.books.secret(adminTokenFile); err != nil {
			return err
		}
	}
	engineToken, err := r.books.secret(engineTokenFile)
	if err != nil {
		return err
	}
	static, err := r.staticAccounts()
	if err != nil {
		return err
	}
	r.opener = newOpener(r)
	r.api, err = nodeapi.New(nodeapi.Config{
		Directory: r.books.directory, Node: r.node, Books: r.books.accounts, Rates: r.rates, Opener: r.opener, Accounts: r.credentials,
		Static: static, Routes: r.settings.routes, Retention: r.settings.ledger.retention, AdminToken: token, EngineToken: engineToken, Engines: r.engineTransport(), Settled: countSettlement, Dialect: r.app.dialect, Version: version(),
		Sender: &sender{r.node, r.rates, r.app.allowPrivate, r.settings.insecure}, Quoter: r.receiver, SPSP: r.settings.spsp, Client: clientAddress,
		SettleEvery:      r.settings.every,
		AllowWeakSecrets: r.settings.weak, AllowInsecure: r.settings.insecure, PublicOnly: !r.app.allowPrivate,
		Random: rand.Reader, Logger: r.app.logger,
	})
	if err != nil {
		return fmt.Errorf("making the node's API: %w", err)
	}
	r.api.OpenAccounts()
	r.node.InheritRoutes()
	return nil
}

// closeAPI ends what the API has under way. Payments go on when a newer config has the node's accounts: what they hold keeps the books open.
func (r *running) closeAPI() error {
	if r.books.newest(r) != r {
		r.api.EndSubscriptions()
		return nil
	}
	return r.api.Close()
}

// version is that of the main module, as go install knows it.
func version() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// serveAPI answers a request to the API, with the store kept open.
func (r *running) serveAPI(w http.ResponseWriter, request *http.Request) {
	newest := r.books.newest(r)
	_, held, err := newest.lease()
	if err != nil {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "the node is stopping: try again in a moment", http.StatusServiceUnavailable)
		return
	}
	defer held.end()
	newest.api.ServeHTTP(w, request)
}
