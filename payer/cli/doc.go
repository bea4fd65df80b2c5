// Package cli is `paydoor fetch`, which pays for requests as curl makes them, and `paydoor wallet`, which says what was spent.
//
//	fetch := &cobra.Command{Use: "fetch URL..."}
//	cli.Fetch(fetch, cli.Environment{Getenv: os.Getenv, Dir: dir, Now: time.Now, Random: rand.Reader})
//	err := fetch.Execute()
//	os.Exit(cli.ExitStatus(err))
//
// A fetch's way: fetch.go goes through the URLs, request.go and body.go make the request, uplink.go connects when there is something to pay, answer.go
// writes what came, and status.go says how it ended. Amounts are whole base units and never pass through a float.
package cli
