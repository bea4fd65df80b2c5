// relay.js runs npm's ilp-connector between a sender and a receiver of packets, for go run ./bench.
//
//   node peers/relay.js '{"httpIn":{"port":7001,"secret":…},"httpOut":{"url":"http://127.0.0.1:7003/","secret":…},
//                         "btpIn":"btp+ws://in:…@…","btpOut":"btp+ws://out:…@…","adminPort":7004}'
//
// It has these peers, all in USD 9, and the static routes test.http and test.btp:
//   http-in   posts its packets to that port
//   http-out  gets what is addressed to test.http
//   btp-in    sends packets over a BTP link that the connector dials
//   btp-out   gets what is addressed to test.btp, over another one
// What it does not do, it does not pay for: no rate limit, no memory of the packets of the last minute, no routes told or learned, no
// spread, balances in memory and without limit, and no debugging log. It ends on SIGTERM. The admin API is on, for the balances.
'use strict'
const { createApp } = require('ilp-connector')
const BtpPlugin = require('ilp-plugin-btp')
const HttpPlugin = require('ilp-plugin-http')

const options = JSON.parse(process.argv[2])
const none = { port: { host: '127.0.0.1', port: 0 }, staticToken: options.httpIn.secret } // a side of a link that is not used

function peer (plugin) {
  return {
    relation: 'peer',
    plugin,
    assetCode: 'USD',
    assetScale: 9,
    balance: { minimum: '-Infinity', maximum: 'Infinity' },
    sendRoutes: false,
    receiveRoutes: false
  }
}

function httpIn ({ port, secret }) {
  return new HttpPlugin({
    incoming: { port: { host: '127.0.0.1', port }, staticToken: secret },
    outgoing: { url: options.httpOut.url, staticToken: secret }
  })
}

function httpOut ({ url, secret }) {
  return new HttpPlugin({ incoming: none, outgoing: { url, staticToken: secret, name: 'relay' } })
}

async function main () {
  const incoming = httpIn(options.httpIn)
  const app = createApp({
    ilpAddress: 'test.relay',
    accounts: {
      'http-in': peer(incoming),
      'http-out': peer(httpOut(options.httpOut)),
      'btp-in': peer(new BtpPlugin({ server: options.btpIn })),
      'btp-out': peer(new BtpPlugin({ server: options.btpOut }))
    },
    routes: [{ targetPrefix: 'test.http', peerId: 'http-out' }, { targetPrefix: 'test.btp', peerId: 'btp-out' }],
    backend: 'one-to-one',
    spread: 0,
    store: 'memory',
    disableMiddleware: ['rateLimit', 'deduplicate'],
    adminApi: true,
    adminApiPort: options.adminPort
  })
  await app.listen()
  incoming._httpServer.keepAliveTimeout = 300000 // Node's five seconds would end connections while it is another's turn
}

process.on('SIGTERM', () => process.exit(0))
main().catch((err) => {
  console.error(err)
  process.exit(1)
})
