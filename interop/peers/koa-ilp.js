// koa-ilp.js is a paid server of npm's koa-ilp 1.1.1, as its README says: a price on each path, balances in memory, and PSK2 only.
//
//   node peers/koa-ilp.js '{"server":"btp+ws://…","price":400}'
//
// POST and GET of any path cost the price; /fail is charged and fails with 500, /break is charged and its connection breaks. It prints one line
// of JSON with its URL. The line "count" on stdin is answered with what it has charged and what it still holds, over all tokens. It ends
// when stdin closes.
'use strict'
const http = require('http')
const { once } = require('events')
const readline = require('readline')
const Koa = require('koa')
const KoaIlp = require('koa-ilp')
const { connect } = require('./plugin')

const { server, price } = JSON.parse(process.argv[2])
let charged = 0

async function sell (ctx) {
  charged += Number(ctx.state.payment.price)
  if (ctx.path === '/fail') ctx.throw(500, 'failed on purpose')
  if (ctx.path === '/break') return ctx.req.socket.destroy()
  ctx.body = `${ctx.method} ${await text(ctx.req)}`
}

async function text (request) {
  let all = ''
  for await (const chunk of request) all += chunk
  return all
}

async function main () {
  const ilp = new KoaIlp({ plugin: await connect(server) })
  await ilp.connect()
  const [options, paid] = [ilp.options({ price }), ilp.paid({ price })]
  const app = new Koa()
  app.silent = true
  app.use((ctx, next) => ctx.method === 'OPTIONS' ? options(ctx, next) : paid(ctx, () => sell(ctx)))
  const listening = http.createServer(app.callback()).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  print({ url: `http://127.0.0.1:${listening.address().port}/` })

  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', () => print({ charged, held: Object.values(ilp.balances).reduce((sum, n) => sum + Number(n), 0) }))
  lines.on('close', () => process.exit(0))
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

main().catch((err) => {
  console.error(err)
  process.exit(1)
})
