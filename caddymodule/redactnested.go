package caddymodule

// This file masks what is inside of objects and arrays, on its way to the encoder that asks for it.

import "go.uber.org/zap/zapcore"

// maskedObject is an object whose own fields are masked.
type maskedObject struct {
	object  zapcore.ObjectMarshaler
	secrets *secrets
}

// MarshalLogObject implements zapcore.ObjectMarshaler.
func (m *maskedObject) MarshalLogObject(to zapcore.ObjectEncoder) error {
	return m.object.MarshalLogObject(maskingEncoder{to, m.secrets})
}

// maskingEncoder masks fields on their way to an encoder.
type maskingEncoder struct {
	zapcore.ObjectEncoder
	secrets *secrets
}

// AddString implements zapcore.ObjectEncoder.
func (m maskingEncoder) AddString(key, value string) {
	if kind := confidenceOf(key); kind != public {
		value = m.secrets.mask(kind, value)
	}
	m.ObjectEncoder.AddString(key, value)
}

// AddByteString implements zapcore.ObjectEncoder.
func (m maskingEncoder) AddByteString(key string, value []byte) {
	if confidenceOf(key) != public {
		value = []byte(redacted)
	}
	m.ObjectEncoder.AddByteString(key, value)
}

// AddArray implements zapcore.ObjectEncoder.
func (m maskingEncoder) AddArray(key string, value zapcore.ArrayMarshaler) error {
	return m.ObjectEncoder.AddArray(key, m.secrets.array(confidenceOf(key), value))
}

// AddObject implements zapcore.ObjectEncoder.
func (m maskingEncoder) AddObject(key string, value zapcore.ObjectMarshaler) error {
	if confidenceOf(key) != public {
		m.ObjectEncoder.AddString(key, redacted)
		return nil
	}
	return m.ObjectEncoder.AddObject(key, m.secrets.object(value))
}

// AddReflected implements zapcore.ObjectEncoder.
func (m maskingEncoder) AddReflected(key string, value any) error {
	return m.ObjectEncoder.AddReflected(key, m.secrets.reflected(confidenceOf(key), value))
}

// maskedArray is an array whose objects are masked.
type maskedArray struct {
	array   zapcore.ArrayMarshaler
	secrets *secrets
}

// MarshalLogArray implements zapcore.ArrayMarshaler.
func (m *maskedArray) MarshalLogArray(to zapcore.ArrayEncoder) error {
	return m.array.MarshalLogArray(maskingArrayEncoder{to, m.secrets})
}

// maskingArrayEncoder masks elements on their way to an encoder.
type maskingArrayEncoder struct {
	zapcore.ArrayEncoder
	secrets *secrets
}

// AppendObject implements zapcore.ArrayEncoder.
func (m maskingArrayEncoder) AppendObject(value zapcore.ObjectMarshaler) error {
	return m.ArrayEncoder.AppendObject(m.secrets.object(value))
}

// AppendArray implements zapcore.ArrayEncoder.
func (m maskingArrayEncoder) AppendArray(value zapcore.ArrayMarshaler) error {
	return m.ArrayEncoder.AppendArray(m.secrets.array(public, value))
}

// AppendReflected implements zapcore.ArrayEncoder.
func (m maskingArrayEncoder) AppendReflected(value any) error {
	return m.ArrayEncoder.AppendReflected(m.secrets.reflected(public, value))
}
