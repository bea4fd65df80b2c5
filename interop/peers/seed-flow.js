// seed-flow.js walks through the Paid HTTP APIs flow word for word, as a payer that has only npm's ilp-protocol-psk2:
// token from the host's name, OPTIONS, one PSK2 payment with the token as its memo, then the paid requests.
//
//   node peers/seed-flow.js '{"server":"btp+ws://…","url":"http://…/upload","amount":"100","requests":11}'
//
// It prints one line of JSON: the quote, the payment, and every answer with its status, Pay and Pay-Balance.
'use strict'
const crypto = require('crypto')
const PSK2 = require('ilp-protocol-psk2')
const { connect } = require('./plugin')

async function main ({ server, url, amount, requests, memo = 'raw' }) {
  const clientSecret = crypto.randomBytes(32)
  const token = crypto.createHmac('sha256', clientSecret).update(new URL(url).hostname).digest()
  const headers = { 'Pay-Token': token.toString('base64url') }

  const quote = answer(await fetch(url, { method: 'OPTIONS', headers: { ...headers, 'Unhash-Content-Length': '123' } }))
  const [method, destinationAccount, secret, price] = quote.pay.split(' ')
  const payment = await pay({ server, destinationAccount, secret, amount, memo: memo === 'text' ? Buffer.from(headers['Pay-Token']) : token })

  const answers = []
  for (let i = 0; i < requests; i++) {
    answers.push(answer(await fetch(url, { method: 'POST', body: 'a mockup image', headers })))
  }
  return { quote: { ...quote, method, destinationAccount, secret, price }, payment, answers }
}

async function pay ({ server, destinationAccount, secret, amount, memo }) {
  const plugin = await connect(server)
  const result = await PSK2.sendRequest(plugin, {
    destinationAccount,
    sharedSecret: Buffer.from(secret, 'base64'),
    sourceAmount: amount,
    minDestinationAmount: amount,
    data: memo
  })
  await plugin.disconnect()
  return { fulfilled: result.fulfilled, code: result.code || '', arrived: String(result.destinationAmount), spent: String(plugin.spent) }
}

function answer (response) {
  const header = (name) => response.headers.get(name) || ''
  return { status: response.status, pay: header('pay'), payBalance: header('pay-balance') }
}

main(JSON.parse(process.argv[2])).then(
  (result) => process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0)),
  (err) => { console.error(err); process.exit(1) }
)
