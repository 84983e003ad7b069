import { createServer, type Socket } from 'node:net'
import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type EndpointInput, type LaneResolver } from '@laneway/discovery'
import type { Test } from 'tap'
import { listen } from '../../listen.js'
import { fakeResolver } from '../fake-resolver.js'
import { closedPort, seenServer } from '../seen-server.js'
import { echoed, failure, type Sentences, scene } from '../sentences.js'

const local = (port: number, ...tags: string[]) => ({ host: '127.0.0.1', port, tags })

/** The real resolver over the endpoints of `sc-b`. */
async function resolverOf(t: Test, endpoints: readonly EndpointInput[], options: object = {}): Promise<LaneResolver> {
  const sources = [createStaticSource({ 'sc-b': endpoints })]
  const resolver = createLaneResolver({ sources, services: ['sc-b'], ...options })
  t.teardown(() => resolver.close())
  await resolver.ready('sc-b')
  return resolver
}

/** What becomes of a request whose endpoint fails. Each sentence about gray has exactly one gray endpoint. */
export const retrySentences: Sentences = {
  async 'a connect error before any byte was sent is retried: any method, body intact, and the tag stays'(t, adapter) {
    const base = await seenServer(t, 'base')
    const refused = await closedPort()
    for (const method of ['GET', 'POST', 'PATCH', 'DELETE'] as const) {
      const resolver = await resolverOf(t, [local(refused, 'gray'), local(base.port)])
      const client = adapter.client(t, { resolver })
      const frames = method !== 'GET' && !(method === 'DELETE' && adapter.cannotSend?.includes('a body with DELETE'))
      const request = frames ? { method, body: 'b'.repeat(100_000) } : { method }
      const seen = echoed(await runInLane('gray', client, 'http://sc-b/x', request))
      t.match(seen, { instance: 'base', method, tags: ['gray'], host: 'sc-b', body: request.body ?? '' }, method)
    }
  },

  async 'at most twice: the third failure is the error of the request'(t, adapter) {
    const ports = await Promise.all([1, 2, 3, 4].map(closedPort))
    const resolver = fakeResolver({ 'sc-b': ports.map(port => ({ port })) })
    const error = await failure(adapter, adapter.client(t, { resolver })('http://sc-b/'))
    t.match(error, { code: 'ECONNREFUSED', syscall: 'connect' })
    t.equal(new Set(resolver.starts).size, 3, 'three endpoints, each once')
    t.strictSame(
      resolver.ends,
      resolver.starts.map(address => ({ address, end: 'connect-error' })),
      'started and finished in pairs',
    )
    t.strictSame(
      resolver.picks.map(one => one.tried.length),
      [0, 1, 2],
      'tried holds the failures of this request',
    )
  },

  async 'an endpoint that just failed is not tried again by the same request'(t, adapter) {
    const resolver = fakeResolver({ 'sc-b': [{ port: await closedPort() }] })
    const error = await failure(adapter, adapter.client(t, { resolver })('http://sc-b/'))
    t.match(error, { code: 'ECONNREFUSED' })
    t.equal(resolver.starts.length, 1)
  },

  async 'a connect failure never goes from base into a lane'(t, adapter) {
    const gray = await seenServer(t, 'gray')
    const resolver = await resolverOf(t, [local(await closedPort()), local(gray.port, 'gray')])
    const error = await failure(adapter, adapter.client(t, { resolver })('http://sc-b/'))
    t.match(error, { code: 'ECONNREFUSED' })
    t.equal(gray.seen.length, 0)
  },

  async 'a connect failure leaves the lane by policy only'(t, adapter) {
    const base = await seenServer(t, 'base')
    const endpoints = [local(await closedPort(), 'gray'), local(base.port)]
    const resolver = await resolverOf(t, endpoints, { whenLaneUnavailable: 'fail' })
    const error = await failure(adapter, runInLane('gray', adapter.client(t, { resolver }), 'http://sc-b/'))
    t.match(error, { code: 'LANEWAY_LANE_REQUIRED', cause: { code: 'ECONNREFUSED' } })
    t.equal(base.seen.length, 0)
  },

  async 'after an HTTP status the next call stays in the lane and may use the same endpoint'(t, adapter) {
    const base = await seenServer(t, 'base')
    const gray = await seenServer(t, 'gray', (_seen, response) => {
      response.writeHead(gray.seen.length === 1 ? 503 : 200).end()
    })
    const resolver = await resolverOf(t, [local(gray.port, 'gray'), local(base.port)])
    const client = adapter.client(t, { resolver })
    t.equal((await runInLane('gray', client, 'http://sc-b/')).status, 503)
    t.equal((await runInLane('gray', client, 'http://sc-b/')).status, 200)
    t.equal(base.seen.length, 0)
  },

  async 'a reset before the head of the response is reported and not retried: bytes were sent'(t, adapter) {
    const base = await seenServer(t, 'base')
    const cut = await listen(
      t,
      createServer(socket => socket.once('data', () => socket.destroy())),
    )
    const resolver = fakeResolver({ 'sc-b': [{ port: cut, tag: 'gray' }, { port: base.port }] })
    await t.rejects(runInLane('gray', adapter.client(t, { resolver }), 'http://sc-b/'))
    t.match(resolver.ends, [{ end: 'reset' }], 'before the caller hears of it')
    t.equal(base.seen.length, 0)
  },

  async 'how the use of an endpoint ended is reported once'(t, adapter) {
    let asked = () => {}
    const answers: Record<string, (socket: Socket) => void> = {
      '/ok': socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi'),
      '/error': socket => socket.end('HTTP/1.1 500 No\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'),
      '/never': () => asked(),
    }
    const server = createServer(socket => {
      socket.on('error', () => {})
      socket.once('data', data => answers[data.toString().split(' ')[1]!]?.(socket))
    })
    const resolver = fakeResolver({ 'sc-b': [{ port: await listen(t, server) }] })
    const client = adapter.client(t, { resolver })
    t.equal((await client('http://sc-b/ok')).status, 200)
    t.equal((await client('http://sc-b/error')).status, 500)
    const controller = new AbortController()
    asked = () => controller.abort()
    await t.rejects(client('http://sc-b/never', { signal: controller.signal }))
    // got rejects before it has ended the request.
    while (resolver.inFlight > 0) await new Promise(setImmediate)
    t.strictSame(
      resolver.ends.map(one => one.end),
      ['ok', 'ok', 'aborted'],
      'a status is an answer',
    )
  },

  async 'a service with lane endpoints only has no answer for base'(t, adapter) {
    const gray = await seenServer(t, 'gray')
    const resolver = await resolverOf(t, [local(gray.port, 'gray')])
    const error = await failure(adapter, adapter.client(t, { resolver })('http://sc-b/'))
    t.match(error, { code: 'LANEWAY_NO_BASE' })
    t.equal(gray.seen.length, 0)
  },

  async 'a lane that is required and missing is an error with its code'(t, adapter) {
    const { base, resolver, client } = await scene(t, adapter)
    resolver.whenLaneMissing = 'fail'
    for (const request of [{}, { method: 'POST', body: 'x' }] as const) {
      const error = await failure(adapter, runInLane('blue', client, 'http://sc-b/', request))
      t.match(error, { code: 'LANEWAY_LANE_REQUIRED' })
    }
    t.equal(base.seen.length, 0)
    t.equal(resolver.inFlight, 0)
  },
}
