package nodeapi

// This file keeps settlement engines from taking one account for another.

import (
	"errors"
	"fmt"
)

// ErrEngineID says that a settlement engine already knows another account by the same name, so that what it says of one would count for the other.
var ErrEngineID = errors.New("another account has this settlementEngineAccountId")

// engineIDFree returns ErrEngineID if another account has the name by which a settlement engine shall know s.
func (a *API) engineIDFree(s Settings) error {
	if s.Engine.AccountID == "" {
		return nil
	}
	for _, other := range a.list() {
		if other.ID != s.ID && (other.Engine.AccountID == s.Engine.AccountID || other.UUID == s.Engine.AccountID) {
			return fmt.Errorf("%w: leave it out, or give another", ErrEngineID)
		}
	}
	return nil
}
