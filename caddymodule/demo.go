package caddymodule

// This file is `paydoor demo`: wallet, node, gateway and backend in one process, and a first paid request before your eyes.

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/spf13/cobra"
)

func init() {
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "demo",
		Usage: "[--once]",
		Short: "Shows a first paid request, offline, with play money",
		Long: `
Starts a test wallet, an Interledger node, a gateway and a backend in this one process, on loopback addresses only, with all files
in a temporary directory. It asks for a price, pays it, gets the paid answer, and shows each header. Then it stays up, so that you
can try the same with curl, until Ctrl-C. Nothing is left behind.`,
		CobraFunc: func(cmd *cobra.Command) {
			cmd.Flags().Bool("once", false, "Exit after the first paid answer")
			cmd.RunE = caddycmd.WrapCommandFuncForCobra(func(flags caddycmd.Flags) (int, error) {
				ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
				defer stop()
				if err := runDemo(ctx, os.Stdout, flags.Bool("once")); err != nil {
					return caddy.ExitCodeFailedStartup, fmt.Errorf("demo: %w", err)
				}
				return caddy.ExitCodeSuccess, nil
			})
		},
	})
}

// demo is the running demonstration.
type demo struct {
	out     io.Writer
	dir     string
	site    string // host:port of the gateway
	node    string // host:port of the node
	backend *demoBackend
}

// runDemo runs the demonstration until its first paid answer or, without once, until ctx is done.
func runDemo(ctx context.Context, out io.Writer, once bool) (err error) {
	dir, err := os.MkdirTemp("", "paydoor-demo-")
	if err != nil {
		return fmt.Errorf("making a temporary directory: %w", err)
	}
	defer os.RemoveAll(dir)
	// Caddy keeps an id and locks in its data directory, wherever its storage is.
	for _, name := range []string{"XDG_DATA_HOME", "XDG_CONFIG_HOME"} {
		if err := os.Setenv(name, dir); err != nil {
			return fmt.Errorf("moving into the temporary directory: %w", err)
		}
	}
	d := &demo{out: out, dir: dir}
	if err := d.start(); err != nil {
		return err
	}
	defer d.stop()
	if err := d.firstPaidRequest(ctx, once); err != nil {
		return err
	}
	if once {
		return nil
	}
	d.invite()
	<-ctx.Done()
	fmt.Fprintln(out, "\nStopping; nothing is left behind.")
	return nil
}

// start starts the backend and the server.
func (d *demo) start() (err error) {
	if d.backend, err = startDemoBackend(); err != nil {
		return err
	}
	if d.site, err = freeAddress(8402); err == nil {
		d.node, err = freeAddress(7770)
	}
	if err == nil {
		err = d.load()
	}
	if err != nil {
		d.backend.stop()
	}
	return err
}

// load adapts the demonstration's Caddyfile and runs it.
func (d *demo) load() error {
	global, site := d.caddyfile()
	fmt.Fprintf(d.out, `
Paydoor demo. Wallet, node, gateway and backend run in this process, the money is play money, and the files are in
%s, which is removed at the end.

The gateway's site, in front of a backend that knows nothing of money:

%s

`, d.dir, indent(site))
	config, _, err := caddyconfig.GetAdapter("caddyfile").Adapt([]byte(global+site), map[string]any{"filename": "demo"})
	if err != nil {
		return fmt.Errorf("adapting the Caddyfile: %w", err)
	}
	if err := caddy.Load(config, true); err != nil {
		return fmt.Errorf("starting the server: %w", err)
	}
	return nil
}

// caddyfile returns the global options with the node's site, and the site that is shown.
func (d *demo) caddyfile() (global, site string) {
	global = fmt.Sprintf(`{
	admin off
	auto_https off
	persist_config off
	grace_period 1s
	storage file_system %s
	log {
		level ERROR
	}
	ilp {
		data_dir %s
		address test.demo
		asset USD 9
		sandbox
	}
}
http://%s {
	bind 127.0.0.1
	ilp_node
}
`, filepath.Join(d.dir, "caddy"), filepath.Join(d.dir, "paydoor"), anyName(d.node))
	site = fmt.Sprintf(`http://%s {
	bind 127.0.0.1
	paywall {
		price 10
	}
	reverse_proxy %s
}
`, anyName(d.site), d.backend.address)
	return global, site
}

// anyName is an address of a site for requests by whatever name: this machine is also called localhost.
func anyName(address string) string { return address[strings.LastIndexByte(address, ':'):] }

func (d *demo) stop() {
	caddy.Stop()
	d.backend.stop()
}
