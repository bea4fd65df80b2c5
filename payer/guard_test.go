package payer

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestPublicOnly(t *testing.T) {
	refused := []string{
		"127.0.0.1:443", "127.9.9.9:443", "0.0.0.0:443", "0.1.2.3:443", "10.0.0.1:443", "100.64.0.1:443", "169.254.169.254:80", "172.16.0.1:443",
		"172.31.255.255:443", "192.168.1.1:443", "192.0.2.1:443", "198.18.0.1:443", "203.0.113.9:443", "224.0.0.1:443", "240.0.0.1:443",
		"255.255.255.255:443", "[::]:443", "[::1]:443", "[fe80::1]:443", "[fe80::1%eth0]:443", "[fc00::1]:443", "[fd12::1]:443", "[ff02::1]:443",
		"[::ffff:127.0.0.1]:443", "[::ffff:10.0.0.1]:443", "[::127.0.0.1]:443", "[64:ff9b::127.0.0.1]:443", "[64:ff9b::a00:1]:443",
		"[64:ff9b:1::1]:443", "[2002:7f00:1::]:443", "[2001::1]:443", "[2001:db8::1]:443", "[fec0::1]:443", "[100::1]:443",
		"[2606:4700::1%eth0]:443", "", "localhost:443", "8.8.8.8",
	}
	control := PublicOnly()
	for _, address := range refused {
		if err := control("tcp", address, nil); !errors.Is(err, ErrPrivateAddress) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"8.8.8.8:443", "172.32.0.1:443", "100.128.0.1:443", "[2606:4700::1]:443", "[::ffff:8.8.8.8]:443", "[64:ff9b::808:808]:443"} {
		if err := control("tcp", address, nil); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	some := PublicOnly(netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128"))
	for address, want := range map[string]bool{
		"10.1.2.3:443": true, "[::ffff:10.1.2.3]:443": true, "10.2.0.1:443": false, "[::1]:443": true, "127.0.0.1:443": false,
	} {
		if err := some("tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestPublicOnlyDials shows that the check sees what a name became, before anything is connected.
func TestPublicOnlyDials(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0"} {
		dialer := net.Dialer{Control: PublicOnly()}
		conn, err := dialer.DialContext(t.Context(), "tcp4", net.JoinHostPort(host, port))
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, ErrPrivateAddress) {
			t.Errorf("%s: %v", host, err)
		}
	}
}

func FuzzPublicOnly(f *testing.F) {
	f.Add("[64:ff9b::7f00:1]:443")
	f.Fuzz(func(t *testing.T, address string) {
		if PublicOnly()("tcp", address, nil) != nil {
			return
		}
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			t.Fatalf("%q was let through", address)
		}
		if ip := to.Addr().Unmap(); !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() {
			t.Errorf("%s was let through", address)
		}
	})
}

// TestPublicHost has hosts as URLs name them.
func TestPublicHost(t *testing.T) {
	for host, want := range map[string]bool{
		"example.com": true, "Example.COM.": true, "api.8.example": true, "8.8.8.8": true, "::ffff:8.8.8.8": true, "2606:4700::1": true, "connector": true,
		"localhost.example.com": true, "0x.example": true, "ace.cafe": true,

		"": false, ".": false, "localhost": false, "LOCALHOST": false, "localhost.": false, "api.localhost": false, "api.localhost.": false,
		"127.0.0.1": false, "127.0.0.1.": false, "::1": false, "::1%lo": false, "::ffff:127.0.0.1": false, "64:ff9b::127.0.0.1": false,
		"0.0.0.0": false, "::": false, "0": false, "10.0.0.1": false, "192.168.1.1": false, "::ffff:192.168.1.1": false, "100.64.0.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "2606:4700::1%eth0": false,
		"2130706433": false, "0x7f000001": false, "0X7F.1": false, "0177.0.0.1": false, "127.1": false, "127.0.0.01": false, "134744072": false, "1.2.3.4.5": false,
	} {
		if got := PublicHost(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}
