package cli

// This file puts the commands together, with the flags that all of them have.

import (
	"context"
	"fmt"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// Environment is what the commands take from the process. Getenv and Now are required.
type Environment struct {
	Getenv    func(string) string
	DataDir   string // where the node keeps its files if PAYDOOR_DATA_DIR does not say so; "": unknown
	Now       func() time.Time
	Transport http.RoundTripper // nil: one of its own for each command
}

// The variables that the commands read.
const (
	nodeVariable    = "PAYDOOR_NODE"
	adminVariable   = "PAYDOOR_ADMIN_TOKEN"
	accountVariable = "PAYDOOR_TOKEN"
	dirVariable     = "PAYDOOR_DATA_DIR"
)

const defaultNode = "http://localhost:7770"

// AddCommands adds to parent the commands, and the flags that they share. Their errors are for people; ExitStatus says how to exit.
func AddCommands(parent *cobra.Command, e Environment) {
	flags := parent.PersistentFlags()
	flags.String("node", "", "The node: the URL of its ilp_node site; default: "+nodeVariable+", else "+defaultNode)
	flags.String("token-file", "", "The file with the token; default: see the command")
	flags.Bool("insecure", false, "Send tokens over http: to another machine, where everybody on the way can read them")
	flags.Duration("timeout", 0, "How long to wait for an answer; default: 30s, of a payment 5m, of a ping 10s")
	flags.Bool("json", false, "Print the node's JSON instead of a table")
	parent.AddCommand(
		e.accountsCommand(), e.statusCommand(), e.pingCommand(), e.payCommand(), e.routesCommand(), e.ratesCommand(),
		e.enginesCommand(), e.settlementCommand(), e.importKeyCommand(), e.encryptCommand(),
	)
}

// group is a command that only has others below it.
func group(use, short string, commands ...*cobra.Command) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				return fmt.Errorf("there is no command %q: run %s --help", args[0], cmd.CommandPath())
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(commands...)
	return cmd
}

// option returns the text of a flag that the command has.
func option(cmd *cobra.Command, name string) string { return cmd.Flag(name).Value.String() }

// exactly is the check that a command has n arguments; text says what they are.
func exactly(n int, text string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		if len(args) != n {
			return fmt.Errorf("write %s", text)
		}
		return nil
	}
}

// account is exactly for one argument that is the name of an account. An empty one, of a variable of the shell that is not set, and dots would make another path.
func account(text string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := exactly(1, text)(cmd, args); err != nil {
			return err
		}
		if args[0] == "" || args[0] == "." || args[0] == ".." {
			return fmt.Errorf("%q is no name: write %s", args[0], text)
		}
		return nil
	}
}

// interruptible ends when the user interrupts the command.
func interruptible(cmd *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
}
