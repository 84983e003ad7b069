// The handlers: all ways in which code goes on later, and a look at the lane at each of them.
import { EventEmitter } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Transform } from 'node:stream'
import { bindLane, currentLane } from '@laneway/core'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { laneHandler } from '@laneway/http'
import express from 'express'
import fastify from 'fastify'

/** A server under soak. */
export interface Soaked {
  readonly name: string
  readonly port: number
  close(): Promise<void>
}

/** What the handlers saw; the load checks it against what it sent. */
export const tally = { looks: 0, bleeds: 0, examples: [] as string[] }

/** A pool as programs have them: its work runs in the context of whoever made the pool, unless it is bound. */
const pool = new EventEmitter()
setInterval(() => pool.emit('turn'), 5).unref()
pool.setMaxListeners(0)
/** The mistake of the control: the lane of a request in a variable of the module. */
let variable: string | undefined
const tick = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

function look(where: string, sent: string | undefined, seen: string | undefined): void {
  tally.looks++
  if (seen === sent) return
  tally.bleeds++
  if (tally.examples.length < 10) tally.examples.push(`${where}: ${seen} in a request of ${sent}`)
}

/** Serves a request in many steps. @throws for every 23rd: frameworks have error handlers */
async function serve(
  id: number,
  sent: string | undefined,
  req: IncomingMessage,
  res: ServerResponse,
  seen: () => string | undefined,
): Promise<string> {
  const at = (where: string) => look(where, sent, seen())
  at('handler')
  res.once('close', () => at('close of the response'))
  await null
  at('microtask')
  if (id % 3 === 0) await tick(id % 7)
  at('timer')
  if (id % 5 === 0) await new Promise(resolve => setImmediate(resolve))
  if (id % 4 === 0) {
    await new Promise<void>(resolve => pool.once('turn', bindLane(resolve)))
    at('pool')
  }
  let bytes = 0
  const upper = new Transform({
    transform(chunk, _, done) {
      at('stream')
      bytes += chunk.length
      done()
    },
  })
  // Without listeners for data it would wait: what it passes on is nothing.
  upper.resume()
  if (!req.readableEnded) {
    await new Promise<void>((resolve, reject) => {
      req.pipe(upper)
      upper.once('finish', resolve)
      req.once('aborted', () => reject(new Error('gone')))
    })
    at('body')
  }
  if (id % 11 === 0) {
    void tick(1).then(() => {
      at('rejection')
      throw new Error(`left behind by ${id}`)
    })
  }
  if (id % 23 === 0) throw new Error(`thrown by ${id}`)
  return `${id} ${seen() ?? ''} ${bytes}`
}

const idOf = (req: IncomingMessage) => Number(req.headers['x-id'])
/** What the load sent, told beside the lane, so that the lane cannot vouch for itself. */
const sentOf = (req: IncomingMessage) => String(req.headers['x-sent']) || undefined
const laneNow = () => currentLane()?.header

async function started(name: string, server: Server): Promise<Soaked> {
  server.keepAliveTimeout = 60_000
  if (!server.listening) await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    name,
    port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function httpServer(kind: 'laneway' | 'variable'): Promise<Soaked> {
  const handler = (req: IncomingMessage, res: ServerResponse) => {
    if (kind === 'variable') variable = sentOf(req)
    const seen = kind === 'variable' ? () => variable : laneNow
    serve(idOf(req), sentOf(req), req, res, seen).then(
      text => res.end(text),
      error => res.writeHead(500).end((error as Error).message),
    )
  }
  return started(kind, createServer(kind === 'variable' ? handler : laneHandler(handler)))
}

export function expressServer(): Promise<Soaked> {
  const app = express()
  app.use(expressLane())
  app.use(async (req, res) => {
    res.end(await serve(idOf(req), sentOf(req), req, res, laneNow))
  })
  app.use(((error, req, res, _next) => {
    look('error handler', sentOf(req), laneNow())
    res.status(500).end((error as Error).message)
  }) as express.ErrorRequestHandler)
  return started('Express', createServer(app))
}

export async function fastifyServer(): Promise<Soaked> {
  const app = fastify({ forceCloseConnections: true })
  await app.register(fastifyLane)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _body, done) => done(null))
  app.setErrorHandler((error, request, reply) => {
    look('error handler', sentOf(request.raw), laneNow())
    void reply.code(500).send((error as Error).message)
  })
  app.addHook('onResponse', async request => look('onResponse', sentOf(request.raw), laneNow()))
  app.all('/', (request, reply) => serve(idOf(request.raw), sentOf(request.raw), request.raw, reply.raw, laneNow))
  await app.ready()
  return started('Fastify', app.server)
}
