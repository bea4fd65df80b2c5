package btp

// This file sends Prepares over a session and waits for their answers.

import (
	"bytes"
	"context"
	"crypto/sha256"
	"time"

	"github.com/paydoor/paydoor/ilpcore"
	frames "github.com/paydoor/paydoor/ilpcore/btp"
)

// send is HandlePrepare over a live session.
func (s *session) send(ctx context.Context, in ilpcore.Incoming) ilpcore.Reply {
	left := s.left(&in)
	if left <= 0 {
		return expired()
	}
	id, k := s.calls.add(left)
	if k == nil {
		return lost()
	}
	b := takeBuffer()
	if err := b.encodePrepare(id, &in.Prepare); err != nil {
		b.release()
		s.calls.drop(id, k)
		return invalid(err)
	}
	for !s.queue.offer(outgoing{buffer: b}) {
		if reply, over := s.wait(ctx, id, k, b); over {
			return reply
		}
	}
	s.Flush()
	select {
	case <-k.answered:
		reply := k.reply
		k.free()
		return checked(reply, in.Condition)
	case <-ctx.Done():
	}
	s.calls.drop(id, k)
	return timedOut()
}

// start is send for an asker that does not wait. The fulfillment is his to check. The packet, which is counted as busy, is so until it is answered.
func (s *session) start(in *ilpcore.Incoming, asker ilpcore.Asker, burst *ilpcore.Burst) {
	left := s.left(in)
	id, k := uint32(0), (*call)(nil)
	b := takeBuffer()
	err := b.encodePrepare(0, &in.Prepare)
	if err == nil && left > 0 {
		id, k = s.calls.addFor(left, asker, &s.busy)
	}
	if k == nil {
		b.release()
		s.busy.leave()
		switch {
		case left <= 0:
			asker.Answered(expired(), burst)
		case err != nil:
			asker.Answered(invalid(err), burst)
		default:
			asker.Answered(lost(), burst)
		}
		return
	}
	frames.SetRequestID(b.out, id)
	s.putLater(outgoing{buffer: b}, burst)
}

// left returns how long the answer to a packet is waited for.
func (s *session) left(in *ilpcore.Incoming) time.Duration {
	return min(in.ExpiresAt.Sub(s.now()), s.timing.answer)
}

// encodePrepare makes b.out the frame that carries a packet.
func (b *buffer) encodePrepare(id uint32, prepare *ilpcore.Prepare) (err error) {
	if b.packet, err = prepare.Append(b.packet[:0]); err != nil {
		return err
	}
	b.out = frames.AppendILP(b.out[:0], frames.TypeMessage, id, b.packet)
	return nil
}

// wait returns when there may be room for a packet, or what else ends it.
func (s *session) wait(ctx context.Context, id uint32, k *call, b *buffer) (reply ilpcore.Reply, over bool) {
	select {
	case <-s.queue.room:
		return ilpcore.Reply{}, false
	case <-k.answered: // its time is over
		b.release()
		k.free()
		return timedOut(), true
	case <-ctx.Done():
		reply = timedOut()
	case <-s.ctx.Done():
		reply = lost()
	}
	b.release()
	s.calls.drop(id, k)
	return reply, true
}

// receiveReply hands the ILP answer in a frame to whoever waits for it.
func (s *session) receiveReply(id uint32, packet []byte) {
	reply, err := ilpcore.DecodeReply(packet)
	if err != nil {
		s.receiveFailure(id, ilpcore.T01, "the peer's answer is not an ILP Fulfill or Reject")
		return
	}
	k := s.asked.take(id, &s.calls)
	if k == nil {
		return // answers that nobody waits for are ignored (RFC 23)
	}
	reply.Data = bytes.Clone(reply.Data)
	k.answer(reply, &s.burst)
}

// receiveFailure answers the packet with this id for a peer that sent no ILP packet.
func (s *session) receiveFailure(id uint32, code ilpcore.Code, message string) {
	if k := s.asked.take(id, &s.calls); k != nil {
		k.answer(ilpcore.Reject(code, "", message, nil), &s.burst)
	}
}

func checked(reply ilpcore.Reply, condition [32]byte) ilpcore.Reply {
	if reply.Fulfilled && sha256.Sum256(reply.Fulfillment[:]) != condition {
		return ilpcore.Reject(ilpcore.F05, "", "the peer's fulfillment does not match the condition", nil)
	}
	return reply
}

func expired() ilpcore.Reply {
	return ilpcore.Reject(ilpcore.R00, "", "the packet expired before it was sent", nil)
}

func invalid(err error) ilpcore.Reply {
	return ilpcore.Reject(ilpcore.F01, "", "the packet cannot be encoded: "+err.Error(), nil)
}

func lost() ilpcore.Reply {
	return ilpcore.Reject(ilpcore.T01, "", "the BTP link to the peer is down", nil)
}

func timedOut() ilpcore.Reply {
	return ilpcore.Reject(ilpcore.R00, "", "the peer did not answer in time", nil)
}
