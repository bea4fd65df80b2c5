// hosts.js has this process find hosts where `hosts` says, as a name server and a port 443 of their own would: {"shop.example":"127.0.0.1:8443"}.
// The certificates still have to be those of the hosts, signed by an authority of NODE_EXTRA_CA_CERTS.
'use strict'
const https = require('https')

function find (hosts) {
  const agent = new https.Agent()
  const connect = agent.createConnection
  agent.createConnection = function (options, callback) {
    const at = hosts[options.host] && new URL(`https://${hosts[options.host]}`)
    if (!at) return connect.call(this, options, callback)
    return connect.call(this, { ...options, host: at.hostname, port: at.port, servername: options.host }, callback)
  }
  https.globalAgent = agent
}

module.exports = { find }
