// spsp-server.js is an SPSP server on npm's ilp-protocol-stream 2.7.2-alpha.3, which gives receipts to who asks for them.
//
//   node peers/spsp-server.js '{"server":"btp+ws://…"}'
//
// It prints one line of JSON: the URL of its SPSP endpoint. The line "received" on stdin is answered with what all streams received, how many
// connections the payers closed, and how many questions wanted receipts. It ends when stdin closes.
'use strict'
const http = require('http')
const readline = require('readline')
const { createServer } = require('ilp-protocol-stream')
const { connect } = require('./plugin')

const options = JSON.parse(process.argv[2])
const counts = { amount: 0n, closed: 0, verified: 0 }

async function main () {
  const receiver = await createServer({ plugin: await connect(options.server) })
  receiver.on('connection', (connection) => {
    connection.on('end', () => { counts.closed++ })
    connection.on('stream', (stream) => {
      stream.on('money', (amount) => { counts.amount += BigInt(amount) })
      stream.setReceiveMax('18446744073709551615')
    })
  })
  const site = http.createServer((request, response) => answer(receiver, request, response))
  site.listen(0, '127.0.0.1', () => print({ url: `http://127.0.0.1:${site.address().port}/bob` }))
}

function answer (receiver, request, response) {
  if (request.url !== '/bob' || !String(request.headers.accept).includes('application/spsp4+json')) {
    response.writeHead(404).end()
    return
  }
  const terms = {}
  if (request.headers['receipt-nonce']) {
    terms.receiptNonce = Buffer.from(request.headers['receipt-nonce'], 'base64')
    terms.receiptSecret = Buffer.from(request.headers['receipt-secret'], 'base64')
    counts.verified++
  }
  const { destinationAccount, sharedSecret, receiptsEnabled } = receiver.generateAddressAndSecret(terms)
  response.writeHead(200, { 'content-type': 'application/spsp4+json' })
  response.end(JSON.stringify({
    destination_account: destinationAccount, shared_secret: sharedSecret.toString('base64'), receipts_enabled: receiptsEnabled
  }))
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (line === 'received') print({ ...counts, amount: String(counts.amount) })
})
lines.on('close', () => process.exit(0))
main().catch((err) => {
  console.error(err)
  process.exit(1)
})
