package cli

// This file is `paydoor node accounts incoming-payments`: what an account receives, line by line as it comes.

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/coder/websocket"
	"github.com/spf13/cobra"
)

func (e Environment) incomingCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "incoming-payments [NAME] [--count N]", Short: "Shows payments as they come in",
		Long: `
Prints a line for each packet that is fulfilled for the account, or without NAME for any account of the node, until it is interrupted. With
--json each line is the node's JSON. What came before is not shown.`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return account("the name of one account behind incoming-payments, or none for all")(cmd, args)
		},
		RunE: e.runIncoming,
	}
	cmd.Flags().Uint64("count", 0, "End after as many lines; default: never")
	return cmd
}

// longestFrame is how long one message of the node may be.
const longestFrame = 64 << 10

func (e Environment) runIncoming(cmd *cobra.Command, args []string) error {
	kind, path := adminToken, "/payments/incoming"
	if len(args) == 1 {
		kind, path = holder, accountPath(args[0], path)
	}
	count, err := strconv.ParseUint(option(cmd, "count"), 10, 64)
	if err != nil {
		return fmt.Errorf("--count: %w", err)
	}
	c, err := e.client(cmd, kind)
	if err != nil {
		return err
	}
	defer c.close()
	ctx, stop := interruptible(cmd)
	defer stop()
	conn, err := c.dial(ctx, path)
	if err != nil {
		return err
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(longestFrame)
	for n := uint64(0); count == 0 || n < count; n++ {
		_, frame, err := conn.Read(ctx)
		if ctx.Err() != nil {
			return nil // the user has seen enough
		}
		if err != nil {
			return failure{fmt.Errorf("the node ended the connection (%s): run the command again", whyClosed(err)), StatusUnreached}
		}
		if err := printPayment(cmd, frame); err != nil {
			return err
		}
	}
	return conn.Close(websocket.StatusNormalClosure, "")
}

func whyClosed(err error) string {
	closed, ok := errors.AsType[websocket.CloseError](err)
	if !ok {
		return err.Error()
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", closed.Code, clean(closed.Reason)))
}

// dial opens a WebSocket. The timeout is for the opening alone.
func (c *client) dial(ctx context.Context, path string) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	conn, response, err := websocket.Dial(ctx, c.base.String()+path, &websocket.DialOptions{
		HTTPClient: c.http, HTTPHeader: http.Header{"Authorization": {"Bearer " + c.token}},
	})
	switch {
	case err == nil:
		return conn, nil
	case response == nil:
		return nil, c.lost(err, false)
	case response.StatusCode == http.StatusSwitchingProtocols:
		return nil, c.lost(fmt.Errorf("the connection was not opened: %w", err), false)
	}
	body, _ := io.ReadAll(io.LimitReader(response.Body, longestFrame)) // the library keeps the first bytes of it
	return nil, c.secretly(refused(answer{response.StatusCode, response.Header, body}, c.base.String(), c.who))
}

// printPayment prints one message. Those about the whole node are inside {"Ok": …}, or an {"Err": "…"}.
func printPayment(cmd *cobra.Command, frame []byte) error {
	p, err := decodeRecord(frame)
	if err != nil {
		return fmt.Errorf("the node sent a message that is no payment: %w", err)
	}
	if asJSON(cmd) {
		line, err := marshal(withoutSecrets(p), "")
		if err == nil {
			_, err = cmd.OutOrStdout().Write(line)
		}
		return err
	}
	if missed := p.text("Err"); missed != "" {
		_, err := fmt.Fprintf(cmd.ErrOrStderr(), "paydoor: the node says: %s; lines may be missing\n", missed)
		return err
	}
	if inside := p.inside("Ok"); inside != nil {
		p = inside
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), paymentLine(p))
	return err
}

func paymentLine(p record) string {
	line := fmt.Sprintf("%s  %s received %s from %s at %s", p.text("timestamp"), p.text("to_username"), p.text("amount"), p.text("from_username"), p.text("destination"))
	if p.text("connection_closed") == "yes" {
		line += " (the sender has closed the payment)"
	}
	return line
}
