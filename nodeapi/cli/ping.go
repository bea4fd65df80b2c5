package cli

// This file is `paydoor node ping`: whether packets reach another node and an answer comes back.

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
)

const defaultPingTimeout = 10 * time.Second

func (e Environment) pingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "ping ADDRESS --as NAME [--amount N] [--count N] [--interval TIME] [--timeout TIME]", Short: "Sends packets to another node and shows what comes back",
		Long: `
Sends packets to the ILP address of a node that answers pings, as paydoor and the Java connector do, from one of this node's accounts and with
that account's token: in PAYDOOR_TOKEN, or in the file that --token-file names. A fulfilled ping proves the way there and back; what --amount
says is then paid to the node that answered. The exit status is 0 if all were fulfilled.`,
		Args: exactly(1, "the ILP address of the other node behind ping, such as test.bob"),
		RunE: e.runPing,
	}
	cmd.Flags().String("as", "", "The account that sends (required)")
	cmd.Flags().String("token", "", `Its token: "-" reads it from stdin, env:NAME takes it from a variable`)
	cmd.Flags().String("amount", "0", "How much each packet carries, in base units of the account")
	cmd.Flags().Uint("count", 1, "How many packets to send")
	cmd.Flags().Duration("interval", time.Second, "How long to wait from one packet to the next")
	return cmd
}

// pinging is one run of the command.
type pinging struct {
	cmd      *cobra.Command
	client   *client
	now      func() time.Time
	account  string
	node     ilpcore.Address
	amount   amount.Amount
	count    uint64
	interval time.Duration
	tally    pingTally
}

func (e Environment) runPing(cmd *cobra.Command, args []string) error {
	p, err := e.pinging(cmd, args[0])
	if err != nil {
		return err
	}
	defer p.client.close()
	ctx, stop := interruptible(cmd)
	defer stop()
	if err := p.run(ctx); err != nil {
		return err
	}
	return p.tally.end(cmd)
}

func (e Environment) pinging(cmd *cobra.Command, to string) (p pinging, err error) {
	p.cmd, p.now, p.account = cmd, e.Now, option(cmd, "as")
	if p.account == "" {
		return p, errors.New("write which account of the node the packets come from: --as NAME")
	}
	if p.node, err = ilpcore.ParseAddress(to); err != nil {
		return p, fmt.Errorf("%s is no ILP address, such as test.bob: %w", clean(to), err)
	}
	if p.amount, err = amount.Parse(option(cmd, "amount")); err != nil {
		return p, fmt.Errorf("--amount takes a whole number of base units: %w", err)
	}
	if p.count, err = strconv.ParseUint(option(cmd, "count"), 10, 32); err != nil || p.count == 0 {
		return p, errors.New("--count takes a positive number")
	}
	if p.interval, err = time.ParseDuration(option(cmd, "interval")); err != nil || p.interval < 0 {
		return p, errors.New("--interval takes a time, such as 1s")
	}
	if p.client, err = e.client(cmd, accountToken); err != nil {
		return p, err
	}
	if option(cmd, "timeout") == "0s" {
		p.client.timeout = defaultPingTimeout
	}
	return p, nil
}

// run sends the packets until all are answered or the user interrupts.
func (p *pinging) run(ctx context.Context) error {
	for n := uint64(1); ; n++ {
		one, err := p.send(ctx, n)
		if ctx.Err() != nil {
			return nil // the tally says what was answered
		}
		if err != nil {
			return err
		}
		if err := p.tally.add(p.cmd, one); err != nil || n == p.count {
			return err
		}
		wait := time.NewTimer(p.interval)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
			return nil
		}
	}
}

// slack is how much longer than the packet its answer over HTTP is waited for: the node answers a packet that expired.
const slack = 2 * time.Second

// send sends one packet. An error means that no packet was answered, and none will be.
func (p *pinging) send(ctx context.Context, n uint64) (one pingResult, err error) {
	prepare := ilpcore.Ping(p.node, p.amount, p.now().Add(p.client.timeout))
	packet, err := prepare.Append(nil)
	if err != nil {
		return one, fmt.Errorf("making the packet: %w", err)
	}
	waiting := *p.client
	waiting.timeout += slack
	started := p.now()
	a, err := waiting.ask(ctx, request{
		method: http.MethodPost, path: accountPath(p.account, "/ilp"), body: packet,
		header: http.Header{"Content-Type": {octets}, "Accept": {octets}},
	})
	if err != nil {
		return one, err
	}
	one = pingResult{Sequence: n, node: p.node, took: p.now().Sub(started)}
	reply, err := ilpcore.DecodeReply(a.body)
	if err != nil {
		return one, fmt.Errorf("the answer is no ILP packet (%w): is --node the URL of the node's ilp_node site?", err)
	}
	one.read(&reply)
	return one, nil
}

const octets = "application/octet-stream"

// read judges the answer.
func (one *pingResult) read(reply *ilpcore.Reply) {
	one.RoundTrip = one.took.Microseconds()
	switch {
	case reply.Fulfilled && bytes.Equal(reply.Fulfillment[:], ilpcore.PingFulfillment[:]):
		one.Fulfilled = true
	case reply.Fulfilled:
		one.Message = "the answer's fulfillment does not fit the condition"
	default:
		one.Code, one.Name = clean(reply.Code.String()), reply.Code.Name()
		one.TriggeredBy, one.Message = clean(reply.TriggeredBy), clean(reply.Message)
	}
}
