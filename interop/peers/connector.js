// connector.js runs npm's ilp-connector on loopback as the connector between payers and the gateway under test.
//
//   node peers/connector.js '{"maxPacketAmount":"1000000","spread":0,"payerScale":9,"gatewayScale":9,"deduplicate":true,
//                            "lose":{"percent":0,"answers":0},"http":{"url":…,"in":…,"out":…,"old":false,"http2":false},
//                            "jwt":false,"dial":"btp+ws://…"}'
//
// It offers these accounts, all in USD:
//   payers    a BTP server where any token is an account; ilp-fetch and the other payers dial it
//   gateways  a BTP server of the same kind that the gateway dials
//   http      ILP-over-HTTP both ways with the gateway as a child; only when the option is given. `in` and `out` are bearer tokens,
//             or with jwt the secrets of JSON web tokens; with old they go by the options that ilp-plugin-http had first, and are sent
//             without "Bearer "; with http2 packets to the gateway go by HTTP/2
//   dialled   a BTP link with the gateway as a child that the connector dials, over and over until it is there; only with dial
// When all listen it prints one line of JSON with their URLs. A line on stdin is answered by one line of JSON:
//   delivered  how much the gateway has fulfilled, in its own units; and what of that `lose` kept from the payers (loss.js)
//   linked     {} as soon as the connector has dialled
// It ends when stdin closes, or on SIGTERM.
'use strict'
const { once } = require('events')
const readline = require('readline')
const { createApp } = require('ilp-connector')
const IlpPacket = require('ilp-packet')
const BtpPlugin = require('ilp-plugin-btp')
const MiniAccounts = require('ilp-plugin-mini-accounts')
const HttpPlugin = require('ilp-plugin-http')
const { lose } = require('./loss')

const defaults = { maxPacketAmount: '1000000', spread: 0, payerScale: 9, gatewayScale: 9, deduplicate: true }
const options = Object.assign(defaults, JSON.parse(process.argv[2] || '{}'))
const delivered = { packets: 0, amount: 0n }
const losses = []

// towardsGateway counts what crosses to the gateway and comes back fulfilled, which are the only credits the gateway may book, and
// then loses some of it.
function towardsGateway (plugin) {
  countDelivered(plugin)
  if (options.lose) losses.push(lose(plugin, options.lose))
  return plugin
}

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
}

function btpServer () {
  return new MiniAccounts({ wsOpts: { host: '127.0.0.1', port: 0 } })
}

function httpLink ({ url, in: incoming, out: outgoing, old, http2 }) {
  const secret = options.jwt ? (old ? 'secret' : 'jwtSecret') : (old ? 'secretToken' : 'staticToken')
  return new HttpPlugin({
    incoming: { port: { host: '127.0.0.1', port: 0 }, [secret]: incoming },
    outgoing: { url, [secret]: outgoing, name: 'conn', http2 }
  })
}

function child (plugin, assetScale) {
  return { relation: 'child', plugin, assetCode: 'USD', assetScale, maxPacketAmount: options.maxPacketAmount }
}

async function main () {
  const payers = btpServer()
  const gateways = towardsGateway(btpServer())
  const accounts = { payers: child(payers, options.payerScale), gateways: child(gateways, options.gatewayScale) }
  const http = options.http && towardsGateway(httpLink(options.http))
  if (http) accounts.http = child(http, options.gatewayScale)

  const app = createApp({
    ilpAddress: 'test.conn',
    accounts,
    backend: 'one-to-one',
    spread: options.spread,
    routeBroadcastEnabled: true, // without it the routes to children are never installed
    disableMiddleware: options.deduplicate ? [] : ['deduplicate'] // it would hide a payer's repeated packets from the gateway
  })
  await app.listen()
  const linked = options.dial ? dial(app) : Promise.resolve()

  print({
    ready: true,
    payers: `btp+ws://127.0.0.1:${await portOf(payers._wss)}`,
    gateways: `btp+ws://127.0.0.1:${await portOf(gateways._wss)}`,
    http: http ? `http://127.0.0.1:${await portOf(http._httpServer)}/` : ''
  })
  serveCommands(linked)
}

// dial adds the account that the connector dials. The gateway may start later than the connector.
function dial (app) {
  const plugin = towardsGateway(new BtpPlugin({ server: options.dial, reconnectInterval: 100 }))
  return app.addPlugin('dialled', child(plugin, options.gatewayScale)).catch(fail)
}

async function portOf (server) {
  if (!server.address()) await once(server, 'listening')
  return server.address().port
}

function serveCommands (linked) {
  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', async (line) => {
    if (line === 'linked') print(await linked || {})
    if (line === 'delivered') print(report())
  })
  lines.on('close', () => process.exit(0))
}

function report () {
  const lost = losses.reduce((n, l) => n + l.packets, 0)
  const unpaid = losses.reduce((sum, l) => sum + l.unpaid, 0n)
  return { packets: delivered.packets, amount: String(delivered.amount), lost, unpaid: String(unpaid) }
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

function fail (err) {
  console.error(err)
  process.exit(1)
}

process.on('SIGTERM', () => process.exit(0))
main().catch(fail)
