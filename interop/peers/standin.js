// standin.js is a paid server made of npm parts only. It stands where the gateway will stand and proves that the connector,
// the links and the payers of this folder work, so that a failure of a gateway test is the gateway's.
//
//   node peers/standin.js '{"method":"psk2"|"stream","price":10,"btp":"btp+ws://:token@…" |
//                            "http":{"port":…,"url":…,"in":…,"out":…}}'
//
// It prints one line {"ready":true,"url":…} and ends when stdin closes. Balances live in memory: it is a test peer, no more.
'use strict'
const http = require('http')
const crypto = require('crypto')
const { once } = require('events')
const BtpPlugin = require('ilp-plugin-btp')
const HttpPlugin = require('ilp-plugin-http')
const PSK2 = require('ilp-protocol-psk2')
const { createServer } = require('ilp-protocol-stream')

const options = JSON.parse(process.argv[2])
const price = BigInt(options.price)
const balances = new Map() // Pay-Token text → BigInt

function linkToConnector () {
  if (options.btp) return new BtpPlugin({ server: options.btp })
  const { port, url, in: incoming, out: outgoing } = options.http
  return new HttpPlugin({
    incoming: { port: { host: '127.0.0.1', port }, staticToken: incoming },
    outgoing: { url, staticToken: outgoing, name: 'standin' }
  })
}

// psk2Quoter returns a function that makes a Pay header for a token; each quote has its own secret and address.
async function psk2Quoter (plugin) {
  const receiver = await PSK2.createReceiver({ plugin })
  return (token) => {
    const secret = crypto.randomBytes(32)
    const { destinationAccount } = receiver.registerRequestHandlerForSecret(secret, ({ isFulfillable, amount, accept, reject }) => {
      if (!isFulfillable) return reject()
      credit(token, amount)
      accept()
    })
    return `interledger-psk2 ${destinationAccount} ${secret.toString('base64url')} ${price}`
  }
}

// streamQuoter does the same for STREAM; when the price is there it sends the byte that lets ilp-fetch go ahead.
async function streamQuoter (plugin) {
  const server = await createServer({ plugin })
  server.on('connection', (connection) => connection.on('stream', (stream) => {
    stream.setReceiveMax(String(price))
    stream.on('money', (amount) => {
      const token = connection.connectionTag
      credit(token, amount)
      if (balances.get(token) === price) stream.write(Buffer.of(0xff))
    })
  }))
  return (token) => {
    const { destinationAccount, sharedSecret } = server.generateAddressAndSecret({ connectionTag: token })
    return `interledger-stream ${destinationAccount} ${sharedSecret.toString('base64url')} ${price}`
  }
}

function credit (token, amount) {
  balances.set(token, (balances.get(token) || 0n) + BigInt(String(amount)))
}

function serve (quote) {
  return http.createServer((request, response) => {
    const token = request.headers['pay-token']
    const balance = balances.get(token) || 0n
    const paid = request.method !== 'OPTIONS' && balance >= price
    if (paid) balances.set(token, balance - price)
    response.statusCode = request.method === 'OPTIONS' ? 204 : paid ? 200 : 402
    response.setHeader('Pay', quote(token))
    response.setHeader('Pay-Balance', String(balances.get(token) || 0n))
    if (paid) request.pipe(response)
    else request.resume().on('end', () => response.end())
  })
}

async function main () {
  const plugin = linkToConnector()
  await plugin.connect()
  const server = serve(await (options.method === 'stream' ? streamQuoter : psk2Quoter)(plugin))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  process.stdout.write(JSON.stringify({ ready: true, url: `http://127.0.0.1:${server.address().port}/` }) + '\n')
}

process.stdin.resume().on('end', () => process.exit(0))
process.on('SIGTERM', () => process.exit(0))
main().catch((err) => {
  console.error(err)
  process.exit(1)
})
