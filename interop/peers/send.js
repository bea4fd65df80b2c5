// send.js sends ready-made packets through the connector, as a payer's link would, and prints the replies.
//
//   node peers/send.js '{"server":"btp+ws://…","packets":["0c…","0c…"]}'
//
// All packets are sent at once. It prints one line of JSON: {"replies":["0d…","0e…"]}, in the packets' order.
'use strict'
const { connect } = require('./plugin')

async function main ({ server, packets }) {
  const plugin = await connect(server)
  const replies = await Promise.all(packets.map((hex) => plugin.sendData(Buffer.from(hex, 'hex'))))
  return { replies: replies.map((reply) => reply.toString('hex')) }
}

main(JSON.parse(process.argv[2])).then(
  (result) => process.stdout.write(JSON.stringify(result) + '\n', () => process.exit(0)),
  (err) => { console.error(err); process.exit(1) }
)
