package connector

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/paydoor/paydoor/ilpcore"
)

func TestWhereAPacketGoes(t *testing.T) { inBothWays(t, testWhereAPacketGoes) }

func testWhereAPacketGoes(t *testing.T, send way) {
	n := newTestNode(t, nil)
	for name, test := range map[string]struct {
		from        ilpcore.AccountID
		destination string
		edit        func(*ilpcore.Incoming)
		want        string
	}{
		"own address":                   {from: "up", destination: "test.gw", want: "F00"},
		"below the own address":         {from: "up", destination: "test.gw.token.more", want: "by receiver"},
		"child":                         {from: "up", destination: "test.gw.kid", want: "by kid"},
		"below a child":                 {from: "up", destination: "test.gw.kid.x", want: "by kid"},
		"a longer name is no child":     {from: "up", destination: "test.gw.kidx", want: "by receiver"},
		"another's name is no child":    {from: "up", destination: "test.gw.bob", want: "by receiver"},
		"child without link":            {from: "up", destination: "test.gw.mute", want: "F02"},
		"local without link":            {from: "up", destination: "test.gw.wallet", want: "F02"},
		"route":                         {from: "up", destination: "test.bob", want: "by bob"},
		"below a route":                 {from: "kid", destination: "test.bob.x", want: "by bob"},
		"longest route":                 {from: "up", destination: "test.bob.deep.x", want: "by kid"},
		"segments, not letters":         {from: "up", destination: "test.bobby", want: "F02"},
		"route inside the own address":  {from: "up", destination: "test.gw.special.x", want: "by bob"},
		"route inside a child":          {from: "up", destination: "test.gw.kid.sub.x", want: "by bob"},
		"own address, other letters":    {from: "up", destination: "test.gwx", want: "F02"},
		"own address, other case":       {from: "up", destination: "test.GW", want: "F02"},
		"nowhere":                       {from: "up", destination: "g.somewhere", want: "F02"},
		"from the wallet":               {from: "wallet", destination: "test.gw.token", want: "by receiver"},
		"back to where it came from":    {from: "bob", destination: "test.bob.x", want: "F02"},
		"other asset, forwarded":        {from: "up", destination: "test.euro", want: "T00"},
		"other asset, delivered":        {from: "euro", destination: "test.gw.token", want: "T01"},
		"unknown account":               {from: "stranger", destination: "test.gw", want: "F00"},
		"unknown peer service":          {from: "up", destination: "peer.route.updates", want: "F02"},
		"ILDCP asked by a parent":       {from: "up", destination: "peer.config", want: "F00"},
		"ILDCP asked by a peer":         {from: "bob", destination: "peer.config", want: "F00"},
		"ILDCP, wrong condition":        {from: "kid", destination: "peer.config", want: "F00"},
		"peer service below ILDCP's":    {from: "kid", destination: "peer.config.x", want: "F02"},
		"at the maximum":                {from: "small", destination: "test.gw.x", edit: func(in *ilpcore.Incoming) { in.Amount = 9 }, want: "by receiver"},
		"above the maximum":             {from: "small", destination: "test.gw.x", want: "F08"},
		"expired":                       {from: "up", destination: "test.gw", edit: expiresIn(0), want: "R02"},
		"expired long ago":              {from: "up", destination: "test.gw", edit: expiresIn(-time.Hour), want: "R02"},
		"too little time to forward":    {from: "up", destination: "test.bob", edit: expiresIn(time.Second), want: "R02"},
		"just enough time to forward":   {from: "up", destination: "test.bob", edit: expiresIn(1001 * time.Millisecond), want: "by bob"},
		"little time, for the receiver": {from: "up", destination: "test.gw.x", edit: expiresIn(time.Millisecond), want: "by receiver"},
	} {
		t.Run(name, func(t *testing.T) {
			in := packet(test.from, test.destination)
			if test.edit != nil {
				test.edit(&in)
			}
			reply := send(n, t.Context(), in)
			if got := outcome(reply); got != test.want {
				t.Errorf("got %s %q, want %s", got, reply.Message, test.want)
			}
			if !reply.Fulfilled && (reply.TriggeredBy != "test.gw" || reply.Message == "") {
				t.Errorf("triggered by %q, message %q", reply.TriggeredBy, reply.Message)
			}
			if _, err := reply.Append(nil); err != nil {
				t.Errorf("the reply cannot be encoded: %v", err)
			}
		})
	}
}

func expiresIn(d time.Duration) func(*ilpcore.Incoming) {
	return func(in *ilpcore.Incoming) { in.ExpiresAt = noon.Add(d) }
}

func TestF08SaysBothAmounts(t *testing.T) {
	reply := newTestNode(t, nil).HandlePrepare(t.Context(), packet("small", "test.gw.x"))
	got, err := ilpcore.DecodeAmountTooLarge(reply.Data)
	if err != nil || len(reply.Data) != 16 || got.Received != 10 || got.Maximum != 9 {
		t.Errorf("data %x: %+v, %v", reply.Data, got, err)
	}
}

func TestForwardShortensTheExpiry(t *testing.T) { inBothWays(t, testForwardShortensTheExpiry) }

func testForwardShortensTheExpiry(t *testing.T, send way) {
	link := &testLink{}
	n := newTestNode(t, func(c *Config) { c.Accounts[4].Link = link })
	for in, want := range map[time.Duration]time.Duration{
		20 * time.Second: 19 * time.Second,
		31 * time.Second: 30 * time.Second,
		time.Hour:        30 * time.Second,
	} {
		p := packet("up", "test.bob.x")
		expiresIn(in)(&p)
		p.Data = []byte("as it was")
		send(n, t.Context(), p)
		if got := link.last.ExpiresAt.Sub(noon); got != want || string(link.last.Data) != "as it was" || link.last.Amount != 10 {
			t.Errorf("%v went out as %v, want %v: %+v", in, got, want, link.last)
		}
	}
}

func TestDefaultRoute(t *testing.T) { inBothWays(t, testDefaultRoute) }

func testDefaultRoute(t *testing.T, send way) {
	n := newTestNode(t, func(c *Config) { c.Routes = append(c.Routes, Route{"", "up"}) })
	for destination, want := range map[string]string{
		"g.somewhere": "F02", "self.foo": "F02", "test1.x": "by up", "private.x": "by up", "test.gwx": "by up", "test.gw.x": "by receiver", "test.bob": "by bob", "peer.x": "F02",
	} {
		if got := outcome(send(n, t.Context(), packet("kid", destination))); got != want {
			t.Errorf("%s: got %s, want %s", destination, got, want)
		}
	}
}

func TestILDCPService(t *testing.T) {
	n := newTestNode(t, func(c *Config) { c.Accounts[1].Asset = eur2 })
	for id, want := range map[ilpcore.AccountID]ilpcore.ILDCP{
		"kid":    {Address: "test.gw.kid", Asset: eur2},
		"wallet": {Address: "test.gw.wallet", Asset: usd9},
	} {
		reply := n.HandlePrepare(t.Context(), ilpcore.Incoming{From: id, Prepare: ilpcore.ILDCPRequest(noon.Add(time.Minute))})
		got, err := ilpcore.DecodeILDCP(reply.Data)
		if !reply.Fulfilled || reply.Fulfillment != ilpcore.PeerFulfillment || err != nil || got != want {
			t.Errorf("%s: %+v, %v; reply %+v", id, got, err, reply)
		}
	}
}

func TestRateLimit(t *testing.T) {
	now := noon
	n := newTestNode(t, func(c *Config) {
		c.Now = func() time.Time { return now }
		c.Accounts[0].MaxPacketsPerMinute = 60
	})
	send := func(count int) (refused int) {
		for range count {
			in := packet("up", "test.gw.x")
			in.ExpiresAt = now.Add(time.Minute)
			switch got := outcome(n.HandlePrepare(t.Context(), in)); got {
			case "T05":
				refused++
			case "by receiver":
			default:
				t.Fatal(got)
			}
		}
		return refused
	}
	if refused := send(61); refused != 1 {
		t.Errorf("of 61 packets at once %d were refused", refused)
	}
	now = now.Add(10 * time.Second)
	if refused := send(11); refused != 1 {
		t.Errorf("of 11 packets after ten seconds %d were refused", refused)
	}
	if got := outcome(n.HandlePrepare(t.Context(), packet("wallet", "test.gw.x"))); got == "T05" {
		t.Error("one account's limit holds for another")
	}
}

func TestInFlightLimit(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	n := newTestNode(t, func(c *Config) {
		c.Accounts[0].MaxInFlight = 2
		c.Receiver = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply {
			entered <- struct{}{}
			<-leave
			return ilpcore.Fulfill(testFulfillment, nil)
		})
	})
	done := make(chan string, 3)
	var sent atomic.Uint64
	send := func() {
		in := packet("up", "test.gw.x")
		in.Condition = [32]byte{byte(sent.Add(1))}
		done <- outcome(n.HandlePrepare(context.Background(), in))
	}
	for range 2 {
		go send()
		<-entered
	}
	send()
	if got := <-done; got != "T03" {
		t.Errorf("the third packet: %s", got)
	}
	if got := n.Status().Accounts[0].InFlight; got != 2 {
		t.Errorf("the status shows %d in flight", got)
	}
	close(leave)
	<-done
	<-done
	go send()
	<-entered
	if got := <-done; got != "by " {
		t.Errorf("a packet after the others: %s", got)
	}
}

func TestAPanicIsOneReject(t *testing.T) {
	core, logs := observer.New(zap.ErrorLevel)
	n := newTestNode(t, func(c *Config) {
		c.Logger = zap.New(core)
		c.Receiver = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply { panic("broken") })
	})
	if got := outcome(n.HandlePrepare(t.Context(), packet("up", "test.gw.x"))); got != "T00" || logs.Len() != 1 {
		t.Errorf("%s, %d log lines", got, logs.Len())
	}
	if got := n.Status().Accounts[0].InFlight; got != 0 {
		t.Errorf("%d still in flight", got)
	}
}

func TestLocal(t *testing.T) {
	n := newTestNode(t, func(c *Config) {
		c.Receiver = ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
			return ilpcore.Fulfill(testFulfillment, []byte(in.From))
		})
	})
	h, err := n.Local("wallet")
	if err != nil {
		t.Fatal(err)
	}
	if got := outcome(h.HandlePrepare(t.Context(), packet("bob", "test.gw.x"))); got != "by wallet" {
		t.Error(got)
	}
	if _, err := n.Local("nobody"); !errors.Is(err, ErrAccount) {
		t.Error(err)
	}
}

func TestNoReceiver(t *testing.T) {
	n := newTestNode(t, func(c *Config) { c.Receiver = nil })
	if got := outcome(n.HandlePrepare(t.Context(), packet("up", "test.gw.x"))); got != "F02" {
		t.Error(got)
	}
}

func TestNewNodeChecksItsSettings(t *testing.T) {
	for name, test := range map[string]struct {
		edit func(*Config)
		want error
	}{
		"no address":        {func(c *Config) { c.Address = "" }, ErrAddress},
		"no asset":          {func(c *Config) { c.Asset = ilpcore.Asset{} }, ErrAddress},
		"two parents":       {func(c *Config) { c.Accounts[1].Relation = Parent }, ErrParents},
		"twice":             {func(c *Config) { c.Accounts[1].ID = "up" }, ErrAccount},
		"no id":             {func(c *Config) { c.Accounts[1].ID = "" }, ErrAccount},
		"long id":           {func(c *Config) { c.Accounts[4].ID = ilpcore.AccountID(make([]byte, 65)) }, ErrAccount},
		"child with a dot":  {func(c *Config) { c.Accounts[1].ID = "a.b" }, ErrAccount},
		"relation":          {func(c *Config) { c.Accounts[1].Relation = 9 }, ErrRelation},
		"negative limit":    {func(c *Config) { c.Accounts[1].MaxInFlight = -1 }, ErrAccount},
		"route to nobody":   {func(c *Config) { c.Routes = []Route{{"test.x", "nobody"}} }, ErrRoute},
		"route twice":       {func(c *Config) { c.Routes = []Route{{"test.x", "bob"}, {"test.x", "kid"}} }, ErrRoute},
		"route not address": {func(c *Config) { c.Routes = []Route{{"test..x", "bob"}} }, ErrRoute},
		"route to peer.":    {func(c *Config) { c.Routes = []Route{{"peer.x", "bob"}} }, ErrRoute},
		"route to a scheme": {func(c *Config) { c.Routes = []Route{{"g", "bob"}} }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c := Config{Address: "test.gw", Asset: usd9, Accounts: []Account{
				{ID: "up", Relation: Parent}, {ID: "kid", Relation: Child}, {ID: "c"}, {ID: "d"}, {ID: "bob"},
			}}
			test.edit(&c)
			if _, err := NewNode(c); !errors.Is(err, test.want) {
				t.Errorf("error %v, want %v", err, test.want)
			}
		})
	}
}

func TestParseRelation(t *testing.T) {
	for _, r := range []Relation{Peer, Parent, Child, Local, NonRouting} {
		if got, err := ParseRelation(r.String()); got != r || err != nil {
			t.Errorf("%s: %v, %v", r, got, err)
		}
	}
	if _, err := ParseRelation("sibling"); !errors.Is(err, ErrRelation) {
		t.Error(err)
	}
}

// TestAPacketAllocatesNothingHere, whether it is received or forwarded. With a store, one that is received takes its Debit.
func TestAPacketAllocatesNothingHere(t *testing.T) {
	reply := ilpcore.Fulfill(testFulfillment, nil)
	n := newTestNode(t, func(c *Config) {
		c.Receiver = ilpcore.HandlerFunc(func(context.Context, ilpcore.Incoming) ilpcore.Reply { return reply })
		c.Accounts[0].MaxPacketsPerMinute = 1 << 30
		c.Accounts[4].Link = answers(reply)
	})
	for _, destination := range []string{"test.gw.token", "test.bob.x"} {
		in := packet("up", destination)
		if got := testing.AllocsPerRun(1000, func() {
			if !n.HandlePrepare(context.Background(), in).Fulfilled {
				t.Fatal("rejected")
			}
		}); got > 0 {
			t.Errorf("%v allocations per packet to %s", got, destination)
		}
	}
}

func BenchmarkLocalDelivery(b *testing.B) {
	n := newTestNode(b, func(c *Config) { c.Accounts[0].MaxPacketsPerMinute = 1 << 30 })
	in := packet("up", "test.gw.token")
	b.ReportAllocs()
	for b.Loop() {
		n.HandlePrepare(context.Background(), in)
	}
}
