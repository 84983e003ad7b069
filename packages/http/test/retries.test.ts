import http from 'node:http'
import { createServer } from 'node:net'
import { runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type EndpointInput, type LaneResolver } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import { listen } from '@laneway/testkit'
import t, { type Test } from 'tap'
import { type FakeResolver, fakeResolver } from './fake-resolver.js'
import { closedPort, farServer, lookup, send } from './far-server.js'

/** One gray endpoint, always. */
async function lanes(t: Test, endpoints: readonly EndpointInput[], options: object = {}): Promise<LaneAgent> {
  const resolver: LaneResolver = createLaneResolver({
    sources: [createStaticSource({ 'sc-b': endpoints })],
    services: ['sc-b'],
    ...options,
  })
  await resolver.ready('sc-b')
  return agentFor(t, resolver)
}

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

const local = (port: number, ...tags: string[]) => ({ host: '127.0.0.1', port, tags })

for (const method of ['GET', 'POST', 'PATCH', 'DELETE']) {
  t.test(`a connect error before any byte was sent is retried by Laneway itself: ${method}`, async t => {
    const base = await farServer(t)
    const agent = await lanes(t, [local(await closedPort(t), 'gray'), local(base.port)])
    // Node frames no body of a DELETE by itself.
    const body = method.startsWith('P') ? 'b'.repeat(100_000) : undefined
    const answer = await runInLane('gray', send, 'http://sc-b/x', { agent, method }, body)
    t.equal(answer.status, 200)
    t.strictSame(
      base.seen.map(one => ({ method: one.method, tags: one.tags, host: one.host, bytes: one.body.length })),
      [{ method, tags: ['gray'], host: 'sc-b', bytes: body?.length ?? 0 }],
      'only a connect-level failure leaves the lane, and the tag stays',
    )
  })
}

t.test('at most twice: the third failure is the error of the request', async t => {
  const ports = [await closedPort(t), await closedPort(t), await closedPort(t), await closedPort(t)]
  const resolver = fakeResolver({ 'sc-b': ports.map(port => ({ port })) })
  const error = await send('http://sc-b/', { agent: agentFor(t, resolver) }).catch(error => error)
  t.match(error, { code: 'ECONNREFUSED', syscall: 'connect' })
  t.equal(resolver.starts.length, 3)
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
})

t.test('an endpoint that just failed is not tried again by the same request', async t => {
  const resolver = fakeResolver({ 'sc-b': [{ port: await closedPort(t) }] })
  const error = await send('http://sc-b/', { agent: agentFor(t, resolver) }).catch(error => error)
  t.match(error, { code: 'ECONNREFUSED' })
  t.equal(resolver.starts.length, 1)
})

t.test('a connect failure never goes from base into a lane', async t => {
  const gray = await farServer(t)
  const agent = await lanes(t, [local(await closedPort(t)), local(gray.port, 'gray')])
  const error = await send('http://sc-b/', { agent }).catch(error => error)
  t.match(error, { code: 'ECONNREFUSED' })
  t.equal(gray.seen.length, 0)
})

t.test('a connect failure leaves the lane by policy only', async t => {
  const base = await farServer(t)
  const agent = await lanes(t, [local(await closedPort(t), 'gray'), local(base.port)], { whenLaneUnavailable: 'fail' })
  const error = await runInLane('gray', send, 'http://sc-b/', { agent }).catch(error => error)
  t.match(error, { code: 'LANEWAY_LANE_REQUIRED', cause: { code: 'ECONNREFUSED' } })
  t.equal(base.seen.length, 0)
})

t.test('after an HTTP status a retry stays in the lane and may use the same endpoint', async t => {
  const base = await farServer(t)
  const gray = await farServer(t, (seen, _request, response) => {
    response.statusCode = gray.seen.indexOf(seen) === 0 ? 503 : 200
    response.end()
  })
  const agent = await lanes(t, [local(gray.port, 'gray'), local(base.port)])
  const attempt = () => runInLane('gray', send, 'http://sc-b/', { agent })
  t.equal((await attempt()).status, 503)
  t.equal((await attempt()).status, 200)
  t.equal(base.seen.length, 0)
})

t.test('a reset before the head of the response is reported as reset and not retried: bytes were sent', async t => {
  const cut = createServer(socket => socket.once('data', () => socket.destroy()))
  const base = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: await listen(t, cut), tag: 'gray' }, { port: base.port }] })
  const error = await runInLane('gray', send, 'http://sc-b/', { agent: agentFor(t, resolver) }).catch(error => error)
  t.match(error, { code: 'ECONNRESET' })
  t.match(resolver.ends, [{ end: 'reset' }], 'before the caller hears of it')
  t.equal(base.seen.length, 0)
})

t.test('a redirect hop starts afresh', async t => {
  const gray = await farServer(t)
  const dead = await closedPort(t)
  const base = await farServer(t, (_seen, _request, response) => response.writeHead(302, { location: '/next' }).end())
  const resolver = fakeResolver({ 'sc-b': [{ port: dead, tag: 'gray' }, { port: base.port }] })
  const agent = agentFor(t, resolver)
  const first = await runInLane('gray', send, 'http://sc-b/', { agent })
  t.equal(first.status, 302)
  resolver.services['sc-b'] = [{ port: gray.port, tag: 'gray' }, { port: base.port }]
  await runInLane('gray', send, `http://sc-b${first.response.headers.location}`, { agent })
  t.strictSame(resolver.picks.at(-1), { service: 'sc-b', lane: 'gray', tried: [] })
  t.strictSame(
    gray.seen.map(one => one.url),
    ['/next'],
  )
})

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

t.test('a declared service without a snapshot is waited for, without blocking others', async t => {
  const far = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': undefined, 'sc-c': [{ port: far.port }] })
  const agent = agentFor(t, resolver)
  const waiting = runInLane('gray', send, 'http://sc-b/late', { agent })
  t.equal((await send('http://sc-c/', { agent })).status, 200)
  resolver.arrive('sc-b', [{ port: far.port }])
  t.equal((await waiting).status, 200)
  t.strictSame(far.seen.at(-1)?.tags, ['gray'])
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

t.test('a service with lane endpoints only has no answer for base: LANEWAY_NO_BASE', async t => {
  const gray = await farServer(t)
  const agent = await lanes(t, [local(gray.port, 'gray')])
  t.match(await send('http://sc-b/', { agent }).catch(error => error), { code: 'LANEWAY_NO_BASE' })
  t.equal(gray.seen.length, 0)
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

t.test('a service that has become ready may turn out not to be what the host and port name', async t => {
  const outside = await farServer(t)
  for (const [how, arrives] of [
    ['another port than its own', (resolver: FakeResolver) => resolver.arrive('late', [{ port: 1 }])],
    ['no registry has it', (resolver: FakeResolver) => resolver.refuse(new Error('never came'))],
  ] as const) {
    for (const [host, tags] of [
      ['late', ['gray']],
      ['late.example', []],
    ] as const) {
      const resolver = fakeResolver({ late: undefined })
      let ready = false
      let waits = () => {}
      const waiting = new Promise<void>(resolve => (waits = resolve))
      // As the resolver has it: before the first snapshot the ports are unknown.
      resolver.match = () => (ready ? undefined : 'late')
      const { lookup: wait } = resolver
      resolver.lookup = service => {
        waits()
        return wait(service)
      }
      const options = { agent: agentFor(t, resolver, { keepHandSet: true }), method: 'POST', lookup: lookup as never }
      const answer = runInLane('gray', send, `http://${host}:${outside.port}/x`, options, 'whole')
      await waiting
      ready = true
      arrives(resolver)
      t.equal((await answer).status, 200)
      t.match(outside.seen.pop(), { tags, body: 'whole', host: `${host}:${outside.port}` }, `${how}: ${host}`)
      t.strictSame(resolver.starts, [])
    }
  }
})
