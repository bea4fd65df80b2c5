// pay-interledger.js is npm's @interledger/pay 0.4.0-alpha.9, the sender of Rafiki, as a payer: it makes a quote for delivering
// `deliver` of the receiver's units, and pays it.
'use strict'
const { setupPayment, startQuote, pay, closeConnection } = require('@interledger/pay')
const { main } = require('./options-payer')

const attempts = 5 // the library asks for the receiver's asset only once, and gives up when that packet is lost

main('interledger-stream', async ({ plugin, destination, secret, deliver, scale }) => {
  const found = await setup({ plugin, destinationAddress: destination, sharedSecret: secret })
  const quote = await startQuote({
    plugin,
    destination: found,
    amountToDeliver: BigInt(deliver),
    sourceAsset: { code: 'USD', scale },
    slippage: 0.05 // of which the connector's spread is a part
  })
  const receipt = await pay({ plugin, destination: found, quote })
  await closeConnection(plugin, found)
  if (receipt.error) throw new Error(`${receipt.error} after ${receipt.amountDelivered}`)
  return receipt.amountDelivered
})

async function setup (options) {
  for (let i = 1; ; i++) {
    try {
      return await setupPayment(options)
    } catch (err) {
      if (i === attempts) throw err
    }
  }
}
