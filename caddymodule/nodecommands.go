package caddymodule

// This file is `paydoor node`: the commands of package cli, with what they take from the process.

import (
	"os"
	"path/filepath"
	"time"

	"github.com/caddyserver/caddy/v2"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"

	"github.com/paydoor/paydoor/nodeapi/cli"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "node",
		Usage: "<command>",
		Short: "Asks and changes a running Interledger node",
		Long: `
Shows and changes accounts, routes and rates of a running node over its HTTP API, pings other nodes, and pays. The node is the site with
ilp_node: http://localhost:7770, or what --node or PAYDOOR_NODE names.

The admin token is taken from --token-file, from PAYDOOR_ADMIN_TOKEN, or on the node's own machine from the file that the node has made in its
data_dir, which PAYDOOR_DATA_DIR names if it is not the default. ping and pay take the account's token from --token-file or PAYDOOR_TOKEN.

The exit status is 0 if all went well; 1 if the node refused, a ping or payment failed, or the command line has a mistake; 2 if no node was reached;
and 3 if a change was sent and no answer came, so that nobody knows whether it was made, or of a part of a payment what became.`,
		CobraFunc: addNodeCommands,
	})
}

func addNodeCommands(node *cobra.Command) {
	node.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	node.Args = plain(cobra.NoArgs, "there is no such command: run paydoor node --help")
	cli.AddCommands(node, cli.Environment{Getenv: os.Getenv, DataDir: filepath.Join(caddy.AppDataDir(), "paydoor"), Now: time.Now})
	endAll(node.Commands(), cli.ExitStatus)
}

// endAll makes the commands, and those below them, end as ours do, with the status that exit returns for their error.
func endAll(commands []*cobra.Command, exit func(error) int) {
	for _, cmd := range commands {
		run := cmd.RunE
		cmd.RunE = ending(func(cmd *cobra.Command, args []string) error {
			err := run(cmd, args)
			if status := exit(err); status > 1 {
				return exitStatus{err, status}
			}
			return err
		})
		endAll(cmd.Commands(), exit)
	}
}
