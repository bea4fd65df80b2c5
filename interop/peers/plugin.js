// plugin.js makes a payer's link to the connector, and counts what the payer really spent on it.
'use strict'
const crypto = require('crypto')
const IlpPacket = require('ilp-packet')
const BtpPlugin = require('ilp-plugin-btp')

// connect dials a BTP server ("btp+ws://host:port") with a fresh random token, which there is a fresh account.
// The plugin's `spent` says how much of the payer's money was fulfilled, in the payer's base units, as a BigInt; `rejected`, how many
// packets came back with which error code.
async function connect (server) {
  const url = new URL(server)
  url.password = crypto.randomBytes(32).toString('hex')
  const plugin = new BtpPlugin({ server: url.href })
  countSpent(plugin)
  await plugin.connect()
  return plugin
}

function countSpent (plugin) {
  const send = plugin.sendData.bind(plugin)
  plugin.spent = 0n
  plugin.rejected = {}
  plugin.sendData = async (data) => {
    const reply = await send(data)
    if (reply[0] === IlpPacket.Type.TYPE_ILP_REJECT) {
      const { code } = IlpPacket.deserializeIlpReject(reply)
      plugin.rejected[code] = (plugin.rejected[code] || 0) + 1
    } else if (data[0] === IlpPacket.Type.TYPE_ILP_PREPARE) {
      plugin.spent += BigInt(IlpPacket.deserializeIlpPrepare(data).amount)
    }
    return reply
  }
}

module.exports = { connect }
