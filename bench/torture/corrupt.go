//go:build linux

package main

// This file is the kind corrupt: damaged copies of a directory. The gateway refuses each with words, or its books are what they were.

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	answerWithin = 20 * time.Second // for a start to be ready or to be refused
	exitRefused  = 78               // docs/commands.md
)

// original is an undamaged directory.
type original struct {
	dir    string // copy of the data_dir
	older  string // copy from earlier
	killed bool   // the gateway was killed; else it was stopped in order
	books  *books
	synced uint64 // the last group that is there without the tail
	told   uint64 // the last group that anybody can have been told of, by the ledger's own mark
}

// corrupt damages copies of one directory, which by turns was left by a kill and by a stop. It goes on after a failure, for the count.
func corrupt(ctx context.Context, t *torture, s *series) (err error) {
	b, end, err := s.bed(ctx, plan{binary: t.prepared, home: s.home, env: []string{smallMemtable}})
	if err != nil {
		return err
	}
	defer end(&err)
	o, err := t.makeOriginal(ctx, b, s.seed%2 == 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir), os.RemoveAll(o.older)) }()
	var wrong broken
	for n := range s.cycles {
		what, outcome, err := t.damage(ctx, b, o)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			wrong = append(wrong, violation(fmt.Sprintf("damage %d: %s (killed before: %v): %v", n, what, o.killed, err)))
			s.result.Counts["wrong"]++
			t.say("corrupt WRONG: %s", wrong[len(wrong)-1])
			continue
		}
		s.result.Counts[outcome]++
		s.done("%s: %s", what, outcome)
	}
	if len(wrong) > 0 {
		return wrong
	}
	return nil
}

// makeOriginal loads the ledger until it has several tables, copies it halfway, and ends the gateway.
func (t *torture) makeOriginal(ctx context.Context, b *bed, killed bool) (*original, error) {
	o := &original{dir: filepath.Join(t.memory, "original"), older: filepath.Join(t.memory, "older"), killed: killed}
	for i, target := range []string{o.older, o.dir} {
		l := b.startLoad(ctx, false, 0)
		var err error
		for range 2 {
			newest, logErr := b.logs()
			err = errors.Join(err, logErr)
			if err == nil {
				err = b.awaitLog(ctx, newest)
			}
		}
		time.Sleep(time.Duration(20+b.random.IntN(80)) * time.Millisecond)
		if killed {
			b.gateway.kill()
		}
		l.end()
		if !killed {
			err = errors.Join(err, b.gateway.stop())
		}
		if err == nil {
			err = copyDirectory(b.settings.data, target)
		}
		if err == nil && i == 0 {
			err = b.start(ctx)
		}
		if err != nil {
			return nil, err
		}
	}
	if killed { // an orderly end leaves no journal
		var err error
		if o.told, err = readReached(filepath.Join(o.dir, "ledger", "reached")); err != nil {
			return nil, err
		}
	}
	return o, o.read(ctx, b, filepath.Join(t.memory, "books"))
}

// readReached returns what the mark beside the journal says: store/reached.go.
func readReached(path string) (sequence uint64, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for _, at := range [...]int{24, 4096 + 24} {
		if len(b) < at+8 {
			return 0, fmt.Errorf("%s has only %d bytes", path, len(b))
		}
		sequence = max(sequence, binary.BigEndian.Uint64(b[at:]))
	}
	return sequence, nil
}

// read reads the books of the original from copies of it, with and without the tail of durability process.
func (o *original) read(ctx context.Context, b *bed, copied string) error {
	for _, tail := range []bool{false, true} {
		err := copyDirectory(filepath.Join(o.dir, "ledger"), copied)
		if err == nil && !tail {
			for i := range 2 {
				err = errors.Join(err, os.RemoveAll(filepath.Join(copied, fmt.Sprintf("tail.%d", i))))
			}
		}
		if err == nil {
			o.books, err = readBooks(ctx, copied)
		}
		if err = errors.Join(err, os.RemoveAll(copied)); err != nil {
			return err
		}
		if !tail {
			o.synced = o.books.sequence
		}
	}
	return verdict(append(b.record.takeBroken(), b.record.compare(o.books, anyFlight)...))
}

// damage starts a gateway on a damaged copy and judges what it does.
func (t *torture) damage(ctx context.Context, b *bed, o *original) (what, outcome string, err error) {
	dir := filepath.Join(t.memory, "damaged")
	if err := errors.Join(os.RemoveAll(dir), copyDirectory(o.dir, dir)); err != nil {
		return "", "", err
	}
	what, err = mutator{b.random, o.older}.mutate(dir)
	if err != nil {
		return what, "", err
	}
	home := filepath.Join(b.plan.home, "damaged")
	if err := errors.Join(os.RemoveAll(home), os.Mkdir(home, 0o700)); err != nil {
		return what, "", err
	}
	g, err := b.aloneOn(dir, home, t.binary)
	if err != nil {
		return what, "", err
	}
	defer g.kill()
	if err := g.launch(); err != nil {
		return what, "", err
	}
	if refused, err := g.awaitAnswer(ctx); err != nil {
		return what, "", err
	} else if refused {
		return what, fmt.Sprintf("refused with status %d", g.status()), g.judgeRefusal(dir, strings.HasPrefix(what, "ledger"))
	}
	g.kill()
	if h := g.horror(); h != "" {
		return what, "", errors.New(h)
	}
	found, err := readBooks(ctx, filepath.Join(dir, "ledger"))
	switch {
	case err != nil:
		return what, "", fmt.Errorf("the gateway has started on it, and it cannot be read: %w", err)
	case len(found.wrong) > 0:
		return what, "", fmt.Errorf("the gateway has started on it: %w", broken(found.wrong))
	case found.same(o.books):
		return what, "same books", nil
	}
	if o.killed && strings.HasPrefix(what, filepath.Join("ledger", "tail.")) && found.sequence >= o.synced {
		// It is as after a power cut. Charges may be missing, and nothing that was fulfilled.
		if lost := b.record.lost(found); len(lost) > 0 {
			return what, "", broken(lost)
		}
		return what, "without the end of the tail", nil
	}
	if o.killed && strings.HasPrefix(what, filepath.Join("ledger", "journal.")) && found.sequence+1 == o.books.sequence && o.told == found.sequence {
		// The kill came while the last group was made durable, before anyone was told: whether it is there makes no difference to those outside.
		if wrong := b.record.compare(found, anyFlight); len(wrong) > 0 {
			return what, "", broken(wrong)
		}
		return what, "without a group that nobody was told of", nil
	}
	return what, "", fmt.Errorf("SILENT LOSS: the gateway has started with %d groups of %d, %d events of %d",
		found.sequence, o.books.sequence, found.report.Events, o.books.report.Events)
}

// aloneOn makes a gateway on a directory, with the ports of the bed and without its neighbours.
func (b *bed) aloneOn(data, home, binary string) (*gateway, error) {
	alone := b.settings
	alone.data = data
	alone.parent = netip.AddrPort{}
	g := &gateway{binary: binary, home: home, admin: alone.admin, site: alone.site, client: newHTTPClient()}
	return g, os.WriteFile(filepath.Join(home, "Caddyfile"), []byte(alone.caddyfile()), 0o600)
}

// awaitAnswer returns when the gateway is ready or has ended.
func (g *gateway) awaitAnswer(ctx context.Context) (refused bool, err error) {
	for begin := time.Now(); ; time.Sleep(3 * time.Millisecond) {
		if !g.alive() {
			return true, nil
		}
		if g.ready(ctx) == 200 {
			return false, nil
		}
		if time.Since(begin) > answerWithin || ctx.Err() != nil {
			return false, fmt.Errorf("it is neither ready nor has it ended within %v", answerWithin)
		}
	}
}

// judgeRefusal wants one line that names the directory and reads well. For damage to the ledger it is the program's last word, and the exit
// status tells service managers that a restart does not help.
func (g *gateway) judgeRefusal(dir string, ledger bool) error {
	if h := g.horror(); h != "" {
		return errors.New(h)
	}
	if g.status() <= 0 || ledger && g.status() != exitRefused {
		return fmt.Errorf("it ended with status %d, signal %v:\n%s", g.status(), g.killedBy(), g.lastWords(2000))
	}
	lines, last := 0, ""
	for line := range strings.Lines(g.lastWords(1 << 20)) {
		if strings.Contains(line, dir) && len(line) < 1500 {
			lines++
			last = line
		}
	}
	if lines == 0 || ledger && (lines > 1 || !strings.HasPrefix(last, "paydoor: ")) {
		return fmt.Errorf("it does not say clearly why it has ended:\n%s", g.lastWords(2000))
	}
	return nil
}
