// Hands requests to an app without a server: ?in=<tag>&from=<address>. Says the lanes in which the app was at work.

import http from 'node:http'
import { createRequire } from 'node:module'
import { currentLane } from '@laneway/core'
import inject from 'light-my-request'

const require = createRequire(import.meta.url)
const lane = () => currentLane()?.header ?? 'none'
const pause = () => new Promise(resolve => setImmediate(resolve))

function express(module) {
  const app = require(module)()
  app.use((req, _res, next) => {
    req.seen = [lane()]
    pause().then(next)
  })
  app.use(async (req, res) => {
    await pause()
    res.on('finish', () => finished(req, lane()))
    res.end([...req.seen, lane()].join())
  })
  return app
}

async function koa() {
  const { default: Koa } = await import('koa')
  const app = new Koa()
  app.use(async (ctx, next) => {
    const seen = lane()
    await pause()
    ctx.res.on('finish', () => finished(ctx.req, lane()))
    await next()
    ctx.body = `${seen},${lane()}`
  })
  return app.callback()
}

async function fastify() {
  const { default: create } = await import('fastify')
  const app = create()
  app.all('/*', async (request, reply) => {
    const seen = lane()
    await pause()
    reply.raw.on('finish', () => finished(request.raw, lane()))
    return `${seen},${lane()}`
  })
  await app.ready()
  return app.routing
}

const emitted = () => {
  const handlers = http.createServer((req, res) => {
    res.on('finish', () => finished(req, lane()))
    plain(req, res)
  })
  return (req, res) => handlers.emit('request', req, res)
}

const plain = (_req, res) => res.end(`${lane()},${lane()}`)

const ends = new Map()
const finished = ({ headers }, seen) => ends.set(headers['x-number'], seen)
const [name] = process.argv.slice(2)
const make = {
  express: () => express('express'),
  express4: () => express('express4'),
  koa,
  fastify,
  emitted,
  plain: () => plain,
}
// A framework that is loaded late is found as well.
await inject((_req, res) => res.end(), '/')
const app = await make[name]()
let count = 0

const server = http.createServer(async (req, res) => {
  const { searchParams } = new URL(req.url, 'http://localhost')
  const number = String(count++)
  const tag = searchParams.get('in')
  const headers = { 'x-number': number, ...(tag !== null && { 'x-mse-tag': tag }) }
  const answer = await inject(app, { url: '/', headers, remoteAddress: searchParams.get('from') ?? undefined })
  res.end([answer.payload, ends.get(number) ?? 'unheard'].join())
})
server.listen(0, '127.0.0.1', () => console.log(`serving on ${server.address().port}`))
