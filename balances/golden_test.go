package balances

// This file opens the ledgers that released formats have left behind: each must be read by every later version, to the last event.
//
// testdata/golden-N.tar.gz is a directory as a program of that time wrote and closed it, golden-N.txt what was in it. They never
// change. Whoever changes the format adds the next number, from a program that has the change:
//
//	go test -run TestGoldenDirectories -golden 2 ./balances
//
// and gives makeGolden what is new first, so that the directory has it.

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/store"
)

var golden = flag.Int("golden", 0, "make testdata/golden-N.tar.gz and golden-N.txt, which must not exist")

func TestGoldenDirectories(t *testing.T) {
	if *golden > 0 {
		makeGolden(t, filepath.Join("testdata", fmt.Sprintf("golden-%d", *golden)))
	}
	archives, err := filepath.Glob("testdata/golden-*.tar.gz")
	if err != nil || len(archives) == 0 {
		t.Fatal("no golden directories", err)
	}
	for _, path := range archives {
		name := strings.TrimSuffix(path, ".tar.gz")
		t.Run(filepath.Base(name), func(t *testing.T) { checkGolden(t, name) })
	}
}

func checkGolden(t *testing.T, name string) {
	want, err := os.ReadFile(name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "ledger"), clock: newClock()}
	b.free.Store(1 << 40)
	unpack(t, name+".tar.gz", b.dir)
	b.open()
	defer func() { b.store.Close() }()
	if got := b.list(); got != string(want) {
		t.Fatalf("%s holds\n%s\nwant\n%s", name, got, want)
	}
	repeated, err := b.Credit(ctx, goldenCredit)
	if !repeated || err != nil {
		t.Errorf("a credit of the last ten minutes: %v, %v", repeated, err)
	}
	if _, err := b.Adjust(ctx, goldenAdjustment); err != nil {
		t.Error(err)
	}
	if got := b.list(); got != string(want) {
		t.Fatalf("repetitions have changed it:\n%s", got)
	}
	b.clock.pass(time.Hour)
	b.charge(account(1), 5)
	b.give(account(2), 6)
	b.reopen()
	b.audit()
}

var (
	goldenCredit     = Credit{Account: account(1), Amount: 1_000, Condition: condition(1), Digest: digest("golden")}
	goldenAdjustment = Adjustment{Account: account(2), Amount: 70, Note: "a gift", ID: "golden 1"}
)

// list is everything that callers can learn of the ledger, but for conditions.
func (b *bench) list() string {
	var out strings.Builder
	asset, pinned := b.Asset()
	r := b.audit()
	fmt.Fprintf(&out, "asset %s %d %v\n%d accounts, %d events, balances %v\n%s\n", asset.Code, asset.Scale, pinned, r.Accounts, r.Events, r.Balances, goldenTotals(r.Totals))
	var accounts []Account
	is(b.t, b.Each(ctx, func(a Account, n amount.Amount) error {
		accounts = append(accounts, a)
		return nil
	}), nil)
	for _, a := range accounts {
		n, err := b.Balance(ctx, a)
		is(b.t, err, nil)
		fmt.Fprintf(&out, "%x %d\n", a[:4], n.Durable)
		is(b.t, b.History(ctx, a, func(e Event) error {
			fmt.Fprintf(&out, "\t%d %s %c %d %x %q %q %d %v", e.Sequence, e.At.UTC().Format(time.RFC3339), e.Kind, e.Amount, e.Condition[:4], e.ID, e.Note, e.Count, e.Charges)
			if e.Kind == Folded {
				out.WriteString(" " + goldenTotals(e.Sums))
			}
			_, err := out.WriteString("\n")
			return err
		}), nil)
	}
	return out.String()
}

// goldenTotals has what there was in the first format, whatever is added to Totals.
func goldenTotals(t Totals) string {
	return fmt.Sprintf("%d credits of %v, reversed %v, %d charges of %v, raised %v, lowered %v",
		t.CreditCount, t.Credits, t.Reversals, t.ChargeCount, t.Charges, t.Raised, t.Lowered)
}

// makeGolden makes a ledger that has a record of every kind there is.
func makeGolden(t *testing.T, name string) {
	b := &bench{t: t, dir: filepath.Join(t.TempDir(), "ledger"), clock: newClock(), o: Options{Retention: retention}}
	b.free.Store(1 << 40)
	b.open()
	old := account(3)
	b.give(old, amount.Max)
	b.charge(old, amount.Max)
	b.give(old, amount.Max)
	b.clock.pass(retention + time.Hour)
	b.foldAll()
	if _, err := b.Credit(ctx, goldenCredit); err != nil {
		t.Fatal(err)
	}
	b.charge(account(1), 10)
	b.clock.pass(time.Minute)
	b.charge(account(1), 20)
	b.charge(account(1), 30)
	for _, x := range []Adjustment{
		goldenAdjustment,
		{Account: account(2), Amount: 7, Lower: true, Note: "taken back"},
		{Account: account(2), Amount: 3, Lower: true, ID: "golden 2"},
	} {
		if _, err := b.Adjust(ctx, x); err != nil {
			t.Fatal(err)
		}
	}
	b.lateCredit(account(4))
	listing := b.list()
	if err := b.store.Close(); err != nil {
		t.Fatal(err)
	}
	pack(t, b.dir, name+".tar.gz")
	newFile(t, name+".txt", []byte(listing))
}

// lateCredit leaves an account with a credit that was taken back.
func (b *bench) lateCredit(a Account) {
	before := b.store.Durable()
	b.onFault(func(at store.Point, n uint64) error {
		if at == store.BeforeRelease && n == before+1 {
			b.clock.pass(2 * time.Second)
		}
		return nil
	})
	defer b.fault.Store(nil)
	_, err := b.Credit(ctx, Credit{Account: a, Amount: 9, Condition: condition(9), Deadline: b.clock.now().Add(time.Second)})
	is(b.t, err, ErrTooLate)
}

func newFile(t *testing.T, path string, content []byte) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		_, err = f.Write(content)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func pack(t *testing.T, dir, path string) {
	var out bytes.Buffer
	compressed := gzip.NewWriter(&out)
	w := tar.NewWriter(compressed)
	err := fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(filepath.Join(dir, name))
		if err == nil {
			err = w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content)), Format: tar.FormatUSTAR})
		}
		if err == nil {
			_, err = w.Write(content)
		}
		return err
	})
	if err = errors.Join(err, w.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	newFile(t, path, out.Bytes())
}

func unpack(t *testing.T, path, dir string) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	compressed, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(compressed); ; {
		h, err := r.Next()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		content, err := io.ReadAll(r)
		if err == nil {
			err = errors.Join(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, content, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
