package btp

// This file sorts incoming frames by the ILP packet inside, and answers Prepares.

import (
	"go.uber.org/zap"

	"github.com/paydoor/paydoor/amount"
	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// receive acts on one frame, of which nothing is kept. What is no BTP frame is ignored (RFC 23).
//
// The ILP packet decides and not the frame around it: interledger-rs sends Prepares in Responses and answers in Messages.
func (s *session) receive(data []byte) {
	f := &s.frame
	if err := f.Decode(data); err != nil {
		s.logger.Debug("ignored what is no BTP frame", zap.String("account", string(s.account)), zap.Error(err))
		return
	}
	packet, found := f.ILP()
	kind := uint8(0)
	if len(packet) > 0 {
		kind = packet[0]
	}
	switch {
	case f.Type == frames.TypeError:
		s.receiveFailure(f.RequestID, errorCode(f.Error.Code), "the peer answered with BTP error "+f.Error.Code.String())
	case f.Type == frames.TypeTransfer:
		s.refuseTransfer(f.RequestID)
	case kind == ilpcore.TypePrepare:
		s.receivePrepare(f.RequestID, packet)
	case kind == ilpcore.TypeFulfill || kind == ilpcore.TypeReject:
		s.receiveReply(f.RequestID, packet)
	case f.Type == frames.TypeResponse:
		s.receiveFailure(f.RequestID, ilpcore.T01, "the peer answered without an ILP packet")
	case found:
		s.reject(f.RequestID, ilpcore.Reject(ilpcore.F01, "", "not an ILP packet", nil))
	default:
		s.acknowledge(f.RequestID)
	}
}

// errorCode is what a BTP error means to the sender of the packet: worth a retry or not.
func errorCode(c frames.Code) ilpcore.Code {
	if c[0] == 'T' {
		return ilpcore.T01
	}
	return ilpcore.F00
}

// receivePrepare hands a Prepare on, while there is room: to a Handler that need not be waited for, or else to a goroutine of its own.
func (s *session) receivePrepare(id uint32, packet []byte) {
	b := takeBuffer()
	b.in = append(b.in[:0], packet...)
	prepare, err := ilpcore.DecodePrepare(b.in)
	if err != nil {
		b.release()
		s.reject(id, ilpcore.Reject(ilpcore.F01, "", "the packet is invalid: "+err.Error(), nil))
		return
	}
	if !s.busy.enter() {
		b.release()
		s.reject(id, ilpcore.Reject(ilpcore.T03, "", "this connection is being closed; send it over the new one", nil))
		return
	}
	select {
	case s.slots <- struct{}{}:
	default:
		s.busy.leave()
		b.release()
		s.reject(id, ilpcore.Reject(ilpcore.T03, "", "too many packets in flight; wait for answers", nil))
		return
	}
	d := &b.delivery
	*d = delivery{session: s, id: id, prepare: prepare, buffer: b}
	handler := *s.handler.Load()
	if starter, ok := handler.(ilpcore.Starter); !ok || !starter.StartPrepare(s.link, ilpcore.Incoming{From: s.account, Prepare: prepare}, d, &s.burst) {
		s.deliver(d)
	}
}

// delivery is one incoming Prepare at work. It holds a slot, and the buffer the packet is in, until its answer is written.
type delivery struct {
	session   *session
	id        uint32
	prepare   ilpcore.Prepare
	buffer    *buffer
	fulfill   bool          // whether the answer is a Fulfill
	fulfilled amount.Amount // what the peer then owes
}

func (d *delivery) run() {
	s := d.session
	// A Handler keeps to the expiry by itself. A context for each packet would be a fifth of the work of those that are forwarded. It does not end
	// with the connection: what was sent on may be fulfilled, and then the peer owes for it, although it has not heard of that.
	reply := (*s.handler.Load()).HandlePrepare(s.link, ilpcore.Incoming{From: s.account, Prepare: d.prepare})
	d.Answered(reply, nil)
}

// Answered takes the answer of a Handler.
func (d *delivery) Answered(reply ilpcore.Reply, burst *ilpcore.Burst) {
	d.encode(&reply)
	d.session.putLater(outgoing{buffer: d.buffer, delivery: d}, burst)
}

// encode makes the buffer's out the answer.
func (d *delivery) encode(reply *ilpcore.Reply) {
	s := d.session
	d.fulfill, d.fulfilled = reply.Fulfilled, d.prepare.Amount
	if err := d.buffer.encodeReply(d.id, reply); err != nil {
		s.logger.Error("a reply could not be encoded", zap.String("account", string(s.account)), zap.Error(err))
		s.unsendable(d)
		internal := ilpcore.Reject(ilpcore.T00, "", "internal error", nil)
		_ = d.buffer.encodeReply(d.id, &internal) // this one can be encoded
	}
}

// written ends the delivery.
func (d *delivery) written(err error) {
	if err != nil && d.fulfill {
		d.session.unconfirmed(d.session.account, d.fulfilled)
	}
	<-d.session.slots
	d.session.busy.leave()
}

// unsendable counts a Fulfill that cannot be encoded as one that could not be written.
func (s *session) unsendable(d *delivery) {
	if d.fulfill {
		s.unconfirmed(s.account, d.fulfilled)
		d.fulfill = false
	}
}

// encodeReply makes b.out the frame that carries reply.
func (b *buffer) encodeReply(id uint32, reply *ilpcore.Reply) (err error) {
	if b.packet, err = reply.Append(b.packet[:0]); err != nil {
		return err
	}
	b.out = frames.AppendILP(b.out[:0], frames.TypeResponse, id, b.packet)
	return nil
}

// reject answers a packet that no Handler gets to see.
func (s *session) reject(id uint32, reply ilpcore.Reply) {
	b := takeBuffer()
	if err := b.encodeReply(id, &reply); err != nil {
		b.release()
		return
	}
	s.say(outgoing{buffer: b})
}

// refuseTransfer answers a Transfer: nothing is settled over this link, and no balance changes.
func (s *session) refuseTransfer(id uint32) {
	s.putFrame(frames.NewError(id, frames.NotAccepted, "this node settles nothing over BTP", s.now()))
}

// acknowledge answers a Message without an ILP packet, such as a repeated authentication or a protocol this node does not know.
func (s *session) acknowledge(id uint32) {
	s.putFrame(frames.Frame{Type: frames.TypeResponse, RequestID: id})
}

func (s *session) putFrame(f frames.Frame) {
	b := takeBuffer()
	var err error
	if b.out, err = f.Append(b.out[:0]); err != nil {
		s.logger.Error("a BTP frame could not be encoded", zap.String("account", string(s.account)), zap.Error(err))
		b.release()
		return
	}
	s.say(outgoing{buffer: b})
}
