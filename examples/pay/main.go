// Command pay fetches a URL and pays for it, from the play money of a node on this machine: paydoor demo has one, and a site to pay.
//
//	go run ./examples/pay http://127.0.0.1:8402/hello
package main

import (
	"io"
	"log"
	"net/http"
	"os"

	"github.com/paydoor/paydoor/links/ilphttp"
	"github.com/paydoor/paydoor/payer"
)

func main() {
	// An account at a connector takes its place: its URL and token, or btp.Dial.
	link, err := ilphttp.NewClient(ilphttp.ClientConfig{Endpoint: os.Getenv("NODE") + "/sandbox/ilp", Token: "sandbox"})
	check(err)
	// Not more than 100 for a request and 1000 a day, by all programs with this directory together.
	wallet, err := payer.OpenWallet(payer.WalletConfig{Dir: os.Getenv("WALLET"), Limits: payer.Limits{PerRequest: 100, PerDay: 1000}})
	check(err)
	client := http.Client{Transport: wallet.Transport(link)} // the one line: from here on all is as always

	response, err := client.Get(os.Args[1])
	check(err)
	_, err = io.Copy(os.Stdout, response.Body)
	check(err)
	check(response.Body.Close())
	check(wallet.Close())
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
