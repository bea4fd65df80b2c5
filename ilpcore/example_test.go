package ilpcore_test

import (
	"context"
	"fmt"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
)

// A node that answers pings to its own address, and knows no other way.
func Example() {
	const own = ilpcore.Address("test.shop")
	node := ilpcore.HandlerFunc(func(_ context.Context, in ilpcore.Incoming) ilpcore.Reply {
		rest, ok := own.Suffix(in.Destination)
		if !ok || len(rest) > 0 {
			return ilpcore.Reject(ilpcore.F02, own.String(), "no route to this destination", nil)
		}
		if in.Condition != ilpcore.PingCondition {
			return ilpcore.Reject(ilpcore.F05, own.String(), "only pings are answered here", nil)
		}
		return ilpcore.Fulfill(ilpcore.PingFulfillment, in.Data)
	})

	expiry := time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, destination := range []ilpcore.Address{"test.shop", "test.shopping"} {
		ping := ilpcore.Ping(destination, 10, expiry)
		packet, err := ping.Append(nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		// A link carries the bytes from here on.
		received, err := ilpcore.DecodePrepare(packet)
		if err != nil {
			fmt.Println(err)
			return
		}
		reply := node.HandlePrepare(context.Background(), ilpcore.Incoming{From: "alice", Prepare: received})
		if reply.Fulfilled {
			fmt.Printf("%s: fulfilled with %s\n", destination, reply.Fulfillment[:])
		} else {
			fmt.Printf("%s: %s %s, %s\n", destination, reply.Code, reply.Code.Name(), reply.Message)
		}
	}
	// Output:
	// test.shop: fulfilled with pingpingpingpingpingpingpingping
	// test.shopping: F02 Unreachable, no route to this destination
}

func ExampleAddress_Suffix() {
	node := ilpcore.Address("test.gw")
	for _, destination := range []string{"test.gw", "test.gw.abc.1", "test.gwx"} {
		rest, ok := node.Suffix([]byte(destination))
		fmt.Printf("%s: %q %v\n", destination, rest, ok)
	}
	// Output:
	// test.gw: "" true
	// test.gw.abc.1: "abc.1" true
	// test.gwx: "" false
}

func ExampleILDCP_Reply() {
	request := ilpcore.ILDCPRequest(time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC))
	fmt.Println(ilpcore.CheckILDCPRequest(&request))

	parent := ilpcore.ILDCP{Address: "test.conn.child", Asset: ilpcore.Asset{Code: "USD", Scale: 9}}
	reply, err := parent.Reply()
	if err != nil {
		fmt.Println(err)
		return
	}
	child, err := ilpcore.DecodeILDCP(reply.Data)
	fmt.Println(child.Address, child.Asset, err)
	// Output:
	// <nil>
	// test.conn.child USD 9 <nil>
}
