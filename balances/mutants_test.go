package balances

// This file shows that the models can fail: it plants bugs, one at a time, by an overlay over the package's files, and runs the models on
// each. It is for those who ask for it, and takes some minutes:
//
//	PAYDOOR_MUTANTS=1 go test -run ModelsCatchMutants -v -timeout 30m ./balances

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is a bug: the one place in a file, and what it is replaced by.
type mutant struct{ name, file, right, wrong string }

var mutants = []mutant{
	{"a reserve takes what others have reserved", "reserve.go", "if e.spendable() < price {", "if e.balance-e.held < price {"},
	{"the rest of a reservation stays reserved", "reserve.go", "		e.reserved -= r.price\n		e.open--\n		var err error\n", "		e.reserved -= charge\n		e.open--\n		var err error\n"},
	{"a charge is reported before it is durable", "reserve.go", "if err := ticket.Wait(ctx); err != nil {", "if err := error(nil); err != nil && ticket.Wait(ctx) != nil {"},
	{"a credit is not remembered", "known.go", "	if remember {", "	if false && remember {"},
	{"a credit is remembered for five minutes", "known.go", "horizon = 10 * time.Minute", "horizon = 5 * time.Minute"},
	{"a late credit is kept", "credit.go", "tooLate := l.late(f)", "tooLate := l.late(f) && l == nil"},
	{"a credit can be spent before it is durable", "shard.go", "return e.balance - e.held - e.reserved", "return e.balance - e.reserved"},
	{"pending charges get lost", "pending.go", "		l.append(g, a, e.pending.event())\n", ""},
	{"pending charges are counted twice", "pending.go", "		e.pending = pending{}\n", ""},
	{"an ID is forgotten at once", "adjusted.go", "made || err != nil", "err != nil && !made"},
	{"a debit takes what is reserved", "adjust.go", "	if e.spendable() < a.Amount {", "	if e.balance < a.Amount {"},
	{"forgetting forgets the sums", "fold.go", "	f.sums.Sums.count(e)\n", "	f.sums.Sums = Totals{}\n	f.sums.Sums.count(e)\n"},
	{"the ID goes before its event", "fold.go", "!e.At.Before(before)", "!e.At.Before(before.Add(time.Hour))"},
}

func (m mutant) source(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(m.file)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(b), m.right); n != 1 {
		t.Fatalf("%q is %d times in %s", m.right, n, m.file)
	}
	return strings.Replace(string(b), m.right, m.wrong, 1)
}

func TestMutantsCanBePlanted(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.source(t) })
	}
}

func TestModelsCatchMutants(t *testing.T) {
	if os.Getenv("PAYDOOR_MUTANTS") == "" {
		t.Skip("set PAYDOOR_MUTANTS=1: it takes minutes")
	}
	if failed, out := runModels(t, nil); failed {
		t.Fatalf("the models fail without a planted bug:\n%s", out)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			failed, out := runModels(t, &m)
			if !failed {
				t.Fatal("not caught")
			}
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "--- FAIL: ") {
					t.Log(strings.TrimSpace(line))
				}
			}
		})
	}
}

// runModels runs them on the package with the mutant.
func runModels(t *testing.T, m *mutant) (failed bool, out string) {
	t.Helper()
	arguments := []string{"test", "-count=1", "-run=Model$|Linearizable", "-rapid.nofailfile", "-rapid.checks=40", "-rapid.shrinktime=1s", "-timeout=3m"}
	if m != nil {
		dir := t.TempDir()
		target, err := filepath.Abs(m.file)
		changed, overlay := filepath.Join(dir, m.file), filepath.Join(dir, "overlay.json")
		if err == nil {
			err = os.WriteFile(changed, []byte(m.source(t)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		replace, err := json.Marshal(map[string]any{"Replace": map[string]string{target: changed}})
		if err == nil {
			err = os.WriteFile(overlay, replace, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		arguments = append(arguments, "-overlay="+overlay)
	}
	b, err := exec.CommandContext(t.Context(), "go", append(arguments, ".")...).CombinedOutput()
	out = string(b)
	if strings.Contains(out, "[build failed]") || strings.Contains(out, "[setup failed]") {
		t.Fatalf("the mutant does not compile:\n%s", out)
	}
	return err != nil, out
}
