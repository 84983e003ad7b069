// The front service on each framework. `handle(req, body)` gets the raw request and returns the text to answer.
import http from 'node:http'
import http2 from 'node:http2'
import { createRequire } from 'node:module'
import { listen } from './backend.mjs'
import { onGrpcServer } from './grpc.mjs'

const require = createRequire(import.meta.url)

/** `wiring` gives the adapters: Laneway's, or those of the control. Each returns `{ port, http2, grpc, close }`. The dearest
 * comes first, so that the last processes of a run are short ones. */
export const INGRESSES = {
  'Fastify http2': (wiring, handle) => onFastify('fastify', { http2: true }, wiring, handle),
  'node:http2': (wiring, handle) => onServer(http2.createServer(wiring.handler(plain(handle))), true),
  'Express 4': (wiring, handle) => onExpress('express4', wiring, handle),
  'Express 5': (wiring, handle) => onExpress('express', wiring, handle),
  'Fastify 4': (wiring, handle) => onFastify('fastify4', {}, wiring, handle),
  'Fastify 5': (wiring, handle) => onFastify('fastify', {}, wiring, handle),
  'grpc-js': onGrpcServer,
  'node:http': (wiring, handle) => onServer(http.createServer(wiring.handler(plain(handle))), false),
}

const plain = handle => (req, res) => {
  handle(req).then(
    text => res.end(text),
    error => {
      res.statusCode = 500
      res.end(String(error?.stack ?? error))
    },
  )
}

async function onServer(server, isHttp2) {
  server.keepAliveTimeout = 60_000
  const sessions = new Set()
  server.on('session', session => {
    sessions.add(session)
    session.on('close', () => sessions.delete(session))
  })
  const port = await listen(server)
  return {
    port,
    http2: isHttp2,
    close() {
      server.close()
      server.closeAllConnections?.()
      for (const session of sessions) session.destroy()
    },
  }
}

function onExpress(name, wiring, handle) {
  const express = require(name)
  const app = express()
  app.use(wiring.express())
  app.all('/run', plain(handle))
  return onServer(http.createServer(app), false)
}

async function onFastify(name, options, wiring, handle) {
  const { default: fastify } = await import(name)
  const app = fastify(options)
  await app.register(wiring.fastify)
  // The body is read by the handler's own listeners.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, _payload, done) => done(null))
  app.all('/run', async request => handle(request.raw))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return { port: app.server.address().port, http2: options.http2 === true, close: () => app.close() }
}
