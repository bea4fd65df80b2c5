package interop

// This file is `paydoor fetch` as a person has it: the binary, a wallet in a directory, and an account at a connector.

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/paydoor/paydoor/amount"
)

// purse is a person with a wallet.
type purse struct {
	t      *testing.T
	wallet string
	uplink string
}

func newPurse(t *testing.T, conn *connector) *purse {
	t.Helper()
	return &purse{t: t, wallet: t.TempDir(), uplink: withToken(conn.Payers, newSecret())}
}

// bought is the line of `paydoor fetch --json`.
type bought struct {
	Status   int
	Balance  string
	Payments []struct{ Method, Due, Sent, Delivered, Unknown, Error string }
	Body     string
	Error    string
	Exit     int
	said     string // on stderr
}

// sent is the sum of what left and may have left, delivered what arrived.
func (b bought) sent() (sent, delivered uint64) {
	for _, p := range b.Payments {
		sent += units(p.Sent) + units(p.Unknown)
		delivered += units(p.Delivered)
	}
	return sent, delivered
}

// units is 0 for "", which a report says for nothing; a text that is no amount is a bug that no test can go on with.
func units(text string) uint64 {
	n, err := amount.Parse(text)
	if err != nil && text != "" {
		panic(err)
	}
	return uint64(n)
}

// fetch runs `paydoor fetch --json` with further arguments.
func (s *purse) fetch(args ...string) (b bought) {
	s.t.Helper()
	out, said, exit := s.run(append([]string{"fetch", "--json", "--uplink", s.uplink}, args...)...)
	if err := json.Unmarshal(out, &b); err != nil {
		s.t.Fatalf("paydoor fetch %s printed %q: %v\n%s", args, out, err, said)
	}
	if b.Exit != exit {
		s.t.Errorf("paydoor fetch %s said %d and ended with %d", args, b.Exit, exit)
	}
	b.said = said
	return b
}

// spent returns what the wallet says was spent, in how many payments, and the last balance, of the one host that it knows.
func (s *purse) spent() (sum uint64, payments int, balance string) {
	s.t.Helper()
	out, said, _ := s.run("wallet", "--json")
	var overview struct {
		Hosts []struct {
			Spent    uint64 `json:",string"`
			Payments int
			Balance  string
		}
		SpentToday uint64 `json:"spent_today,string"`
	}
	if err := json.Unmarshal(out, &overview); err != nil || len(overview.Hosts) != 1 || overview.Hosts[0].Spent != overview.SpentToday {
		s.t.Fatalf("paydoor wallet printed %q: %v\n%s", out, err, said)
	}
	host := overview.Hosts[0]
	return host.Spent, host.Payments, host.Balance
}

func (s *purse) run(args ...string) (out []byte, said string, exit int) {
	s.t.Helper()
	path, err := binary()
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	command := exec.CommandContext(ctx, path, append(args, "--wallet", s.wallet)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err = command.Output()
	ended, failed := errors.AsType[*exec.ExitError](err)
	if err != nil && !failed {
		s.t.Fatal(err)
	}
	if failed {
		exit = ended.ExitCode()
	}
	if token := strings.SplitN(strings.SplitN(s.uplink, "@", 2)[0], "://:", 2)[1]; strings.Contains(stderr.String()+string(out), token) {
		s.t.Errorf("paydoor %s shows the uplink's token", args)
	}
	return out, stderr.String(), exit
}
