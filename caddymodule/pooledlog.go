package caddymodule

// This file is the logger of what outlives a config: it writes wherever the running config logs to by default, while a logger taken
// from a config goes on writing to outputs that were closed with it.

import (
	"slices"

	"github.com/caddyserver/caddy/v2"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// pooledLogger returns a logger named ilp for links and ledgers.
func pooledLogger() *zap.Logger { return zap.New(runningLog{}).Named("ilp") }

// runningLog is a zapcore.Core that passes each entry on to Caddy's default logger of that moment.
type runningLog struct{ fields []zapcore.Field }

func (runningLog) Enabled(level zapcore.Level) bool { return caddy.Log().Core().Enabled(level) }

func (c runningLog) With(fields []zapcore.Field) zapcore.Core {
	return runningLog{slices.Concat(c.fields, fields)}
}

func (c runningLog) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if c.Enabled(entry.Level) {
		return checked.AddCore(entry, c)
	}
	return checked
}

func (c runningLog) Write(entry zapcore.Entry, fields []zapcore.Field) error {
	if checked := caddy.Log().Core().Check(entry, nil); checked != nil {
		checked.Write(slices.Concat(c.fields, fields)...)
	}
	return nil
}

func (runningLog) Sync() error { return caddy.Log().Core().Sync() }

var _ zapcore.Core = runningLog{}
