// pay-stream.js is npm's ilp-protocol-stream 2.7.2-alpha.3 as a payer: it sends `send` of its own units on each of `streams` streams (1), one
// after the other, and closes the connection. (2.7.1, which npm calls the latest, crashes on Node 18 and later; this version needs no help.)
'use strict'
const { createConnection } = require('ilp-protocol-stream')
const { main } = require('./options-payer')

main('interledger-stream', async ({ plugin, destination, secret, send, streams = 1 }) => {
  const connection = await createConnection({ plugin, destinationAccount: destination, sharedSecret: secret })
  for (let i = 0; i < streams; i++) {
    const stream = connection.createStream()
    await stream.sendTotal(send, { timeout: 120_000 })
    if (i + 1 < streams) stream.end()
  }
  await connection.end()
  return connection.totalDelivered
})
