//go:build failpoints

// Package failpoint lets bench/torture end the process, or hold it up, at places that have a name. It does so only in binaries built with
// the tag failpoints, when the environment asks for it:
//
//	PAYDOOR_FAILPOINT=store/committed:3          kill -9 when the place is passed for the third time
//	PAYDOOR_FAILPOINT=store/before-commit:3=1s   sleep there; several, separated by commas
//	PAYDOOR_FAILPOINT_MEMTABLE=1048576           another value than the usual one
package failpoint

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// point is what is to happen at a place.
type point struct {
	at    int64
	sleep time.Duration // 0: kill
	hits  atomic.Int64
}

var points = read(os.Getenv("PAYDOOR_FAILPOINT"))

func read(text string) map[string]*point {
	all := make(map[string]*point)
	for _, part := range strings.Split(text, ",") {
		if part == "" {
			continue
		}
		place, action, sleeps := strings.Cut(part, "=")
		name, count, ok := strings.Cut(place, ":")
		p := new(point)
		var err error
		if p.at, err = strconv.ParseInt(count, 10, 64); err == nil && sleeps {
			p.sleep, err = time.ParseDuration(action)
		}
		if !ok || err != nil || p.at < 1 {
			fmt.Fprintf(os.Stderr, "PAYDOOR_FAILPOINT: %q is not name:count or name:count=duration\n", part)
			os.Exit(2)
		}
		all[name] = p
	}
	return all
}

// Hit is called where the place is passed.
func Hit(name string) {
	p := points[name]
	if p == nil || p.hits.Add(1) != p.at {
		return
	}
	if p.sleep > 0 {
		time.Sleep(p.sleep)
		return
	}
	if self, err := os.FindProcess(os.Getpid()); err == nil {
		_ = self.Kill()
	}
	select {} // the signal is on its way
}

// Value returns what the environment says instead of usual.
func Value(name string, usual int64) int64 {
	if n, err := strconv.ParseInt(os.Getenv("PAYDOOR_FAILPOINT_"+name), 10, 64); err == nil && n > 0 {
		return n
	}
	return usual
}
