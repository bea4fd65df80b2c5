// cog.js is a paid server of npm's @sharafian/cog 0.1.2: it tells no price, and takes money by STREAM while it answers.
//
//   node -r ./peers/closed.js peers/cog.js '{"server":"btp+ws://…","price":2000}'
//
// Every request costs the price; /fail takes it and fails with 500. It prints one line of JSON with its URL. The line "count" on stdin is answered
// with what all streams have received: it holds nothing. It ends when stdin closes.
'use strict'
const http = require('http')
const { once } = require('events')
const readline = require('readline')
const Koa = require('koa')
const Cog = require('@sharafian/cog')
const { connect } = require('./plugin')

const { server, price } = JSON.parse(process.argv[2])
let charged = 0

async function sell (ctx) {
  ctx.ilpStream.on('money', (amount) => { charged += Number(amount) })
  await ctx.ilpStream.receiveTotal(price)
  if (ctx.path === '/fail') throw new Error('failed on purpose')
  ctx.body = `${ctx.method} paid`
}

async function main () {
  const cog = new Cog({ plugin: await connect(server) })
  const paid = cog.paid()
  const app = new Koa()
  app.silent = true
  app.use((ctx) => paid(ctx, () => sell(ctx)))
  const listening = http.createServer(app.callback()).listen(0, '127.0.0.1')
  await once(listening, 'listening')
  print({ url: `http://127.0.0.1:${listening.address().port}/` })

  const lines = readline.createInterface({ input: process.stdin })
  lines.on('line', () => print({ charged, held: 0 }))
  lines.on('close', () => process.exit(0))
}

function print (value) {
  process.stdout.write(JSON.stringify(value) + '\n')
}

main().catch((err) => {
  console.error(err)
  process.exit(1)
})
