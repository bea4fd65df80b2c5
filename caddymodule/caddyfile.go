package caddymodule

// This file registers what may be written in a Caddyfile, and holds the reading of single values that every block shares.

import (
	"math"
	"strconv"
	"strings"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	"github.com/dustin/go-humanize"
)

func init() {
	httpcaddyfile.RegisterGlobalOption("ilp", parseApp)
	httpcaddyfile.RegisterDirective("paywall", parsePaywallRoutes)
	httpcaddyfile.RegisterHandlerDirective("ilp_node", parseNode)
	// Inside forward_auth, so that nobody is charged for a 401; outside of everything that makes the answer.
	httpcaddyfile.RegisterDirectiveOrder("paywall", httpcaddyfile.After, "forward_auth")
	httpcaddyfile.RegisterDirectiveOrder("ilp_node", httpcaddyfile.Before, "respond")
}

// lines reads the lines of one block. It refuses an option that is written twice, since the second would silently win.
type lines struct {
	*caddyfile.Dispenser
	seen map[string]int
}

func newLines(d *caddyfile.Dispenser) lines { return lines{Dispenser: d, seen: map[string]int{}} }

// once is an error if the current option was met before in this block.
func (l lines) once() error {
	name := l.Val()
	if line := l.seen[name]; line > 0 {
		return l.Errf("%s is already set on line %d: keep one of the two", name, line)
	}
	l.seen[name] = l.Line()
	return nil
}

// one returns the option's only argument; usage is a whole line to imitate.
func (l lines) one(usage string) (string, error) {
	args := l.RemainingArgs()
	if len(args) != 1 || args[0] == "" {
		return "", l.usage(usage)
	}
	return args[0], nil
}

// none is an error if the option has arguments.
func (l lines) none(usage string) error {
	if l.CountRemainingArgs() > 0 {
		return l.usage(usage)
	}
	return nil
}

func (l lines) usage(usage string) error { return l.Errf("write this as: %s", usage) }

// unknown is the error for a word that is no option here.
func (l lines) unknown(options ...string) error {
	return l.Errf("%q is not an option here; the options are %s", l.Val(), strings.Join(options, ", "))
}

// later is the error for what the design has and this version has not.
func (l lines) later(what, instead string) error {
	return l.Errf("%s is not available in this version: %s", what, instead)
}

func (l lines) number(usage string) (Number, error) {
	text, err := l.one(usage)
	if err != nil {
		return "", err
	}
	n, err := parseNumber(text)
	if err != nil {
		return "", l.WrapErr(err)
	}
	return n, nil
}

func (l lines) signed(usage string) (SignedNumber, error) {
	text, err := l.one(usage)
	if err != nil {
		return "", err
	}
	n, err := parseSigned(text)
	if err != nil {
		return "", l.WrapErr(err)
	}
	return n, nil
}

func (l lines) onOff(usage string) (*bool, error) {
	text, err := l.one(usage)
	if err != nil {
		return nil, err
	}
	on := text == "on"
	if !on && text != "off" {
		return nil, l.usage(usage)
	}
	return &on, nil
}

// count reads a positive integer.
func (l lines) count(usage string) (int, error) {
	text, err := l.one(usage)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil || n <= 0 {
		return 0, l.Errf("%q is not a positive whole number: write this as: %s", text, usage)
	}
	return int(n), nil
}

func (l lines) duration(usage string, check func(caddy.Duration) error) (caddy.Duration, error) {
	text, err := l.one(usage)
	if err != nil {
		return 0, err
	}
	d, err := caddy.ParseDuration(text)
	if err != nil {
		return 0, l.Errf("%q is no length of time: write this as: %s", text, usage)
	}
	if err := check(caddy.Duration(d)); err != nil {
		return 0, l.WrapErr(err)
	}
	return caddy.Duration(d), nil
}

func (l lines) bytes(usage string) (uint64, error) {
	text, err := l.one(usage)
	if err != nil {
		return 0, err
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 {
		return 0, l.Errf("%q is not a size: write this as: %s", text, usage)
	}
	return n, nil
}

// bytesOrOff returns -1 for off.
func (l lines) bytesOrOff(usage string) (int64, error) {
	text, err := l.one(usage)
	if err != nil {
		return 0, err
	}
	if text == "off" {
		return -1, nil
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > math.MaxInt64 {
		return 0, l.Errf("%q is not a size: write this as: %s", text, usage)
	}
	return int64(n), nil
}

func (l lines) asset(usage string) (*Asset, error) {
	args := l.RemainingArgs()
	if len(args) != 2 {
		return nil, l.usage(usage)
	}
	scale, err := strconv.ParseUint(args[1], 10, 8)
	if err != nil {
		return nil, l.Errf("%q is not an asset scale, which is a whole number from 0 to 255: write this as: %s", args[1], usage)
	}
	return &Asset{Code: args[0], Scale: uint8(scale)}, nil
}
