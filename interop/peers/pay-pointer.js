// pay-pointer.js pays a payment pointer with the wallets of other people.
//
//   node -r ./peers/closed.js peers/pay-pointer.js '{"server":"btp+ws://…","hosts":{"shop.example":"127.0.0.1:8443"},"with":"ilp-protocol-spsp",
//                                                    "pointer":"$shop.example/…","amount":"1000","scale":9}'
//
// with is ilp-protocol-spsp (3.0.0), @interledger/pay (0.4.0-alpha.9), or receipts: a verifier's question, a payment by ilp-protocol-stream
// 2.7.2-alpha.3, and its receipts. It prints one line of JSON: what was spent, in the payer's units, what the library says was sent or delivered,
// and of the receipt what it proves.
'use strict'
const crypto = require('crypto')
const https = require('https')
const spsp = require('ilp-protocol-spsp')
const { createConnection, verifyReceipt } = require('ilp-protocol-stream')
const { setupPayment, startQuote, pay, closeConnection } = require('@interledger/pay')
const { connect } = require('./plugin')
const { find } = require('./hosts')

const wallets = {
  'ilp-protocol-spsp': async (plugin, { pointer, amount }) => {
    const { totalSent } = await spsp.pay(plugin, { pointer, sourceAmount: amount })
    return { told: totalSent }
  },

  '@interledger/pay': async (plugin, { pointer, amount, scale }) => {
    const destination = await setupPayment({ plugin, destinationAccount: pointer })
    const quote = await startQuote({ plugin, destination, amountToDeliver: BigInt(amount), sourceAsset: { code: 'USD', scale }, slippage: 0.01 })
    const receipt = await pay({ plugin, destination, quote })
    await closeConnection(plugin, destination)
    if (receipt.error) throw new Error(`${receipt.error} after ${receipt.amountDelivered}`)
    return { told: String(receipt.amountDelivered), asset: destination.destinationAsset }
  },

  receipts: async (plugin, { pointer, amount }) => {
    const nonce = crypto.randomBytes(16)
    const secret = crypto.randomBytes(32)
    const answer = await ask(urlOf(pointer), {
      'Receipt-Nonce': nonce.toString('base64'), 'Receipt-Secret': secret.toString('base64')
    })
    const connection = await createConnection({
      plugin, destinationAccount: answer.destination_account, sharedSecret: Buffer.from(answer.shared_secret, 'base64')
    })
    const stream = connection.createStream()
    await stream.sendTotal(amount)
    const receipt = verifyReceipt(stream.receipt, secret) // throws if it is not valid
    await connection.end()
    return {
      told: stream.totalSent,
      enabled: answer.receipts_enabled,
      proven: receipt.totalReceived.toString(),
      ours: receipt.nonce.equals(nonce) && String(receipt.streamId) === String(stream.id)
    }
  }
}

function urlOf (pointer) {
  const url = new URL(pointer.replace('$', 'https://'))
  if (url.pathname === '/') url.pathname = '/.well-known/pay'
  return url
}

function ask (url, headers) {
  return new Promise((resolve, reject) => {
    https.get(url, { headers: { accept: 'application/spsp4+json', ...headers } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (part) => { body += part })
      response.on('end', () => response.statusCode === 200 ? resolve(JSON.parse(body)) : reject(new Error(`${response.statusCode} ${body}`)))
    }).on('error', reject)
  })
}

async function main (options) {
  find(options.hosts)
  const plugin = await connect(options.server)
  const result = await wallets[options.with](plugin, options)
  return { ...result, spent: String(plugin.spent) }
}

main(JSON.parse(process.argv[2])).then(
  (result) => process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0)),
  (err) => { console.error(err); process.exit(1) }
)
