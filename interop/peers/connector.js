// connector.js runs npm's ilp-connector on loopback as the connector between payers and the gateway under test.
//
//   node peers/connector.js '{"maxPacketAmount":"1000000","spread":0,"payerScale":9,"deduplicate":true,
//                            "http":{"url":…,"in":…,"out":…}}'
//
// It offers three accounts, all in USD:
//   payers    a BTP server where any token is an account; ilp-fetch and the other payers dial it
//   gateways  a BTP server of the same kind that the gateway dials
//   http      ILP-over-HTTP both ways with the gateway as a child; only when the option is given
// When all listen it prints one line of JSON with their URLs. A line "delivered" on stdin is answered by one line of JSON:
// how much the gateway has fulfilled, in its own units. It ends when stdin closes, or on SIGTERM.
'use strict'
const { once } = require('events')
const readline = require('readline')
const { createApp } = require('ilp-connector')
const IlpPacket = require('ilp-packet')
const MiniAccounts = require('ilp-plugin-mini-accounts')
const HttpPlugin = require('ilp-plugin-http')

const options = Object.assign({ maxPacketAmount: '1000000', spread: 0, payerScale: 9, deduplicate: true }, JSON.parse(process.argv[2] || '{}'))
const gatewayScale = 9
const delivered = { packets: 0, amount: 0n }

// countDelivered counts what crosses towards the gateway and comes back fulfilled: the only credits the gateway may book.
function countDelivered (plugin) {
  const send = plugin.sendData.bind(plugin)
  plugin.sendData = async (data) => {
    const reply = await send(data)
    if (data[0] === IlpPacket.Type.TYPE_ILP_PREPARE && reply[0] === IlpPacket.Type.TYPE_ILP_FULFILL) {
      const { amount } = IlpPacket.deserializeIlpPrepare(data)
      if (BigInt(amount) > 0n) {
        delivered.packets++
        delivered.amount += BigInt(amount)
      }
    }
    return reply
  }
  return plugin
}

function btpServer () {
  return new MiniAccounts({ wsOpts: { host: '127.0.0.1', port: 0 } })
}

function httpLink ({ url, in: incoming, out: outgoing }) {
  return new HttpPlugin({
    incoming: { port: { host: '127.0.0.1', port: 0 }, staticToken: incoming },
    outgoing: { url, staticToken: outgoing, name: 'conn' }
  })
}

function child (plugin, assetScale) {
  return { relation: 'child', plugin, assetCode: 'USD', assetScale, maxPacketAmount: options.maxPacketAmount }
}

async function main () {
  const payers = btpServer()
  const gateways = countDelivered(btpServer())
  const accounts = { payers: child(payers, options.payerScale), gateways: child(gateways, gatewayScale) }
  const http = options.http && countDelivered(httpLink(options.http))
  if (http) accounts.http = child(http, gatewayScale)

  const app = createApp({
    ilpAddress: 'test.conn',
    accounts,
    backend: 'one-to-one',
    spread: options.spread,
    routeBroadcastEnabled: true, // without it the routes to children are never installed
    disableMiddleware: options.deduplicate ? [] : ['deduplicate'] // it would hide a payer's repeated packets from the gateway
  })
  await app.listen()

  print({
    ready: true,
    payers: `btp+ws://127.0.0.1:${await portOf(payers._wss)}`,
    gateways: `btp+ws://127.0.0.1:${await portOf(gateways._wss)}`,
    http: http ? `http://127.0.0.1:${await portOf(http._httpServer)}/` : ''
  })
  serveCommands()
}

async function portOf (server) {
  if (!server.address()) await once(server, 'listening')
  return server.address().port
}

function serveCommands () {
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', (line) => {
    if (line === 'delivered') print({ packets: delivered.packets, amount: String(delivered.amount) })
  })
  lines.on('close', () => process.exit(0))
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

process.on('SIGTERM', () => process.exit(0))
main().catch((err) => {
  console.error(err)
  process.exit(1)
})
