// pay.js fetches a paid URL with unmodified ilp-fetch and prints one line of JSON about what came back and what it cost.
//
//   node -r ./peers/closed.js peers/pay.js '{"server":"btp+ws://…","url":"http://…","maxPrice":"1000",
//                                            "method":"POST","body":"…","headers":{"Pay-Accept":"interledger-stream"},
//                                            "token":"…"}'
//
// token is the Pay-Token to use; without one ilp-fetch makes its own.
//
// It exits 0 whenever it could print its line; a client that threw is {"error": …}.
'use strict'
const ilpFetch = require('ilp-fetch')
const { connect } = require('./plugin')

async function main ({ server, url, maxPrice, method = 'GET', body, headers = {}, token }) {
  const plugin = await connect(server)
  try {
    const response = await ilpFetch(url, { plugin, maxPrice, method, body, headers, payToken: token && Buffer.from(token, 'base64url') })
    return {
      status: response.status,
      pay: response.headers.get('pay') || '',
      payBalance: response.headers.get('pay-balance') || '',
      body: await response.text(),
      price: response.price === undefined ? '' : String(response.price), // what the client itself says; only STREAM says it
      spent: String(plugin.spent)
    }
  } catch (err) {
    return { error: String(err.message), spent: String(plugin.spent) }
  }
}

main(JSON.parse(process.argv[2])).then(
  (result) => process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0)),
  (err) => { console.error(err); process.exit(1) }
)
