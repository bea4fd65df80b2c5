package caddymodule

// This file is the log encoder redact: it wraps another encoder, and keeps tokens and secrets out of what that writes. By the names of
// fields and headers it masks values of any shape (redactfields.go); in the finished line it masks copies of those values, and what
// looks like a secret by what stands before it (redacttext.go).

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/logging"
	"go.uber.org/zap/buffer"
	"go.uber.org/zap/zapcore"
	"golang.org/x/term"
)

func init() { caddy.RegisterModule(new(Redact)) }

// redactName is the encoder's name behind format.
const redactName = "redact"

// Redact is a log encoder that writes no Pay-Token, no secret of a Pay header, and no Authorization, wherever they occur in an entry. A
// token becomes the first 8 hex digits of its SHA-256, so that lines about the same token can be told; a secret becomes REDACTED.
type Redact struct {
	// Encoder is the wrapped encoder.
	zapcore.Encoder `json:"-"`

	// WrappedRaw is the encoder that writes the entries. Default: as without any, json, or console if the log goes to a terminal.
	WrappedRaw json.RawMessage `json:"wrap,omitempty" caddy:"namespace=caddy.logging.encoders inline_key=format"`

	ctx   caddy.Context
	ahead []zapcore.Field // that were added ahead of the entries, and are written with each
	known secrets         // in those that were written at once
}

// CaddyModule returns the Caddy module information.
func (*Redact) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "caddy.logging.encoders." + redactName, New: func() caddy.Module { return new(Redact) }}
}

// Provision loads the wrapped encoder.
func (e *Redact) Provision(ctx caddy.Context) error {
	e.ctx = ctx
	redactingConfig.Store(ctx.Done())
	if e.WrappedRaw == nil {
		return e.wrap(new(logging.JSONEncoder))
	}
	module, err := ctx.LoadModule(e, "WrappedRaw")
	if err != nil {
		return fmt.Errorf("redact: loading the wrapped encoder: %w", err)
	}
	e.Encoder = module.(zapcore.Encoder)
	return nil
}

// redactingConfig is the Done of the config whose logs have this encoder, the last one that was read.
var redactingConfig atomic.Value

// redacts says whether a log of the config of ctx has this encoder. Caddy sets up the logs before the apps.
func redacts(ctx caddy.Context) bool { return redactingConfig.Load() == ctx.Done() }

// ConfigureDefaultFormat picks the default encoder for an output as Caddy picks it where no encoder is configured.
func (e *Redact) ConfigureDefaultFormat(output caddy.WriterOpener) error {
	if e.WrappedRaw != nil {
		if nested, ok := e.Encoder.(caddy.ConfiguresFormatterDefault); ok {
			return nested.ConfigureDefaultFormat(output)
		}
		return nil
	}
	if !caddy.IsWriterStandardStream(output) || !term.IsTerminal(int(os.Stderr.Fd())) {
		return nil
	}
	console := new(logging.ConsoleEncoder)
	if os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "xterm-mono" {
		console.LevelFormat = "lower"
	}
	return e.wrap(console)
}

func (e *Redact) wrap(encoder interface {
	zapcore.Encoder
	caddy.Provisioner
}) error {
	e.Encoder = encoder
	return encoder.Provision(e.ctx)
}

// UnmarshalCaddyfile sets up the encoder from Caddyfile tokens. Syntax:
//
//	redact {
//		wrap <encoder>
//	}
func (e *Redact) UnmarshalCaddyfile(d *caddyfile.Dispenser) error {
	d.Next()
	if d.NextArg() {
		return d.Err("write this as: format redact, or format redact { wrap <encoder> }")
	}
	for d.NextBlock(0) {
		if d.Val() != "wrap" {
			return d.Errf("%q is not an option here; the only one is wrap", d.Val())
		}
		if e.WrappedRaw != nil {
			return d.Err("wrap is already set: keep one of the two")
		}
		if !d.NextArg() {
			return d.Err("write this as: wrap json")
		}
		name := d.Val()
		module, err := caddyfile.UnmarshalModule(d, "caddy.logging.encoders."+name)
		if err != nil {
			return err
		}
		if _, ok := module.(zapcore.Encoder); !ok {
			return d.Errf("%s is not an encoder: write this as: wrap json", name)
		}
		e.WrappedRaw = caddyconfig.JSONModuleObject(module, "format", name, nil)
	}
	return nil
}

// Clone implements zapcore.Encoder. The wrapped encoder is shared until something has to be written into it (redactahead.go).
func (e *Redact) Clone() zapcore.Encoder {
	return &Redact{Encoder: e.Encoder, known: secrets{found: slices.Clip(e.known.found)}, ahead: slices.Clip(e.ahead)}
}

// entrySecrets holds *secrets between entries.
var entrySecrets = sync.Pool{New: func() any { return new(secrets) }}

// EncodeEntry implements zapcore.Encoder. It changes nothing in e, since entries are encoded in parallel.
func (e *Redact) EncodeEntry(entry zapcore.Entry, fields []zapcore.Field) (*buffer.Buffer, error) {
	s := entrySecrets.Get().(*secrets)
	defer s.forget()
	s.found = append(s.found, e.known.found...)
	for _, field := range e.ahead {
		s.fields = append(s.fields, s.field(field))
	}
	for _, field := range fields {
		s.fields = append(s.fields, s.field(field))
	}
	line, err := e.Encoder.EncodeEntry(entry, s.fields)
	if err != nil {
		return nil, err
	}
	if text := line.Bytes(); len(text) > 0 {
		if clean := scrubbed(s.withoutCopies(text)); &clean[0] != &text[0] {
			line.Reset()
			line.AppendBytes(clean)
		}
	}
	return line, nil
}

var (
	_ zapcore.Encoder                  = (*Redact)(nil)
	_ caddy.Provisioner                = (*Redact)(nil)
	_ caddy.ConfiguresFormatterDefault = (*Redact)(nil)
	_ caddyfile.Unmarshaler            = (*Redact)(nil)
)
