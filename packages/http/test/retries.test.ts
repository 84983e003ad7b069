import http from 'node:http'
import { runInLane } from '@laneway/core'
import { createLaneResolver, type LaneResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { farServer, send } from './far-server.js'

function agentFor(t: Test, resolver: object, options: object = {}, agentOptions: object = {}): LaneAgent {
  const agent = new LaneAgent({ resolver: resolver as LaneResolver, warn: () => {}, ...options }, agentOptions)
  t.teardown(() => {
    agent.destroy()
    return (resolver as Partial<LaneResolver>).close?.()
  })
  return agent
}

/** A connection that neither comes nor fails. */
const never = () => {}

t.test('an endpoint that does not answer the connection is left after connectTimeoutMs', async t => {
  const base = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ host: 'slow.example', port: 9, tag: 'gray' }, { port: base.port }] })
  const agent = agentFor(t, resolver, { connectTimeoutMs: 50 }, { lookup: never })
  const answer = await runInLane('gray', send, 'http://sc-b/', { agent })
  t.equal(answer.status, 200)
  t.match(resolver.ends, [{ address: 'slow.example:9', end: 'connect-error' }, { end: 'ok' }])
})

t.test('a program that computes for longer than connectTimeoutMs keeps the connection that came meanwhile', async t => {
  const [base, gray] = [await farServer(t), await farServer(t)]
  const resolver = fakeResolver({ 'sc-b': [{ port: gray.port, tag: 'gray' }, { port: base.port }] })
  const agent = agentFor(t, resolver, { connectTimeoutMs: 50 }, { keepAlive: false })
  for (const when of ['before', 'in', 'after']) {
    const answer = runInLane('gray', send, 'http://sc-b/', { agent })
    const compute = () => {
      const end = performance.now() + 150
      while (performance.now() < end);
    }
    if (when === 'before') compute()
    if (when === 'in') process.nextTick(compute)
    if (when === 'after') setImmediate(compute)
    t.equal((await answer).status, 200)
    t.equal(base.seen.length, 0, when)
  }
  t.equal(gray.seen.length, 3)
})

t.test('started and finished come in pairs: answered, answered with an error, given up', async t => {
  const far = await farServer(t, (seen, _request, response) => {
    if (seen.url === '/hang') return
    response.statusCode = 500
    response.end('x')
  })
  const resolver = fakeResolver({ 'sc-b': [{ port: far.port }] })
  const agent = agentFor(t, resolver)
  await send('http://sc-b/', { agent })
  t.match(resolver.ends.at(-1), { end: 'ok' })
  await new Promise<void>(resolve => {
    const request = http.get('http://sc-b/hang', { agent })
    request.on('error', () => {}).on('close', resolve)
    request.on('socket', () => request.destroy())
  })
  t.match(resolver.ends.at(-1), { end: 'aborted' })
  t.equal(resolver.ends.length, resolver.starts.length)
})

t.test('the wait is bounded: LANEWAY_NOT_READY is the error of the request', async t => {
  const resolver = createLaneResolver({
    sources: [{ name: 'silent', subscribe: () => () => {}, close: async () => {} }],
    services: ['sc-b'],
    readyTimeoutMs: 20,
  })
  const error = await send('http://sc-b/', { agent: agentFor(t, resolver) }).catch(error => error)
  t.match(error, { code: 'LANEWAY_NOT_READY' })
})

t.test('a request that is given up while it waits ends at once, for a snapshot or a connection', async t => {
  const resolver = fakeResolver({ 'sc-b': undefined, 'sc-c': [{ host: 'slow.example', port: 9 }] })
  const agent = agentFor(t, resolver, {}, { lookup: never })
  for (const url of ['http://sc-b/', 'http://sc-c/']) {
    const control = new AbortController()
    const error = send(url, { agent, signal: control.signal }).catch(error => error)
    await new Promise(setImmediate)
    control.abort()
    t.match(await error, { name: 'AbortError' }, url)
  }
  const request = http.get('http://sc-b/', { agent })
  const error = new Promise(resolve => request.on('error', resolve))
  request.destroy(new Error('mine'))
  t.match(await error, { message: 'mine' }, 'before the pick')
  resolver.refuse(new Error('nobody listens any more'))
  t.equal(resolver.ends.filter(one => one.end === 'aborted').length, resolver.starts.length)
})

t.test('the timeout of a request counts while it connects', async t => {
  const resolver = fakeResolver({ 'sc-b': [{ host: 'slow.example', port: 9 }] })
  const agent = agentFor(t, resolver, { connectTimeoutMs: 60_000 }, { lookup: never })
  const request = http.get('http://sc-b/', { agent, timeout: 30 })
  const error = new Promise(resolve => request.on('error', resolve))
  request.on('timeout', () => request.destroy(new Error('timed out')))
  t.match(await error, { message: 'timed out' })
})
