//go:build linux

// Command bench measures what Paydoor costs: the same site with and without a paywall, in alternating slices of one run, and packets
// into the node over both kinds of link, through it beside npm's ilp-connector, and the sender of payments beside npm's; npm ci installs those in
// interop. It builds the gateway, and brings load generator, backend and neighbours itself:
//
//	go run ./bench                    everything, about nine minutes; writes the tables into docs/performance.md
//	go run ./bench -short             a glance of two minutes; writes nothing
//	go run ./bench -profile /tmp/p    CPU profiles of the gateway, for go tool pprof
//	go run ./bench -against ./older   the control is another binary with a paywall: is this one faster?
//
// How it measures is in docs/performance.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/paydoor/paydoor/bench/rig"
)

// options are what the command line says.
type options struct {
	short   bool
	slice   time.Duration // how long one side is under load before the next has its turn
	rounds  int           // slices of each side for each line of a table
	tokens  int           // of the many; the hot one comes on top
	only    string
	binary  string // "": build it
	floor   string // the binary of bench/floor; "": it is not measured
	against string // "": the control is a second gateway without paywall
	profile string // directory for CPU profiles; "": none
	dir     string // where the ledger is
	out     string // the document that holds the tables; "": none
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if isSender() {
		os.Exit(beSender(ctx))
	}
	o, err := readOptions(os.Args[1:])
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err == nil {
		err = run(ctx, o, os.Stdout, os.Stderr)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func readOptions(args []string) (o options, err error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	flags.BoolVar(&o.short, "short", false, "few and short slices, fewer tokens; writes no document unless -out is given")
	flags.DurationVar(&o.slice, "slice", time.Second, "how long one side is under load before it is the other's turn")
	flags.IntVar(&o.rounds, "rounds", 12, "slices of each side")
	flags.IntVar(&o.tokens, "tokens", 100_000, "how many tokens are funded, beside the hot one")
	flags.StringVar(&o.only, "only", "", "requests, packets, node (packets through it) or sender: measure only these, and write no document unless -out is given")
	flags.StringVar(&o.binary, "paydoor", "", "the `binary` to measure, instead of building one")
	flags.StringVar(&o.against, "against", "", "another `binary`, to be the control: with a paywall too, and a ledger of its own; with -only sender another build of this command")
	flags.StringVar(&o.profile, "profile", "", "write CPU profiles of the gateways into this `directory`")
	flags.StringVar(&o.dir, "dir", "", "`directory` on the disk to be measured (default: the one for temporary files)")
	flags.StringVar(&o.out, "out", "docs/performance.md", "the `document` whose tables are replaced")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	given := make(map[string]bool)
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if !given["out"] && (o.short || o.only != "" || o.against != "" || o.profile != "") {
		o.out = ""
	}
	if o.short {
		for name, value := range map[string]string{"slice": "300ms", "rounds": "4", "tokens": "20000"} {
			if !given[name] {
				_ = flags.Set(name, value) // these are valid
			}
		}
	}
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("%q is not expected; see -help", flags.Arg(0))
	case o.slice < 50*time.Millisecond || o.rounds < 1 || o.tokens < payees:
		return o, fmt.Errorf("at least slices of 50ms, one round and %d tokens are needed", payees)
	case !slices.Contains([]string{"", "requests", "packets", "node", "sender"}, o.only):
		return o, fmt.Errorf("-only %q: write requests, packets, node or sender", o.only)
	}
	return o, nil
}

// run measures and writes. What it says while it works goes to progress, the tables to w.
func run(ctx context.Context, o options, w, progress io.Writer) (err error) {
	root, err := rig.ModuleRoot(ctx)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp(o.dir, "paydoor-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	say := func(format string, a ...any) { fmt.Fprintf(progress, format+"\n", a...) }
	if o.binary == "" {
		say("building the gateway")
		o.binary = filepath.Join(dir, "paydoor")
		if err := rig.Build(ctx, root, o.binary); err != nil {
			return err
		}
	}
	if o.against == "" && !slices.Contains([]string{"packets", "sender"}, o.only) {
		o.floor = filepath.Join(dir, "floor")
		if err := rig.BuildCommand(ctx, root, "./bench/floor", o.floor); err != nil {
			return err
		}
	}
	if o.profile != "" {
		if err := os.MkdirAll(o.profile, 0o755); err != nil {
			return err
		}
	}
	r := &report{options: o}
	if r.machine, err = describeMachine(dir, o.binary); err != nil {
		return err
	}
	if !slices.Contains([]string{"node", "sender"}, o.only) {
		err = measureGateways(ctx, o, dir, say, r)
	}
	if err == nil && (o.only == "" || o.only == "node") {
		err = measureThrough(ctx, o, root, dir, say, r)
	}
	if err == nil && (o.only == "" || o.only == "sender") {
		err = measureSenders(ctx, o, root, dir, say, r)
	}
	if err != nil {
		return err
	}
	fmt.Fprint(w, r.markdown())
	if o.out == "" {
		return nil
	}
	if !filepath.IsAbs(o.out) {
		o.out = filepath.Join(root, o.out)
	}
	return replaceTables(o.out, r.parts())
}

// measureGateways measures requests and packets to the node's own receiver.
func measureGateways(ctx context.Context, o options, dir string, say func(string, ...any), r *report) (err error) {
	b, err := newBed(ctx, o, dir, say)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	return b.measure(ctx, r)
}
