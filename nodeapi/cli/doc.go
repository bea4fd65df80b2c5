// Package cli is `paydoor node`: commands that ask a running node over its HTTP API (package nodeapi). They speak the dialect of
// interledger-rs 1.0 and read the answers of all three, so they also work with the nodes that the API was modelled on.
//
//	node := &cobra.Command{Use: "node"}
//	cli.AddCommands(node, cli.Environment{Getenv: os.Getenv, DataDir: dir, Now: time.Now})
//	err := node.Execute()
//	os.Exit(cli.ExitStatus(err))
//
// A command's way: commands.go has what all of them share, token.go finds the token, client.go sends the request, and problem.go makes a
// sentence of a refusal. Amounts are whole numbers of base units and never pass through a float.
package cli
