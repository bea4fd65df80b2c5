//go:build linux

package main

// This file is the kind eio: strace lets a sync of the disk fail. What follows has to be silence: no Fulfill, no paid answer, no readiness.

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const (
	failWithin    = 20 * time.Second // for the sync to come
	unreadyWithin = time.Second      // after it has failed
	quietAfter    = time.Second      // for answers that were given before and are still on their way
	toldWithin    = 500 * time.Millisecond
)

// needTracer says why no system call can be made to fail here.
func needTracer() error {
	if _, err := exec.LookPath("strace"); err != nil {
		return errors.New("strace is missing")
	}
	if out, err := exec.Command("strace", "-f", "-qq", "-e", "trace=sync", "-e", "inject=sync:error=EIO", "-o", "/dev/null", "true").CombinedOutput(); err != nil {
		return fmt.Errorf("strace does not work here: %w: %.200s", err, out)
	}
	return nil
}

// failSync lets syncs fail: those of the database's log and of the journal or the sidecar under load by turns, and every fourth time one while
// the gateway starts.
func failSync(ctx context.Context, t *torture, s *series) (err error) {
	b, end, err := s.bed(ctx, plan{binary: t.binary, home: s.home, durability: durGroup})
	if err != nil {
		return err
	}
	defer end(&err)
	for n := range s.cycles {
		b.gateway.kill() // nothing is under way
		number := s.first + n
		call, when := "msync", 2+b.random.IntN(8) // four a second under load
		switch number % 4 {
		case 1:
			call, when = "fdatasync", 20+b.random.IntN(100)
		case 3:
			call, when = "fsync", 1+b.random.IntN(6)
		}
		if err := t.failOnce(ctx, b, s, call, when); err != nil {
			return fmt.Errorf("EIO from %s number %d: %w", call, when, err)
		}
	}
	return t.finish(ctx, b)
}

func (t *torture) failOnce(ctx context.Context, b *bed, s *series, call string, when int) error {
	trace := filepath.Join(b.plan.home, "trace")
	b.gateway.wrapper = []string{"strace", "-f", "--seccomp-bpf", "-qq", "-ttt", "-y", "-e", "trace=" + call,
		"-e", fmt.Sprintf("inject=%s:error=EIO:when=%d", call, when), "-o", trace}
	err := b.start(ctx)
	b.gateway.wrapper = nil
	failed, traceErr := injected(trace)
	switch {
	case traceErr != nil:
		return traceErr
	case !failed.at.IsZero():
		// It has failed while starting: then the gateway must have ended with words, or have been ready before.
		if err == nil && call == "msync" { // of a checkpoint, which follows what was made durable in the journal
			if err := b.awaitUnready(ctx, failed.at); err != nil {
				return err
			}
			s.result.Counts["failed after the start"]++
			break
		}
		if err == nil {
			return errors.New("a sync failed while the gateway started, and it says that it is ready")
		}
		if !errors.Is(err, errEnded) || b.gateway.status() <= 0 {
			return err
		}
		s.result.Counts["refused to start"]++
	case err != nil:
		return err
	default:
		if err := b.failUnderLoad(ctx, trace, call); err != nil {
			return err
		}
		s.result.Counts["failed under load"]++
	}
	b.gateway.kill()
	c := b.record.count()
	if err := t.recover(ctx, b, fullFlight); err != nil {
		return err
	}
	s.done("EIO from %s number %d; %d packets and %d requests open", call, when, c.underWay, c.unknown)
	return nil
}

// failUnderLoad loads the gateway until a sync has failed, and then wants silence. An fsync may never come: nothing is asked then.
func (b *bed) failUnderLoad(ctx context.Context, trace, call string) error {
	b.record.doubt(true)
	l := b.startLoad(ctx, true, 0)
	defer l.end()
	var failed failure
	for begin := time.Now(); failed.at.IsZero(); time.Sleep(2 * time.Millisecond) {
		if call == "fsync" && time.Since(begin) > time.Second {
			return nil
		}
		if time.Since(begin) > failWithin || ctx.Err() != nil {
			return fmt.Errorf("%s was not called often enough within %v", call, failWithin)
		}
		var err error
		if failed, err = injected(trace); err != nil {
			return err
		}
	}
	if err := b.awaitUnready(ctx, failed.at); err != nil {
		return err
	}
	time.Sleep(time.Until(failed.at.Add(quietAfter + 200*time.Millisecond)))
	l.end()
	b.judgeSilence(failed.at, failed.silent())
	return nil
}

// awaitUnready returns when the gateway says that it is not ready, which it has a moment for.
func (b *bed) awaitUnready(ctx context.Context, failed time.Time) error {
	for b.gateway.ready(ctx) == http.StatusOK {
		if time.Since(failed) > unreadyWithin {
			return fmt.Errorf("the gateway says that it is ready %v after a sync has failed", time.Since(failed))
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

// judgeSilence blames every Fulfill and every paid answer to what began only when there had to be silence, and those that came long after.
func (b *bed) judgeSilence(failed, silent time.Time) {
	late := b.record.inOrder(func(p *packet) bool {
		return p.fate == fulfilled && (p.sent.After(silent) || p.fulfilledAt.After(failed.Add(quietAfter)))
	})
	b.record.mu.Lock()
	defer b.record.mu.Unlock()
	if len(late) > 0 {
		b.record.blameLocked("%d packets were fulfilled after a sync had failed", len(late))
	}
	if b.record.lastBegan.After(silent) || b.record.lastPaid.After(failed.Add(quietAfter)) {
		b.record.blameLocked("a request was answered by the backend after a sync had failed: begun %v, answered %v after it",
			b.record.lastBegan.Sub(failed), b.record.lastPaid.Sub(failed))
	}
}

// failure is a call that strace let fail.
type failure struct {
	at   time.Time // zero: none has
	file string    // that it was to sync, where the call names one
}

// silent is when the last change was taken that may still be acknowledged. Only syncs of the journal make changes durable: there it is the very
// moment of the failure. All others are of what follows behind it, so what is fulfilled is durable without them, and the store learns of them by
// other goroutines, of a compaction's tables only when that is judged.
func (f failure) silent() time.Time {
	if strings.HasPrefix(filepath.Base(f.file), "journal.") {
		return f.at
	}
	return f.at.Add(toldWithin)
}

var syncedFile = regexp.MustCompile(`^[a-z]+sync\(\d+<(.*)>(?: <unfinished \.\.\.>$|\))`)

// injected returns the first call that failed.
func injected(trace string) (failure, error) {
	text, err := os.ReadFile(trace)
	if err != nil {
		return failure{}, err
	}
	open := make(map[string]string) // by thread, the file of the call that it has begun
	for line := range strings.Lines(string(text)) {
		thread, line, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		at, call, _ := strings.Cut(strings.TrimLeft(line, " "), " ")
		if f := syncedFile.FindStringSubmatch(call); f != nil {
			open[thread] = f[1]
		}
		if !strings.Contains(call, "(INJECTED)") {
			continue
		}
		seconds, fraction, ok := strings.Cut(at, ".")
		s, err1 := strconv.ParseInt(seconds, 10, 64)
		us, err2 := strconv.ParseInt(fraction, 10, 64)
		if !ok || len(fraction) != 6 || err1 != nil || err2 != nil {
			return failure{}, fmt.Errorf("strace writes %q", line)
		}
		return failure{time.Unix(s, us*1000), open[thread]}, nil
	}
	return failure{}, nil
}
