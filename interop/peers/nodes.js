// nodes.js runs some of npm's ilp-connectors in one process, neighbours of the gateway under test, each with users of its own.
//
//   node peers/nodes.js '{"q":{"address":"test.q","relation":"peer","admin":1234,"link":{"kind":"http",…}},…}'
//
// Per connector: its ILP address, or none if its parent is to give it one; what the gateway is to it; a port for the connector's own
// admin API; and the link to the gateway, all in USD 9:
//   {"kind":"http","port":…,"url":…,"in":…,"out":…}   ILP over HTTP with bearer tokens
//   {"kind":"dial","url":"btp+ws://user:token@…"}     BTP, dialled by the connector
//   {"kind":"listen","port":…,"out":…}                BTP, dialled by the gateway with the token out
// When it is loaded it prints one line of JSON. A line on stdin is answered by one line of JSON:
//   start NAME       starts the connector, which says what its address is: {"address":"test.q"}
//   pay FROM TO SUM  a user of FROM's sends SUM by STREAM to a user of TO's: what both of them saw, {"sent":"…","received":"…"}
//   send FROM HEX    a user of FROM's sends a packet, 0c…: {"reply":"0e…"}
// It ends when stdin closes.
'use strict'
const { once } = require('events')
const readline = require('readline')
const { createApp } = require('ilp-connector')
const BtpPlugin = require('ilp-plugin-btp')
const MiniAccounts = require('ilp-plugin-mini-accounts')
const HttpPlugin = require('ilp-plugin-http')
const { createConnection, createServer } = require('ilp-protocol-stream')
const { connect } = require('./plugin')

const options = JSON.parse(process.argv[2])
const users = {} // by name: the BTP URL of the connector's users
const receivers = {} // by name: a STREAM server of one of its users, and what that has received

function plugin ({ kind, port, url, in: incoming, out: outgoing }) {
  switch (kind) {
    case 'http':
      return new HttpPlugin({
        incoming: { port: { host: '127.0.0.1', port }, staticToken: incoming },
        outgoing: { url, staticToken: outgoing, name: 'conn' }
      })
    case 'dial':
      return new BtpPlugin({ server: url, reconnectInterval: 100 })
    case 'listen':
      return new BtpPlugin({ listener: { port, secret: outgoing } })
  }
}

async function start (name) {
  const { address, relation, admin, link } = options[name]
  const server = new MiniAccounts({ wsOpts: { host: '127.0.0.1', port: 0 } })
  const usd = { assetCode: 'USD', assetScale: 9 }
  const app = createApp({
    ...(address && { ilpAddress: address }),
    accounts: {
      users: { relation: 'child', plugin: server, ...usd },
      // A connector exchanges routes with its children only where that is asked for.
      gateway: { relation, plugin: plugin(link), ...usd, balance: { maximum: '1000000000' }, sendRoutes: true, receiveRoutes: true }
    },
    backend: 'one-to-one',
    spread: 0,
    initialConnectTimeout: 500, // whom the gateway's start is to follow does not wait for it
    reflectPayments: false,
    routeBroadcastEnabled: true,
    adminApi: true,
    adminApiPort: admin
  })
  await app.listen()
  if (!server._wss.address()) await once(server._wss, 'listening')
  users[name] = `btp+ws://127.0.0.1:${server._wss.address().port}`
  const receiving = await createServer({ plugin: await connect(users[name]) })
  const receiver = receivers[name] = { server: receiving, received: 0n }
  receiving.on('connection', (connection) => connection.on('stream', (stream) => {
    stream.setReceiveMax(Infinity)
    stream.on('money', (sum) => { receiver.received += BigInt(sum) })
  }))
  return { address: receiving.generateAddressAndSecret().destinationAccount.split('.users.')[0] }
}

async function pay (from, to, sum) {
  const { server, received } = receivers[to]
  const before = received
  const { destinationAccount, sharedSecret } = server.generateAddressAndSecret()
  const link = await connect(users[from])
  link.disconnect = async () => {} // the library would leave the receiver's last packets without an answer
  const connection = await createConnection({ plugin: link, destinationAccount, sharedSecret })
  await connection.createStream().sendTotal(sum, { timeout: 20000 })
  await connection.end()
  return { sent: String(link.spent), received: String(receivers[to].received - before), rejected: link.rejected }
}

async function send (from, hex) {
  const link = await connect(users[from])
  const reply = await link.sendData(Buffer.from(hex, 'hex'))
  await link.disconnect()
  return { reply: reply.toString('hex') }
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  const [command, ...args] = line.split(' ')
  const answer = { start, pay, send }[command]
  answer(...args).then(print, (err) => print({ error: String(err.stack) }))
})
lines.on('close', () => process.exit(0))
print({ ready: true })
