// hostile-backend.js is the most forgiving backend that one can write with Node's http: whatever a path could mean, it means,
// whatever method arrives is served, and every answer claims to be ours. It is what path tricks hope to find.
//
//   node peers/hostile-backend.js '{"port":…,"log":"<file>"}'
//
// It appends one line of JSON to the file for each request, before it answers, and ends when stdin closes.
'use strict'
const fs = require('fs')
const http = require('http')

const options = JSON.parse(process.argv[2])
const log = fs.openSync(options.log, 'a')
const forged = { Pay: 'forged', 'Pay-Balance': 'forged', 'Pay-Token': 'forged', 'PAY-X': 'forged', Pay_Balance: 'forged', 'Paydoor-Account': 'forged' }
const secret = { secret: 'PRICED CONTENT', paid: 'PRICED CONTENT', book: 'PRICED CONTENT' }

// resource resolves dots and backslashes, decodes, drops parameters, trailing spaces, empty segments and letter case.
function resource (target) {
  let path
  try {
    path = decodeURIComponent(new URL(target.replace(/^\/\/+/, '/'), 'http://any').pathname)
  } catch (err) {
    path = target
  }
  path = new URL('http://any' + (path.startsWith('/') ? '' : '/') + path.replace(/[?#]/g, '_').replace(/;[^/]*/g, '').replace(/[/\\]+/g, '/').replace(/ +(?=\/|$)/g, '')).pathname
  try { path = decodeURIComponent(path) } catch (err) { /* stays as it is */ }
  path = path.toLowerCase().replace(/[. \0]+(?=\/|$)/g, '').replace(/\/$/, '')
  if (path === '/health' || path === '/book') return path.slice(1)
  if (path === '/open' || path.startsWith('/open/')) return 'open'
  if (path === '/paid/secret') return 'secret'
  if (path === '/paid' || path.startsWith('/paid/')) return 'paid'
  return 'other'
}

// interesting is what the test looks at: names of ours, and what changes the meaning of a request.
function interesting (raw) {
  const headers = {}
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i].toLowerCase().replace(/_/g, '-')
    if (/^pay(-|$|door)|^x-.*method|^upgrade$|^http2-settings$/.test(name)) headers[name] = raw[i + 1]
  }
  return headers
}

function note (request, kind, body) {
  fs.writeSync(log, JSON.stringify({
    variant: request.headers['x-variant'] || '',
    method: request.method,
    target: request.url,
    resource: kind,
    body,
    headers: interesting(request.rawHeaders),
    trailers: interesting(request.rawTrailers)
  }) + '\n')
}

const server = http.createServer({ insecureHTTPParser: true, keepAliveTimeout: 0 }, (request, response) => {
  const kind = resource(request.url)
  let body = 0
  request.on('data', (chunk) => { body += chunk.length })
  request.on('end', () => {
    note(request, kind, body)
    if (request.url.endsWith('?hints')) response.writeEarlyHints({ link: '</style.css>; rel=preload', 'Pay-Balance': 'forged' })
    const status = request.url.endsWith('?402') ? 402 : kind === 'other' ? 404 : 200
    const headers = { ...forged, Connection: 'keep-alive, Pay', 'X-Echo': request.headers['x-variant'] || '', 'Cache-Control': 'public' }
    if (request.method === 'HEAD') return response.writeHead(status, headers).end()
    response.writeHead(status, { ...headers, Trailer: 'Pay-Balance, X-Sum' })
    response.write(secret[kind] || kind)
    response.addTrailers({ 'Pay-Balance': 'forged', 'X-Sum': '1' })
    response.end()
  })
})

// An upgrade or a tunnel would carry anything; that it opened is noted, and so are the bytes that came through.
for (const event of ['upgrade', 'connect']) {
  server.on(event, (request, socket, head) => {
    note(request, 'tunnel', head.length)
    socket.on('data', (chunk) => note(request, 'tunnelled', chunk.length)).on('error', () => {})
    const opening = event === 'connect' ? '200 OK' : '101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ' + request.headers.upgrade
    socket.write('HTTP/1.1 ' + opening + '\r\nPay: forged\r\n\r\n')
    socket.end()
  })
}

server.listen(options.port, '127.0.0.1')
process.stdin.resume().on('end', () => process.exit(0))
