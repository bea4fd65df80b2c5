// options-payer.js is what payers have in common that ask for the price first: OPTIONS with Pay-Token and Pay-Accept, a payment to
// the address and secret in Pay, then the paid request. Each names its method and says how it pays.
//
//   node peers/pay-….js '{"server":"btp+ws://…","url":"http://…","token":"…","send":"1500","deliver":"900","scale":9,"body":"…"}'
//
// send is in the payer's own units, deliver in the receiver's; each payer has use for one of them. One line of JSON comes out:
// the answers, `told`, which is what the payer's own library believes was received, and `spent` and `rejected`, which its link has counted.
'use strict'
const { connect } = require('./plugin')

// run asks, pays with `pay({ plugin, destination, secret, token, ...options })` and fetches. pay returns what it believes was received.
async function run (method, pay) {
  const options = JSON.parse(process.argv[2])
  const plugin = await connect(options.server)
  const result = { told: '0' }
  try {
    const quote = await request(options, 'OPTIONS', { 'Pay-Accept': method })
    if (!quote.pay.startsWith(method + ' ')) throw new Error(`status ${quote.status} with Pay "${quote.pay}", not ${method}`)
    const [, destination, secret] = quote.pay.split(' ')
    result.told = String(await pay({ ...options, plugin, destination, secret: Buffer.from(secret, 'base64url'), token: Buffer.from(options.token, 'base64url') }))
    result.funded = (await request(options, 'OPTIONS')).payBalance
    Object.assign(result, await request(options, 'POST', { 'Pay-Accept': method }, options.body))
  } catch (err) {
    result.error = String((err && err.message) || err)
  }
  return { ...result, spent: String(plugin.spent), rejected: plugin.rejected }
}

async function request ({ url, token }, method, headers = {}, body) {
  const response = await fetch(url, { method, body, headers: { ...headers, 'Pay-Token': token } })
  const header = (name) => response.headers.get(name) || ''
  return { status: response.status, pay: header('pay'), payBalance: header('pay-balance'), body: await response.text() }
}

// main prints what run brought and ends the process, whatever the payer's library still holds open.
function main (method, pay) {
  run(method, pay).then(
    (result) => process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0)),
    (err) => { console.error(err); process.exit(1) }
  )
}

module.exports = { main }
