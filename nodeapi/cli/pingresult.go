package cli

// This file says how pings went: a line each, and all together.

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/ilpcore"
)

// pingResult is what became of one packet; with --json it is printed as it is.
type pingResult struct {
	Sequence    uint64 `json:"sequence"`
	Fulfilled   bool   `json:"fulfilled"`
	RoundTrip   int64  `json:"round_trip_us"` // microseconds
	Code        string `json:"code,omitempty"`
	Name        string `json:"name,omitempty"`
	TriggeredBy string `json:"triggered_by,omitempty"`
	Message     string `json:"message,omitempty"`

	node ilpcore.Address
	took time.Duration
}

// pingTally is all of them.
type pingTally struct {
	sent, fulfilled       int
	least, most, together time.Duration
	explained             string // the code that was explained last
}

// add counts a packet and prints its line.
func (t *pingTally) add(cmd *cobra.Command, one pingResult) error {
	t.sent++
	if one.Fulfilled {
		t.fulfilled++
		t.together += one.took
		t.most = max(t.most, one.took)
		if t.fulfilled == 1 || one.took < t.least {
			t.least = one.took
		}
	}
	line := []byte(one.String() + "\n")
	if hint := rejected[one.Code]; hint != "" && one.Code != t.explained {
		t.explained = one.Code
		line = append(line, "   "+hint+"\n"...)
	}
	if asJSON(cmd) {
		var err error
		if line, err = marshal(one, ""); err != nil {
			return err
		}
	}
	_, err := cmd.OutOrStdout().Write(line)
	return err
}

// String is the line for people.
func (one *pingResult) String() string {
	took := one.took.Round(time.Microsecond)
	if one.Fulfilled {
		return fmt.Sprintf("%d  fulfilled by %s in %s", one.Sequence, one.node, took)
	}
	if one.Code == "" {
		return fmt.Sprintf("%d  not fulfilled, in %s: %s", one.Sequence, took, one.Message)
	}
	line := fmt.Sprintf("%d  rejected in %s: %s", one.Sequence, took, strings.TrimSpace(one.Code+" "+one.Name))
	if one.TriggeredBy != "" {
		line += " by " + one.TriggeredBy
	}
	if one.Message != "" {
		line += ": " + one.Message
	}
	return line
}

// rejected says what usually is behind a code, from the side of who sent the ping.
var rejected = map[string]string{
	"F00": "the node there answers no pings of this kind, or something on the way refuses the packet",
	"F01": "a node on the way cannot read the packet, or does not take it from this account",
	"F02": "no route leads there from the node that said so: paydoor node routes list shows those of this one; interledger-rs answers pings so, too",
	"F08": "the packet carries more than a node on the way takes at once: send less with --amount",
	"R00": "no answer came in time: a link on the way is slow or dead, or --timeout is too short",
	"R02": "the packet had too little time left on the way: --timeout gives it more",
	"T00": "a node on the way has a fault, or no exchange rate: its log says which",
	"T01": "a link on the way is down: paydoor node status shows those of this node",
	"T03": "a node on the way is busy: try again",
	"T04": "an account on the way has not enough balance or credit: paydoor node accounts balance shows those of this node",
	"T05": "an account on the way may not send as many packets: wait a minute, or send slower with --interval",
}

// end prints the sum, and returns an error unless all were fulfilled.
func (t *pingTally) end(cmd *cobra.Command) error {
	if t.sent == 0 {
		return errors.New("interrupted before an answer came")
	}
	if !asJSON(cmd) {
		line := fmt.Sprintf("%d sent, %d fulfilled", t.sent, t.fulfilled)
		if t.fulfilled > 0 {
			mean := (t.together / time.Duration(t.fulfilled)).Round(time.Microsecond)
			line += fmt.Sprintf("; round trip %s least, %s mean, %s most", t.least.Round(time.Microsecond), mean, t.most.Round(time.Microsecond))
		}
		if _, err := fmt.Fprintln(cmd.OutOrStdout(), line); err != nil {
			return err
		}
	}
	if t.fulfilled < t.sent {
		return fmt.Errorf("%d of %d pings were not fulfilled", t.sent-t.fulfilled, t.sent)
	}
	return nil
}
