// pay-psk2.js is npm's ilp-protocol-psk2 as a payer. A PSK2 payment is one packet; what does not fit into one (`most`) or is lost on the
// way (T00) is for the program around the library: this one pays in several packets and repeats what was lost.
'use strict'
const PSK2 = require('ilp-protocol-psk2')
const { main } = require('./options-payer')

const maxLost = 20 // packets

main('interledger-psk2', async ({ plugin, destination, secret, token, send, most }) => {
  let received = 0n
  let lost = 0
  for (let left = BigInt(send); left > 0n;) {
    const amount = left < BigInt(most) ? left : BigInt(most)
    const result = await PSK2.sendRequest(plugin, {
      destinationAccount: destination,
      sharedSecret: secret,
      sourceAmount: String(amount),
      minDestinationAmount: '1',
      data: token
    })
    if (result.fulfilled) {
      left -= amount
      received += BigInt(String(result.destinationAmount))
    } else if (!result.code.startsWith('T') || ++lost > maxLost) {
      throw new Error(`the payment was rejected with ${result.code}`)
    }
  }
  return received
})
