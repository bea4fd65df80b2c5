// Command pay fetches a URL and pays for it, from the play money of a node on this machine: paydoor demo has one, and a site to pay.
//
//	go run ./examples/pay http://localhost:8402/hello
package main

import (
	"cmp"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/payer"
)

func main() {
	node := cmp.Or(os.Getenv("PAYDOOR_NODE"), "http://localhost:7770") // with an account at a connector: its URL and token, or btp.Dial
	link := must(ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: node + "/sandbox/ilp", Token: "sandbox"}))
	caps := payer.Limits{PerRequest: 100, PerDay: 1000} // of all programs that use the wallet, together
	wallet := must(payer.OpenWallet(payer.WalletConfig{Dir: must(payer.WalletDir()), Limits: caps}))
	client := http.Client{Transport: wallet.Transport(link)} // the one line: from here on all is as always
	response := must(client.Get(os.Args[1]))
	log.Println(response.Status, must(io.Copy(os.Stdout, response.Body)), "bytes")
	must(0, response.Body.Close())
	must(0, wallet.Close())
}

// init ends a program that was not told what to fetch, so that main is what docs/paying.md shows.
func init() {
	if len(os.Args) != 2 || os.Args[1] == "" {
		fmt.Fprintln(os.Stderr, "usage: pay URL, such as http://localhost:8402/hello, which paydoor demo serves")
		os.Exit(2)
	}
}

// must ends the program at the first error.
func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
