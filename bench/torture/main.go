//go:build linux

// Command torture breaks the gateway in every way it can, and counts its money after each. It builds the real binary and drives it with a
// connector, clients and a backend of its own, whose record no fault can reach:
//
//	go run ./bench/torture                    the long form
//	go run ./bench/torture -short             at most three minutes
//	go run ./bench/torture -kinds kill,power  only these
//	go run ./bench/torture -seed 7            the choices of an earlier run
//
// The kinds of faults are listed in docs/torture.md. Some need root, and tools; those that cannot run are named, and fail the run if they were
// asked for by name or CI is set.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/paydoor/paydoor/bench/rig"
)

// options are what the command line says.
type options struct {
	short  bool
	seed   uint64
	kinds  []string // empty: all
	cycles int      // of each kind; 0: as many as the form asks for
	binary string   // "": build it
	json   string   // a file for the counts; "-" is stdout; "": none
	dir    string   // where the ledgers are
	keep   bool     // leave the directory of a series that failed
	ci     bool     // nobody reads the table: what cannot run is a failure
}

// torture is one run.
type torture struct {
	options
	say      func(format string, a ...any)
	work     string // ledgers and logs
	memory   string // copies of ledgers
	prepared string // a binary with failpoints
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := readOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, o, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		os.Exit(1)
	}
}

func readOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("torture", flag.ContinueOnError)
	chosen := ""
	flags.BoolVar(&o.short, "short", false, "few cycles of each kind, in at most three minutes")
	flags.Uint64Var(&o.seed, "seed", rand.Uint64(), "what every random choice comes from")
	flags.StringVar(&chosen, "kinds", "", "a list of `kinds`, instead of all: "+strings.Join(kindNames(), ","))
	flags.IntVar(&o.cycles, "cycles", 0, "faults of each kind, instead of as many as the form asks for")
	flags.StringVar(&o.binary, "paydoor", "", "the `binary` to torture, instead of building one; named failpoints need one of their own, and it is built")
	flags.StringVar(&o.json, "json", "", "write the counts into this `file` as JSON, too; - is standard output")
	flags.StringVar(&o.dir, "dir", "", "`directory` on the disk to be used (default: the one for temporary files)")
	flags.BoolVar(&o.keep, "keep", false, "leave ledger and logs of a failed series where they are")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not expected; see -help", flags.Arg(0))
	}
	o.ci = os.Getenv("CI") != ""
	if chosen != "" {
		o.kinds = strings.Split(chosen, ",")
	}
	for _, name := range o.kinds {
		if !slices.Contains(kindNames(), name) {
			return o, fmt.Errorf("there is no kind %q; the kinds are %s", name, strings.Join(kindNames(), ", "))
		}
	}
	if o.cycles < 0 {
		return o, errors.New("-cycles is a count")
	}
	return o, nil
}

// run does all kinds and writes the table to w. What it says while it works goes to progress.
func run(ctx context.Context, o options, w, progress io.Writer) (err error) {
	t := &torture{options: o, say: func(format string, a ...any) { fmt.Fprintf(progress, format+"\n", a...) }}
	if t.work, err = os.MkdirTemp(o.dir, "paydoor-torture-"); err != nil {
		return err
	}
	if t.memory, err = memory(t.work); err != nil {
		return errors.Join(err, os.RemoveAll(t.work))
	}
	r := newReport(o)
	defer func() {
		err = errors.Join(err, os.RemoveAll(t.memory))
		if o.keep && r.failed() {
			t.say("what failed is in %s", t.work)
		} else {
			err = errors.Join(err, os.RemoveAll(t.work))
		}
	}()
	if err := t.build(ctx); err != nil {
		return err
	}
	begin := time.Now()
	for _, k := range kinds {
		if len(o.kinds) > 0 && !slices.Contains(o.kinds, k.name) {
			continue
		}
		r.add(t.runKind(ctx, k))
		if ctx.Err() != nil {
			break
		}
	}
	r.Seconds = time.Since(begin).Seconds()
	fmt.Fprint(w, r.table())
	if err := r.writeJSON(o.json, w); err != nil {
		return err
	}
	return r.err(ctx)
}

// build makes the binaries: the real one, and one with failpoints.
func (t *torture) build(ctx context.Context) error {
	root, err := rig.ModuleRoot(ctx)
	if err != nil {
		return err
	}
	t.say("building the gateway, with and without failpoints")
	if t.binary == "" {
		t.binary = filepath.Join(t.work, "paydoor")
		if err := rig.Build(ctx, root, t.binary); err != nil {
			return err
		}
	}
	if t.binary, err = filepath.Abs(t.binary); err != nil {
		return err
	}
	t.prepared = filepath.Join(t.work, "paydoor-failpoints")
	return rig.Build(ctx, root, t.prepared, "-tags", "failpoints")
}
