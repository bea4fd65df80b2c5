package store

// This file is how a group waits for company. With a journal a sync takes a fraction of a millisecond, in which three or four changes come at
// a few thousand a second; each group then costs the processors more than the changes in it. So when many come, the first of a group waits
// up to two milliseconds, and no longer than until as many are there as ever come at once.

import "time"

const (
	companyWait = 2 * time.Millisecond
	// companyFew is how many joins must be likely to come within companyWait for it to be worth waiting.
	companyFew = 4
	// companyEnough is how many joins are enough, however many more may come.
	companyEnough = 32
	// companyProbe is how many groups go by before one waits without a goal, to see how many come, and after one that waited in vain.
	companyProbe = 16
)

// company is what the committer knows of the changes that come. The channel and the timer apart, it belongs to the group mutex.
type company struct {
	goal      int // joins for which the group that gathers is waited for; 0: it is not
	most      int // joins that a group had at most, since the last probe
	groups    int // until the next probe
	lonely    int // groups that will not wait
	last      int // joins of the last group
	began     time.Time
	assembled chan struct{} // has room for one: the goal is reached
	patience  *time.Timer
}

func newCompany() company {
	c := company{assembled: make(chan struct{}, 1), patience: time.NewTimer(companyWait)}
	c.patience.Stop()
	return c
}

// joinCompany tells the committer that waits when enough have come. It is called under the group mutex.
func (s *Store) joinCompany(joined int) {
	if joined == s.company.goal {
		select {
		case s.company.assembled <- struct{}{}:
		default:
		}
	}
}

// awaitCompany lets the group that gathers grow. It is called under the group mutex, and lets go of it meanwhile.
func (s *Store) awaitCompany() {
	c := &s.company
	came, goal := s.gathering.joined, c.wanted()
	if came < goal {
		c.goal = goal
		s.mu.Unlock()
		c.patience.Reset(companyWait)
		select {
		case <-c.assembled:
			c.patience.Stop()
		case <-c.patience.C:
		}
		s.mu.Lock()
		select {
		case <-c.assembled:
		default:
		}
		c.goal = 0
		if s.gathering.joined == came && len(s.sealed) == 0 {
			c.lonely = companyProbe
		}
	}
	c.last, c.began = s.gathering.joined, time.Now()
	c.most = max(c.most, c.last)
}

// wanted returns how many joins are to be waited for: none, where few come or nobody came the last time.
func (c *company) wanted() int {
	if c.lonely > 0 {
		c.lonely--
		return 0
	}
	if c.last < 2 || time.Duration(c.last)*companyWait < companyFew*time.Since(c.began) {
		return 0
	}
	if c.groups--; c.groups <= 0 {
		c.groups, c.most = companyProbe, 0
		return companyEnough
	}
	return min(c.most, companyEnough)
}
