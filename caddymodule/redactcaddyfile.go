package caddymodule

// This file adapts Caddyfiles so that every log of the result goes through the encoder redact, whatever logs the user wrote.

import (
	"encoding/json"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
)

// RedactingCaddyfile returns Caddy's adapter for Caddyfiles with one addition: each log encoder is wrapped in redact, and a default
// log is written out if there is none, since the one that Caddy makes up by itself cannot be given an encoder. The values that it
// returns are equal.
//
// It is for programs that are Paydoor (cmd/paydoor). Importing this package alone leaves the adapter, and hence other logs, as they are.
func RedactingCaddyfile() caddyconfig.Adapter {
	return caddyfile.Adapter{ServerType: redactingServers{}}
}

// redactingServers is what makes a config of the blocks of a Caddyfile.
type redactingServers struct{ httpcaddyfile.ServerType }

// Setup implements caddyfile.ServerType.
func (s redactingServers) Setup(blocks []caddyfile.ServerBlock, options map[string]any) (*caddy.Config, []caddyconfig.Warning, error) {
	config, warnings, err := s.ServerType.Setup(blocks, options)
	if err != nil {
		return nil, warnings, err
	}
	redactLogs(config, &warnings)
	return config, warnings, nil
}

func redactLogs(config *caddy.Config, warnings *[]caddyconfig.Warning) {
	if config.Logging == nil {
		config.Logging = new(caddy.Logging)
	}
	if config.Logging.Logs == nil {
		config.Logging.Logs = make(map[string]*caddy.CustomLog)
	}
	logs := config.Logging.Logs
	if logs[caddy.DefaultLoggerName] == nil {
		logs[caddy.DefaultLoggerName] = new(caddy.CustomLog)
	}
	for _, log := range logs {
		if encoderName(log.EncoderRaw) != redactName {
			log.EncoderRaw = caddyconfig.JSONModuleObject(Redact{WrappedRaw: log.EncoderRaw}, "format", redactName, warnings)
		}
	}
	if sink := config.Logging.Sink; sink != nil && encoderName(sink.EncoderRaw) != redactName {
		sink.EncoderRaw = caddyconfig.JSONModuleObject(Redact{WrappedRaw: sink.EncoderRaw}, "format", redactName, warnings)
	}
}

// encoderName returns the name of an encoder's module, or "" if there is none.
func encoderName(encoder json.RawMessage) string {
	var named struct {
		Format string `json:"format"`
	}
	if json.Unmarshal(encoder, &named) != nil {
		return ""
	}
	return named.Format
}

var _ caddyfile.ServerType = redactingServers{}
