// Front services as their author wrote them, one after the other: frameworks and clients, no Laneway.
import { AsyncLocalStorage } from 'node:async_hooks'
import http from 'node:http'
import { startFront } from './front.mjs'
import { resolveThird } from './third.mjs'

const plain = {
  express: () => (_req, _res, next) => next(),
  fastify: Object.assign(async () => {}, { [Symbol.for('skip-override')]: true }),
  handler: handle => handle,
  undici: (_name, _undici, base, ...own) => (own.length === 0 ? base : base.compose(...own)),
  fetch: () => fetch,
  agent: options => new http.Agent(options),
  grpc: (connect, [base]) => {
    const client = connect(`grpc-svc:${base.port}`)
    return () => ({ client })
  },
  bind: fn => AsyncLocalStorage.bind(fn),
  ready: async () => {},
}

resolveThird()
let front
process.on('message', async message => {
  try {
    if (message === 'close') {
      const closing = front
      front = undefined
      await closing?.close()
      process.send({})
    } else {
      front = await startFront({ ...message, wiring: plain })
      process.send({ port: front.port, http2: front.http2, grpc: front.grpc })
    }
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) })
  }
})
