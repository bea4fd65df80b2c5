// loss.js makes a link lose packets on purpose.
//
// Whoever sent a lost packet gets T00 at once. Silence until the packet expires would be truer, but the connector turns silence into
// R00, and on R00 both STREAM senders end the whole payment: there would be nothing to look at.
'use strict'
const IlpPacket = require('ilp-packet')

// lose makes plugin lose some of the payments it sends, and returns the running count of them:
//   percent  so many of all, half of them before they reach the other side, half with their answer. A generator with a fixed seed
//            decides, so that runs are alike
//   answers  of each destination, the answer to the first payment that it fulfils, and then so many in all
// `unpaid` is what the other side fulfilled and nobody on this side will ever hear of.
function lose (plugin, { percent = 0, answers = 0 }) {
  const lost = { packets: 0, unpaid: 0n }
  const chance = percent / 100
  const random = seeded(1)
  const lostTo = new Map() // destination → answers that were lost
  const send = plugin.sendData.bind(plugin)

  plugin.sendData = async (data) => {
    if (data[0] !== IlpPacket.Type.TYPE_ILP_PREPARE) return send(data)
    const { destination, amount } = IlpPacket.deserializeIlpPrepare(data)
    const roll = random()
    if (roll < chance / 2) return loseOne()
    const reply = await send(data)
    const fulfilled = reply[0] === IlpPacket.Type.TYPE_ILP_FULFILL && BigInt(amount) > 0n
    const before = lostTo.get(destination) || 0
    const named = before < answers && (fulfilled || before > 0)
    if (named) lostTo.set(destination, before + 1)
    if (roll >= chance && !named) return reply
    if (fulfilled) lost.unpaid += BigInt(amount)
    return loseOne()
  }

  function loseOne () {
    lost.packets++
    return IlpPacket.serializeIlpReject({ code: 'T00', triggeredBy: 'test.conn', message: 'lost on purpose', data: Buffer.alloc(0) })
  }
  return lost
}

// seeded returns a generator of numbers from 0 up to 1 (mulberry32).
function seeded (state) {
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

module.exports = { lose }
