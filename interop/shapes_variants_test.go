package interop

// This file is what connectors do to the money and the packets that pass through them.

// variant is a connector, and what is paid through it.
type variant struct {
	name      string
	connector connectorSetup
	rate      [2]uint64 // what a payer's unit is worth at the gateway, as a fraction
	price     uint64    // of a request, in the gateway's units
	send      uint64    // what payers send that fix their own side, in their units
	deliver   uint64    // what payers deliver that fix the other side, in the gateway's units
}

var variants = []variant{
	{"one to one", connectorSetup{}, [2]uint64{1, 1}, 10, 25, 15},
	{"keeps 1 %", connectorSetup{connectorOptions: connectorOptions{Spread: 0.01}}, [2]uint64{99, 100}, 1000, 1500, 1200},
	{"payer scale 6, ours 9", connectorSetup{connectorOptions: connectorOptions{PayerScale: 6}}, [2]uint64{1000, 1}, 10, 3, 1500},
	{"payer scale 9, ours 6", connectorSetup{GatewayScale: 6}, [2]uint64{1, 1000}, 10, 25_000, 15},
	{"packets up to 300", connectorSetup{connectorOptions: connectorOptions{MaxPacketAmount: "300"}}, [2]uint64{1, 1}, 900, 1500, 1200},
	{"loses 10 %", connectorSetup{connectorOptions: connectorOptions{MaxPacketAmount: "2000"}, Lose: &loss{Percent: 10}}, [2]uint64{1, 1}, 1000, 40_000, 40_000},
}

// scale is that of the gateway's asset.
func (v variant) scale() int {
	if v.connector.GatewayScale == 0 {
		return 9
	}
	return v.connector.GatewayScale
}

// payerScale is that of the payers' asset.
func (v variant) payerScale() int {
	if v.connector.PayerScale == 0 {
		return 9
	}
	return v.connector.PayerScale
}

func (v variant) loses() bool { return v.connector.Lose != nil }

// worth is the most that n of a payer's units can become at the gateway.
func (v variant) worth(n uint64) uint64 { return n * v.rate[0] / v.rate[1] }

// cost is what n of the gateway's units cost a payer at least.
func (v variant) cost(n uint64) uint64 { return (n*v.rate[1] + v.rate[0] - 1) / v.rate[0] }

// crossed is what has come back fulfilled from the gateway since the connector started.
type crossed struct {
	Packets uint64
	Amount  uint64 `json:",string"`
	Lost    uint64 // packets that the connector lost on purpose
	Unpaid  uint64 `json:",string"` // the part of Amount whose payers do not know of it, because the answer was lost
}

func countCrossed(conn *connector) (c crossed) {
	conn.t.Helper()
	conn.ask("delivered", &c)
	return c
}

func (c crossed) since(before crossed) crossed {
	return crossed{c.Packets - before.Packets, c.Amount - before.Amount, c.Lost - before.Lost, c.Unpaid - before.Unpaid}
}
