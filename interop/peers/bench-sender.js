// bench-sender.js sends payments with one of npm's STREAM senders, for go run ./bench.
//
//   node peers/bench-sender.js '{"library":"ilp-protocol-stream","btp":"btp+ws://:…@…"}'           or "@interledger/pay"
//   node peers/bench-sender.js '{"library":"ilp-protocol-stream","http":"http://…","token":"…"}'
//
// It connects the link and writes a line {"ready":true} to file descriptor 3. Each line on its standard input is a payment,
// {"destination":…,"secret":base64url,"send":"…"}, and answered by a line with what became of it: packets that were fulfilled with money,
// what they were worth, what arrived as the library says, and how long the money took to leave, in milliseconds, without setting up and closing
// the connection. It ends with its input.
'use strict'
const fs = require('fs')
const readline = require('readline')
const BtpPlugin = require('ilp-plugin-btp')
const HttpPlugin = require('ilp-plugin-http')

const options = JSON.parse(process.argv[2])
const TYPE_PREPARE = 12
const TYPE_FULFILL = 13

// connect makes the link, whose sendData counts what was fulfilled.
async function connect () {
  const plugin = options.btp
    ? new BtpPlugin({ server: options.btp })
    : new HttpPlugin({ incoming: { port: { host: '127.0.0.1', port: 0 }, staticToken: options.token }, outgoing: { url: options.http, staticToken: options.token, name: 'bench' } })
  await plugin.connect()
  plugin.disconnect = async () => {} // ilp-protocol-stream ends the link with the connection, and the next payment needs it
  const send = plugin.sendData.bind(plugin)
  plugin.packets = 0
  plugin.sent = 0n
  plugin.sendData = async (data) => {
    const reply = await send(data)
    if (data[0] === TYPE_PREPARE && reply[0] === TYPE_FULFILL) {
      const amount = amountOf(data)
      plugin.sent += amount
      if (amount > 0n) plugin.packets++
    }
    return reply
  }
  return plugin
}

// amountOf reads the amount of a Prepare, which stands behind type and length; decoding the whole packet would cost the sender.
function amountOf (prepare) {
  const length = prepare[1]
  return prepare.readBigUInt64BE(length < 128 ? 2 : 2 + (length & 127))
}

const senders = {
  'ilp-protocol-stream': async (plugin, { destination, secret, send }) => {
    const { createConnection } = require('ilp-protocol-stream')
    const connection = await createConnection({ plugin, destinationAccount: destination, sharedSecret: secret })
    const stream = connection.createStream()
    const milliseconds = await timed(() => stream.sendTotal(send, { timeout: 120_000 }))
    await connection.end()
    return { milliseconds, delivered: String(connection.totalDelivered) }
  },
  '@interledger/pay': async (plugin, { destination, secret, send }) => {
    const { setupPayment, startQuote, pay, closeConnection } = require('@interledger/pay')
    const found = await setupPayment({ plugin, destinationAddress: destination, sharedSecret: secret })
    const quote = await startQuote({ plugin, destination: found, amountToSend: BigInt(send), sourceAsset: { code: 'USD', scale: 9 } })
    let receipt
    const milliseconds = await timed(async () => { receipt = await pay({ plugin, destination: found, quote }) })
    await closeConnection(plugin, found)
    if (receipt.error) throw new Error(`${receipt.error} after ${receipt.amountDelivered}`)
    return { milliseconds, delivered: String(receipt.amountDelivered) }
  }
}

async function timed (work) {
  const begin = process.hrtime.bigint()
  await work()
  return Number(process.hrtime.bigint() - begin) / 1e6
}

async function payment (plugin, order) {
  plugin.packets = 0
  plugin.sent = 0n
  try {
    const done = await senders[options.library](plugin, { ...order, secret: Buffer.from(order.secret, 'base64url') })
    return { ...done, packets: plugin.packets, sent: String(plugin.sent) }
  } catch (err) {
    return { error: String((err && err.message) || err), packets: plugin.packets, sent: String(plugin.sent) }
  }
}

async function main () {
  const tell = (answer) => fs.writeSync(3, JSON.stringify(answer) + '\n')
  const plugin = await connect()
  tell({ ready: true })
  for await (const line of readline.createInterface({ input: process.stdin })) {
    tell(await payment(plugin, JSON.parse(line)))
  }
}

main().then(() => process.exit(0), (err) => { console.error(err); process.exit(1) })
