package loopback

import "testing"

func TestHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "127.255.255.254": true, "::1": true, "0:0:0:0:0:0:0:1": true, "::ffff:127.0.0.1": true, "::ffff:7f00:1": true,

		"": false, "localhost.": false, "LOCALHOST": false, "api.localhost": false, "localhost.example.com": false, "localhost:80": false, "localhost%00": false,
		"127.0.0.1.": false, "127.0.0.1.example.com": false, "127.0.0.1:80": false, "[::1]": false, "::1%lo": false, "::ffff:127.0.0.1%lo": false, "::127.0.0.1": false,
		"0.0.0.0": false, "::": false, "::ffff:0.0.0.0": false, "0": false, "64:ff9b::127.0.0.1": false,
		"2130706433": false, "0x7f000001": false, "0x7f.0.0.1": false, "0177.0.0.1": false, "017700000001": false, "127.1": false, "127.0.1": false, "127.0.0.01": false,
		"10.0.0.1": false, "192.168.0.1": false, "100.64.0.1": false, "169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false,
		"::ffff:10.0.0.1": false, "8.8.8.8": false, "2606:4700::1": false, "example.com": false, "ip6-localhost": false, "localdomain": false,
	} {
		if got := Host(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
