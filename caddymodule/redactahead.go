package caddymodule

// This file is fields that are added to a logger ahead of its entries. Caddy makes such a logger of each request that it passes on, and hardly ever
// writes with it: so what cannot change until an entry comes is kept, and only masked and encoded with that.

import (
	"time"

	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// keep has a field written with each entry.
func (e *Redact) keep(field zapcore.Field) {
	if e.ahead == nil {
		e.ahead = make([]zapcore.Field, 0, 4)
	}
	e.ahead = append(e.ahead, field)
}

// masking returns what a field is written by at once, after those that were kept.
func (e *Redact) masking() maskingEncoder {
	e.Encoder = e.Encoder.Clone() // others may have it too
	for _, field := range e.ahead {
		e.known.field(field).AddTo(e.Encoder)
	}
	e.ahead = nil
	return maskingEncoder{e.Encoder, &e.known}
}

// AddObject implements zapcore.ObjectEncoder. Caddy itself has requests and headers encoded late, so they may be.
func (e *Redact) AddObject(key string, value zapcore.ObjectMarshaler) error {
	switch value.(type) {
	case caddyhttp.LoggableHTTPRequest, caddyhttp.LoggableHTTPHeader:
		e.keep(zap.Object(key, value))
		return nil
	}
	return e.masking().AddObject(key, value)
}

// AddArray implements zapcore.ObjectEncoder.
func (e *Redact) AddArray(key string, value zapcore.ArrayMarshaler) error {
	return e.masking().AddArray(key, value)
}

// AddReflected implements zapcore.ObjectEncoder.
func (e *Redact) AddReflected(key string, value any) error {
	return e.masking().AddReflected(key, value)
}

// AddBinary implements zapcore.ObjectEncoder.
func (e *Redact) AddBinary(key string, value []byte) { e.masking().AddBinary(key, value) }

// AddByteString implements zapcore.ObjectEncoder.
func (e *Redact) AddByteString(key string, value []byte) { e.masking().AddByteString(key, value) }

// OpenNamespace implements zapcore.ObjectEncoder.
func (e *Redact) OpenNamespace(key string) { e.keep(zap.Namespace(key)) }

// AddBool implements zapcore.ObjectEncoder.
func (e *Redact) AddBool(key string, value bool) { e.keep(zap.Bool(key, value)) }

// AddComplex128 implements zapcore.ObjectEncoder.
func (e *Redact) AddComplex128(key string, value complex128) { e.keep(zap.Complex128(key, value)) }

// AddComplex64 implements zapcore.ObjectEncoder.
func (e *Redact) AddComplex64(key string, value complex64) { e.keep(zap.Complex64(key, value)) }

// AddDuration implements zapcore.ObjectEncoder.
func (e *Redact) AddDuration(key string, value time.Duration) { e.keep(zap.Duration(key, value)) }

// AddFloat64 implements zapcore.ObjectEncoder.
func (e *Redact) AddFloat64(key string, value float64) { e.keep(zap.Float64(key, value)) }

// AddFloat32 implements zapcore.ObjectEncoder.
func (e *Redact) AddFloat32(key string, value float32) { e.keep(zap.Float32(key, value)) }

// AddInt implements zapcore.ObjectEncoder.
func (e *Redact) AddInt(key string, value int) { e.keep(zap.Int(key, value)) }

// AddInt64 implements zapcore.ObjectEncoder.
func (e *Redact) AddInt64(key string, value int64) { e.keep(zap.Int64(key, value)) }

// AddInt32 implements zapcore.ObjectEncoder.
func (e *Redact) AddInt32(key string, value int32) { e.keep(zap.Int32(key, value)) }

// AddInt16 implements zapcore.ObjectEncoder.
func (e *Redact) AddInt16(key string, value int16) { e.keep(zap.Int16(key, value)) }

// AddInt8 implements zapcore.ObjectEncoder.
func (e *Redact) AddInt8(key string, value int8) { e.keep(zap.Int8(key, value)) }

// AddString implements zapcore.ObjectEncoder.
func (e *Redact) AddString(key string, value string) { e.keep(zap.String(key, value)) }

// AddTime implements zapcore.ObjectEncoder.
func (e *Redact) AddTime(key string, value time.Time) { e.keep(zap.Time(key, value)) }

// AddUint implements zapcore.ObjectEncoder.
func (e *Redact) AddUint(key string, value uint) { e.keep(zap.Uint(key, value)) }

// AddUint64 implements zapcore.ObjectEncoder.
func (e *Redact) AddUint64(key string, value uint64) { e.keep(zap.Uint64(key, value)) }

// AddUint32 implements zapcore.ObjectEncoder.
func (e *Redact) AddUint32(key string, value uint32) { e.keep(zap.Uint32(key, value)) }

// AddUint16 implements zapcore.ObjectEncoder.
func (e *Redact) AddUint16(key string, value uint16) { e.keep(zap.Uint16(key, value)) }

// AddUint8 implements zapcore.ObjectEncoder.
func (e *Redact) AddUint8(key string, value uint8) { e.keep(zap.Uint8(key, value)) }

// AddUintptr implements zapcore.ObjectEncoder.
func (e *Redact) AddUintptr(key string, value uintptr) { e.keep(zap.Uintptr(key, value)) }
