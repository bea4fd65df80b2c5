package btp

// This file remembers why a link is down, for its operator, and keeps the same story from filling the log.

import (
	"sync"
	"time"
)

// repeat is how long the log stays quiet while connecting goes on failing in one way or several.
const repeat = time.Minute

// trouble is why the link is not up.
type trouble struct {
	mu     sync.Mutex
	err    error
	why    string
	logged time.Time
}

// set notes err and says whether it belongs in the log: the first failure does, and a different one when the log was quiet for a minute.
func (t *trouble) set(err error, now time.Time) (worthLogging bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first, why := t.err == nil, err.Error()
	t.err = err
	if first || why != t.why && now.Sub(t.logged) >= repeat {
		t.why, t.logged = why, now
		return true
	}
	return false
}

func (t *trouble) clear() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.err = nil
}

func (t *trouble) get() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.err
}
