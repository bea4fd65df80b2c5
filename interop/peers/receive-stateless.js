// receive-stateless.js is npm's @interledger/stream-receiver 0.2.2 as a receiver: it takes whatever comes and keeps no connections.
//
//   node peers/receive-stateless.js '{"server":"btp+ws://…"}'
//
// It prints one line of JSON with destination and secret. The line "received" on stdin is answered with the sum of what it has accepted; it
// cannot tell of closed connections. It ends when stdin closes.
'use strict'
const crypto = require('crypto')
const readline = require('readline')
const ILDCP = require('ilp-protocol-ildcp')
const { deserializeIlpPrepare, isIlpReply, serializeIlpFulfill, serializeIlpReply } = require('ilp-packet')
const { StreamServer } = require('@interledger/stream-receiver')
const { connect } = require('./plugin')

const options = JSON.parse(process.argv[2])
let received = 0n

async function main () {
  const plugin = await connect(options.server)
  const { clientAddress, assetCode, assetScale } = await ILDCP.fetch(plugin.sendData.bind(plugin))
  const server = new StreamServer({ serverSecret: crypto.randomBytes(32), serverAddress: clientAddress })
  plugin.registerDataHandler(async (data) => {
    const prepare = deserializeIlpPrepare(data)
    const money = server.createReply(prepare)
    if (isIlpReply(money)) return serializeIlpReply(money)
    received += BigInt(prepare.amount)
    return serializeIlpFulfill(money.accept())
  })
  const { ilpAddress, sharedSecret } = server.generateCredentials({ asset: { code: assetCode, scale: assetScale } })
  print({ destination: ilpAddress, secret: sharedSecret.toString('base64') })
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (line === 'received') print({ amount: String(received) })
})
lines.on('close', () => process.exit(0))
main().catch((err) => {
  console.error(err)
  process.exit(1)
})
