package caddymodule

// This file checks what is wrong with a config only when its parts are taken together.

import (
	"errors"
	"fmt"

	"github.com/paydoor/paydoor/connector"
	"github.com/paydoor/paydoor/ilpcore"
)

// checkTogether ends with building the node once without links and receiver.
func (a *App) checkTogether(s *settings) error {
	if err := errors.Join(a.checkParents(), a.checkAssets(s), a.at("sandbox", s.checkSandbox())); err != nil {
		return err
	}
	config := connector.Config{Address: s.address, Asset: s.asset, Routes: s.routes}
	seen := map[ilpcore.AccountID]bool{}
	for _, account := range s.accounts {
		if seen[account.ID] && account.ID == sandboxAccount {
			return a.at("sandbox", errors.New("the account name sandbox is taken by the option sandbox: give the account another name"))
		}
		seen[account.ID] = true
		if account.Relation == connector.Parent {
			account.Relation = connector.Peer // a parent without its link would be asked for address and asset
			config.Address, config.Asset = "test.parent", defaultAsset
		}
		config.Accounts = append(config.Accounts, account.Account)
	}
	node, err := connector.NewNode(config)
	if err != nil {
		return a.at("ilp", err)
	}
	return node.Close()
}

func (a *App) checkParents() error {
	var first *Account
	for _, account := range a.Accounts {
		switch {
		case account.Relation != relationParent:
		case first == nil:
			first = account
		default:
			return account.at("relation", fmt.Errorf("%w, and both %s and %s are: write relation peer for one of them", connector.ErrParents, first.Name, account.Name))
		}
	}
	return nil
}
