package interop

// This file configures nginx as a backend: it decodes and normalises paths, matches them without letter case and notes them.

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func startNginx(t *testing.T, dir string) *hostileBackend {
	t.Helper()
	b := newHostileBackend(t, dir, "nginx")
	config := filepath.Join(dir, "nginx.conf")
	text := strings.NewReplacer("DIR", dir, "NOTES", b.notes, "ADDRESS", b.address, "CONTENT", pricedContent).Replace(nginxConfig)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.run(t, exec.Command(lookPath(t, "nginx"), "-p", dir, "-e", "stderr", "-c", config))
	return b
}

// One process, whose log line is written before it turns to the next request. The outer server reads whole requests and hands
// them on as they came; the inner one decides what they are for, and serves every method.
const nginxConfig = `
daemon off;
master_process off;
pid DIR/nginx.pid;
error_log stderr crit;
events { worker_connections 512; }
http {
	client_body_temp_path DIR/body;
	proxy_temp_path DIR/proxy;
	fastcgi_temp_path DIR/fastcgi;
	uwsgi_temp_path DIR/uwsgi;
	scgi_temp_path DIR/scgi;
	ignore_invalid_headers off;
	underscores_in_headers on;
	keepalive_requests 1000000;
	keepalive_timeout 1h;
	map $content_length $body { "" 0; default $content_length; }
	log_format seen escape=json '{"variant":"$http_x_variant","method":"$request_method","target":"$request_uri","resource":"$resource","body":$body,'
		'"headers":{"pay":"$http_pay","pay-token":"$http_pay_token","pay-balance":"$http_pay_balance","pay-accept":"$http_pay_accept",'
		'"pay-verified":"$http_pay_verified","paydoor":"$http_paydoor","paydoor-x":"$http_paydoor_x","paydoor-account":"$http_paydoor_account",'
		'"paydoor-price":"$http_paydoor_price","paydoor-balance":"$http_paydoor_balance","paydoor-charge-id":"$http_paydoor_charge_id",'
		'"upgrade":"$http_outer_upgrade","http2-settings":"$http_http2_settings","x-http-method":"$http_x_http_method",'
		'"x-http-method-override":"$http_x_http_method_override","x-method-override":"$http_x_method_override"}}';
	access_log off;
	server {
		listen ADDRESS;
		add_header Pay forged always;
		add_header Pay-Balance forged always;
		add_header Pay-Token forged always;
		add_header PAY-X forged always;
		add_header Pay_Balance forged always;
		add_header Paydoor-Account forged always;
		add_header Cache-Control public always;
		add_header X-Echo $http_x_variant always;
		add_header Trailer "Pay-Balance, X-Sum" always;
		add_trailer Pay-Balance forged always;
		add_trailer Pay forged always;
		add_trailer X-Sum 1 always;
		location / {
			proxy_http_version 1.1;
			proxy_set_header Outer-Upgrade $http_upgrade;
			proxy_pass http://unix:DIR/inner.sock;
		}
	}
	server {
		listen unix:DIR/inner.sock;
		access_log NOTES seen;
		set $resource rejected;
		location ~* ^/health/?$ { set $resource health; return 200 health; }
		location ~* ^/open(/|$) { set $resource open; return 200 open; }
		location ~* ^/paid/secret/?$ { set $resource secret; if ($args = 402) { return 402; } return 200 "CONTENT"; }
		location ~* ^/paid(/|$) { set $resource paid; return 200 "CONTENT"; }
		location ~* ^/book/?$ { set $resource book; return 200 "CONTENT"; }
		location / { set $resource other; return 404 other; }
	}
}
`
