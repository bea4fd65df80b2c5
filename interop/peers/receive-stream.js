// receive-stream.js is npm's ilp-protocol-stream 2.7.2-alpha.3 as a receiver: it takes up to `receiveMax` on each stream, as soon as the stream
// is there or `wait` milliseconds later.
//
//   node peers/receive-stream.js '{"server":"btp+ws://…","receiveMax":"1000","wait":0}'
//
// It prints one line of JSON with destination and secret. The line "received" on stdin is answered with what all streams received, and
// how many connections were closed by the payer. It ends when stdin closes.
'use strict'
const readline = require('readline')
const { createServer } = require('ilp-protocol-stream')
const { connect } = require('./plugin')

const options = JSON.parse(process.argv[2])
let received = 0n
let closed = 0

async function main () {
  const server = await createServer({ plugin: await connect(options.server) })
  server.on('connection', (connection) => {
    connection.on('end', () => { closed++ })
    connection.on('stream', (stream) => {
      stream.on('money', (amount) => { received += BigInt(amount) })
      setTimeout(() => stream.setReceiveMax(options.receiveMax), options.wait)
    })
  })
  const { destinationAccount, sharedSecret } = server.generateAddressAndSecret()
  print({ destination: destinationAccount, secret: sharedSecret.toString('base64') })
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

const lines = readline.createInterface({ input: process.stdin })
lines.on('line', (line) => {
  if (line === 'received') print({ amount: String(received), closed })
})
lines.on('close', () => process.exit(0))
main().catch((err) => {
  console.error(err)
  process.exit(1)
})
