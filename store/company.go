package store

// This file is how a group waits for company. With a journal a sync takes a fraction of a millisecond, in which three or four changes come at
// a few thousand a second; each group then costs the processors more than the changes in it. So when many come, the first of a group waits
// for others: up to two milliseconds, and no longer than until as many are there as ever come at once; or, where callers have said that many
// changes are under way (Expect), until a part of those is there. They all take their turns at the processors, so what one of them waits here the
// others use, and none has its answer later for it.

import "time"

const (
	companyWait = 2 * time.Millisecond
	// companyFew is how many joins must be likely to come within companyWait for it to be worth waiting.
	companyFew = 4
	// companyEnough is how many joins are enough, however many more may come.
	companyEnough = 32
	// companyProbe is how many groups go by before one waits without a goal, to see how many come, and after one that waited in vain.
	companyProbe = 16

	// companyPart is the part of the changes under way that is waited for: the others keep the processors busy meanwhile.
	companyPart = 4
	// expectedWait is how long they are waited for at most, and expectedEnough how many are enough.
	expectedWait   = 12 * time.Millisecond
	expectedEnough = 96
)

// company is what the committer knows of the changes that come. The channel and the timer apart, it belongs to the group mutex.
type company struct {
	goal      int // changes for which the group that gathers is waited for; 0: it is not
	most      int // changes that a group had at most, since the last probe
	groups    int // until the next probe
	lonely    int // groups that will not wait
	last      int // changes of the last group
	began     time.Time
	pace      time.Duration // for each join of the last groups, from one group to the next
	assembled chan struct{} // has room for one: the goal is reached
	patience  *time.Timer
}

func newCompany() company {
	c := company{assembled: make(chan struct{}, 1), patience: time.NewTimer(companyWait)}
	c.patience.Stop()
	return c
}

// Expect says that so many changes more are under way, or fewer if n is negative: what has begun and will end in a Join, within milliseconds or
// in a minute. It returns how many are then. With a journal, groups are made larger where many are. It is a hint: nothing depends on its being
// right.
func (s *Store) Expect(n int64) (underWay int64) { return s.expected.Add(n) }

// joinCompany tells the committer that waits when enough have come. It is called under the group mutex.
func (s *Store) joinCompany(joined int) {
	if s.company.goal > 0 && joined >= s.company.goal {
		select {
		case s.company.assembled <- struct{}{}:
		default:
		}
	}
}

// awaitCompany lets the group that gathers grow. It is called under the group mutex, and lets go of it meanwhile.
func (s *Store) awaitCompany() {
	c := &s.company
	came := s.gathering.stand
	goal, patience := c.wanted(came + int(s.expected.Load()))
	if came < goal {
		c.goal = goal
		s.mu.Unlock()
		c.patience.Reset(patience)
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
		if s.gathering.stand == came && len(s.sealed) == 0 {
			c.lonely = companyProbe
		}
	}
	c.left(s.gathering.stand, time.Now())
}

// left notes that a group of so many leaves.
func (c *company) left(joined int, now time.Time) {
	c.pace = (3*c.pace + now.Sub(c.began)/time.Duration(joined)) / 4
	c.last, c.began = joined, now
	c.most = max(c.most, joined)
}

// wanted returns how many joins are to be waited for, and how long: none, where few come or nobody came the last time.
func (c *company) wanted(underWay int) (joins int, patience time.Duration) {
	if c.lonely > 0 {
		c.lonely--
		return 0, 0
	}
	if c.last < 2 || time.Duration(c.last)*companyWait < companyFew*time.Since(c.began) {
		return 0, 0
	}
	expected := min(underWay/companyPart, int(expectedWait/max(c.pace, 1)), expectedEnough)
	if c.groups--; c.groups <= 0 {
		c.groups, c.most = companyProbe, 0
		joins = companyEnough
	} else {
		joins = min(c.most, companyEnough)
	}
	if expected > c.most {
		return expected, expectedWait
	}
	return joins, companyWait
}
