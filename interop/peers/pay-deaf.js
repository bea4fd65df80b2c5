// pay-deaf.js pays what a 402 asks for by STREAM and never reads what the server says on the stream, nor ends it: with the sender of ilp-fetch
// (1.8.9) and with that of today.
//
//   node -r ./peers/closed.js peers/pay-deaf.js '{"server":"btp+ws://…","url":"http://…","token":"…","old":true}'
//
// It prints one line of JSON: how many packets went out until the money was there, and in the four seconds after.
'use strict'
const { connect } = require('./plugin')

async function main ({ server, url, token, old }) {
  const { createConnection } = require(old ? '../node_modules/ilp-fetch/node_modules/ilp-protocol-stream' : 'ilp-protocol-stream')
  const plugin = await connect(server)
  let packets = 0
  const send = plugin.sendData.bind(plugin)
  plugin.sendData = (data) => { packets++; return send(data) }

  const quote = await fetch(url, { headers: { 'Pay-Accept': 'interledger-stream', 'Pay-Token': token } })
  const [, destinationAccount, secret] = quote.headers.get('pay').split(' ')
  const connection = await createConnection({ plugin, destinationAccount, sharedSecret: Buffer.from(secret, 'base64url') })
  const stream = connection.createStream()
  await new Promise((resolve) => {
    stream.on('outgoing_money', resolve)
    stream.setSendMax(50_000)
  })
  const paying = packets
  await new Promise((resolve) => setTimeout(resolve, 4000))
  return { paying, after: packets - paying, spent: String(plugin.spent) }
}

main(JSON.parse(process.argv[2])).then(
  (result) => process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0)),
  (err) => { console.error(err); process.exit(1) }
)
