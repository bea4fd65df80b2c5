package cli

// This file is `paydoor fetch`: it goes through the URLs, one after the other, and pays where it has to.

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/internal/loopback"
	"github.com/paydoor/paydoor/payer"
)

// Fetch makes of cmd the command fetch. Its errors are for people; ExitStatus says how to exit.
func Fetch(cmd *cobra.Command, e Environment) {
	addRequestFlags(cmd)
	flags := cmd.Flags()
	flags.StringArrayP("output", "o", nil, "Write the body to this file instead of stdout; once for each URL")
	flags.BoolP("remote-name", "O", false, "Write the body to a file with the name at the end of the URL")
	flags.BoolP("include", "i", false, "Print the headers of the answer, too")
	flags.BoolP("silent", "s", false, "No progress and no messages; the exit status tells")
	flags.BoolP("show-error", "S", false, "With -s, messages of errors all the same")
	flags.BoolP("fail", "f", false, "Print no body of an answer from 400 on")
	flags.BoolP("location", "L", false, "Follow redirects, up to 50")
	flags.StringP("max-time", "m", "", "How long each URL may take, payment included: 10, 2.5 or 1m30s; default: no limit")
	flags.BoolP("verbose", "v", false, "Say each step and show all headers, with secrets masked")
	flags.Bool("json", false, "Print one line of JSON for each URL: status, body, what was paid")
	flags.String("max", "", "The most that one request to these hosts may cost, in base units of your account; remembered for each host")
	flags.Bool("dry-run", false, "Ask what the request costs and say what would be paid; send and pay nothing")
	flags.String("method", "", "How to pay where the server lets choose: stream (default) or psk2")
	flags.String("uplink", "", "Your account at a connector: btp+wss://USER@HOST, or an https:// URL for ILP over HTTP; default: "+uplinkVariable+", the configuration, or the sandbox of a node on this machine")
	flags.String("uplink-token-file", "", "The file with the account's token; default: "+tokenVariable+" or the configuration")
	flags.String("wallet", "", "The directory of the wallet; default: "+walletVariable+", else the user's own")
	flags.Bool("plain-http", false, "Send tokens, which are worth money, over http: to other machines")
	flags.String("cacert", "", "Believe the certificates in this PEM file, and no others; default: those of the system")
	cmd.SetFlagErrorFunc(flagError)
	cmd.Args = func(_ *cobra.Command, args []string) error {
		if len(args) == 0 {
			return errors.New("write a URL: paydoor fetch --max 100 http://localhost:8402/hello")
		}
		return nil
	}
	cmd.SilenceUsage = true
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		err := advised(e.fetch(cmd, args))
		switch {
		case err == nil:
			return nil
		case chosen(cmd, "silent") && !chosen(cmd, "show-error"):
			return failure{silent{err}, ExitStatus(err)}
		}
		return printable{err}
	}
}

// fetcher is a run of fetch.
type fetcher struct {
	e         Environment
	cmd       *cobra.Command
	wallet    *payer.Wallet
	uplink    *uplink
	client    *http.Client
	transport *payer.Transport
	maxTime   time.Duration
	max       amount.Amount // of --max; 0: it was not given
	urls      []*url.URL
	order     ordered
	show      *display
	pointers  pointers
	payments  []payer.Progress // of the URL at hand, each as it is now
}

func (e Environment) fetch(cmd *cobra.Command, args []string) (err error) {
	urls, err := parseURLs(args)
	if err != nil {
		return err
	}
	f := &fetcher{e: e, cmd: cmd, urls: urls}
	if err := f.checkOutputs(urls); err != nil {
		return err
	}
	if f.order, err = readOrder(cmd, len(urls)); err != nil {
		return err
	}
	var c config
	if f.wallet, c, err = e.open(cmd); err != nil {
		return err
	}
	defer func() { err = f.aside(err, f.wallet.Close()) }()
	if err := f.settle(c, urls); err != nil {
		return err
	}
	defer func() { err = f.aside(err, f.uplink.close()) }()
	defer f.client.CloseIdleConnections()
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	// Who reads no further, such as head, must not end the program in the middle of a payment: writing fails then, and it ends in order.
	pipe := make(chan os.Signal, 1)
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)
	for i, u := range urls {
		failed := f.one(ctx, u, i)
		if failed != nil && len(urls) > 1 {
			failed = failure{fmt.Errorf("%s: %w", f.show.name(u), failed), ExitStatus(failed)}
		}
		if err == nil {
			err = failed
		} else if failed != nil {
			f.show.say("%v", failed) // the first is what the command ends with
		}
		if ctx.Err() != nil {
			break
		}
	}
	return err
}

// aside adds to the err of a run what failed when it was over. Where all was answered, that is said, but is no failure: whoever runs the command again
// for it would pay again.
func (f *fetcher) aside(err, failed error) error {
	if err != nil || failed == nil {
		return errors.Join(err, failed)
	}
	f.show.say("%v; that is all that went wrong: every answer is complete", advised(failed))
	return nil
}

// settle reads the flags that hold for all URLs.
func (f *fetcher) settle(c config, urls []*url.URL) (err error) {
	if f.maxTime, err = parseTime(option(f.cmd, "max-time")); err != nil {
		return err
	}
	if text := option(f.cmd, "max"); f.cmd.Flags().Changed("max") { // also with an empty text, as of a variable that is not set
		if f.max, err = amount.Parse(text); err != nil || f.max == 0 {
			return errors.New("--max takes a positive whole number of base units, such as 100")
		}
	}
	method, err := paymentMethod(option(f.cmd, "method"), c.Method)
	if err != nil {
		return err
	}
	local := true
	for _, u := range urls {
		local = local && loopback.Host(strings.ToLower(u.Hostname()))
		if f.max != 0 && !chosen(f.cmd, "dry-run") {
			if err := f.wallet.SetMax(u.Hostname(), f.max); err != nil {
				return err
			}
		}
	}
	if f.uplink, err = f.e.newUplink(f.cmd, c, local); err != nil {
		return err
	}
	f.show = newDisplay(f.cmd, f.e)
	if f.pointers.RoundTripper, err = f.base(); err != nil {
		return err
	}
	f.transport = &payer.Transport{
		Base: f.show.watch(&f.pointers), Link: f.uplink, Random: f.e.Random, Now: f.e.Now, Budget: f.wallet, Secret: f.wallet.Secret(),
		Method: method, Insecure: chosen(f.cmd, "plain-http"), Progress: f.moved, Waits: f.show.waits,
	}
	f.client = &http.Client{Transport: whole{f.transport}, CheckRedirect: f.redirect}
	return nil
}

const mostRedirects = 50

// redirect says whether to follow. Where we come from is nobody's business, and may hold secrets; and who we are is no other host's, also where its
// name ends in that of the first, which is enough for http.Client.
func (f *fetcher) redirect(next *http.Request, via []*http.Request) error {
	next.Header.Del("Referer")
	if !strings.EqualFold(next.URL.Hostname(), via[0].URL.Hostname()) {
		for _, name := range []string{"Authorization", "Proxy-Authorization", "Cookie"} {
			next.Header.Del(name)
		}
	}
	if !chosen(f.cmd, "location") {
		return http.ErrUseLastResponse
	}
	if len(via) > mostRedirects {
		return fmt.Errorf("there are more than %d redirects", mostRedirects)
	}
	return nil
}

// moved notes how far a payment is, and shows it.
func (f *fetcher) moved(p payer.Progress) {
	if n := len(f.payments); n == 0 || f.payments[n-1].Done {
		f.payments = append(f.payments, p)
	}
	f.payments[len(f.payments)-1] = p
	f.show.payment(p)
}

// one fetches one URL.
func (f *fetcher) one(ctx context.Context, u *url.URL, index int) error {
	if f.maxTime > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, f.maxTime)
		defer cancel()
	}
	ctx = payer.Together(ctx) // or a server could take --max with each redirect
	f.payments = nil
	f.pointers.note("")
	r, err := newRequest(ctx, f.cmd, u, f.order)
	if err != nil {
		return err
	}
	if err := f.allow(u.Hostname()); err != nil {
		return err
	}
	if chosen(f.cmd, "dry-run") {
		return f.dryRun(r)
	}
	answered := f.show.upload(r)
	response, err := f.client.Do(r)
	answered()
	f.show.clear()
	if err != nil {
		f.show.unanswered(f.payments)
		err = f.pointers.orByWallet(lost(ctx, err, f.unknown()))
		return errors.Join(err, f.reportFailure(r, err))
	}
	defer response.Body.Close()
	return f.answer(r, response, index)
}

// allow tells the transport how much a request without a price may take.
func (f *fetcher) allow(host string) error {
	most, err := f.wallet.Max(host)
	f.transport.Allowance = cmp.Or(f.max, most)
	return err
}

// unknown says whether money of this URL may have been paid without anybody knowing.
func (f *fetcher) unknown() bool {
	for _, p := range f.payments {
		if p.Unknown > 0 {
			return true
		}
	}
	return false
}

// flagError says where the flags are; of -k, which users of curl look for, why there is none.
func flagError(_ *cobra.Command, err error) error {
	if none, ok := errors.AsType[*pflag.NotExistError](err); ok && (none.GetSpecifiedName() == "k" || none.GetSpecifiedName() == "insecure") {
		return fmt.Errorf("%w: whoever is in between would get the token, which is worth money; name the file with the certificate to believe in --cacert", err)
	}
	return fmt.Errorf("%w: paydoor fetch --help has the flags", err)
}

// schemed are URLs that begin with a scheme. One without may have another URL in its query.
var schemed = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*://`)

func parseURLs(args []string) (urls []*url.URL, err error) {
	for i, arg := range args {
		if !schemed.MatchString(arg) {
			arg = "http://" + arg // as curl does
		}
		u, err := url.Parse(arg)
		if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
			return nil, fmt.Errorf("argument %d is none: a URL is http://HOST/PATH or https://HOST/PATH", i+1) // it may hold secrets
		}
		if u.User != nil {
			return nil, errors.New("write the user and the password with -u, not in the URL")
		}
		urls = append(urls, u)
	}
	return urls, nil
}

// parseTime reads curl's seconds, whole or with a point, and Go's times; 0 is no limit, as with curl.
func parseTime(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		d, err = time.ParseDuration(text + "s")
	}
	if err != nil || d < 0 {
		return 0, errors.New("--max-time takes a positive time: 10, 2.5 or 1m30s")
	}
	return d, nil
}

func paymentMethod(said, configured string) (string, error) {
	if said == "" {
		said = configured
	}
	switch said {
	case "", "stream":
		return payer.MethodStream, nil
	case "psk2":
		return payer.MethodPSK2, nil
	}
	return "", errors.New("the method is stream or psk2")
}
