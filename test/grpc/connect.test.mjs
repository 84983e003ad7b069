// laneTransport with real servers and clients of connect over HTTP/2.
import assert from 'node:assert/strict'
import http from 'node:http'
import http2 from 'node:http2'
import { createRequire } from 'node:module'
import test from 'node:test'
import { currentLane, expectPath, readPath, runInLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { laneTransport } from '@laneway/grpc/connect'
import { laneHandler, laneServer } from '@laneway/http'
import { cert, key } from '@laneway/testkit/certificate'
import { recorded } from '../../packages/grpc/test/recorder.ts'
import { freePorts } from './run-cell.mjs'

const require = createRequire(import.meta.url)
const { Code, createClient } = require('@connectrpc/connect')
const { connectNodeAdapter, createGrpcTransport } = require('@connectrpc/connect-node')
const { Echo } = require('./stacks/connect.cjs')

const gray = fn => runInLane('gray', fn)
const now = () => currentLane()?.header ?? '-'

async function* of(...texts) {
  for (const value of texts) yield { value }
}

async function all(parts) {
  const seen = []
  for await (const { value } of parts) seen.push(value)
  return seen
}

/** Answers with the lane, the name of the server and the tag that came. */
function echo(name) {
  const say = context => `${now()}@${name} ${context.requestHeader.get('x-mse-tag')}`
  return {
    unary: async (_request, context) => ({ value: say(context) }),
    collect: async (requests, context) => ({ value: `${(await all(requests)).join()} ${say(context)}` }),
    async *list(_request, context) {
      for (let part = 0; part < 3; part++) yield { value: say(context) }
    },
    async *chat(requests, context) {
      for await (const { value } of requests) yield { value: `${value} ${say(context)}` }
    },
  }
}

async function serve(t, handlers, tls, options = {}) {
  const listener = connectNodeAdapter({ routes: router => router.service(Echo, handlers) })
  const plain = tls === undefined ? http2.createServer(listener) : http2.createSecureServer(tls, listener)
  const server = laneServer(plain, options)
  const sessions = new Set()
  const sockets = new Set()
  server.on('connection', socket => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  server.on('session', session => {
    sessions.add(session)
    session.on('error', () => {})
    session.on('close', () => sessions.delete(session))
  })
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  const kill = () => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  const drain = () => {
    server.close()
    for (const session of sessions) session.close()
  }
  t.after(kill)
  return { port: server.address().port, kill, drain }
}

async function clientOf(t, service, endpoints, { node = {}, secure = false, transport = {}, ...options } = {}) {
  const all = endpoints.map(one => ({ host: '127.0.0.1', ...one }))
  const resolver = createLaneResolver({
    sources: [createStaticSource({ [service]: all })],
    services: [service],
    ...options,
  })
  t.after(() => resolver.close())
  await resolver.ready(service)
  const recording = recorded(resolver)
  const make = to => createGrpcTransport({ ...to, ...transport, nodeOptions: { ...to.nodeOptions, ...node } })
  const baseUrl = `${secure ? 'https' : 'http'}://${service}:${endpoints[0].port}`
  const client = createClient(Echo, laneTransport(baseUrl, make, { resolver: recording.resolver }))
  return { client, resolver, ...recording }
}

const fails = async call =>
  call.then(
    value => assert.fail(`answered ${JSON.stringify(value)}`),
    error => error,
  )

test('an endpoint that cannot be connected is answered for by base, and every message arrives there', async t => {
  const base = await serve(t, echo('base'))
  const [dead] = await freePorts(1)
  const { client, ends, inFlight } = await clientOf(t, 'sc-b', [{ port: base.port }, { port: dead, tags: ['gray'] }])
  const five = ['1', '2', '3', '4', '5']
  await gray(async () => {
    assert.equal((await client.unary({ value: 'x' })).value, 'gray@base gray')
    assert.equal((await client.collect(of(...five))).value, `${five.join()} gray@base gray`)
    assert.deepEqual(await all(client.list({ value: 'x' })), Array(3).fill('gray@base gray'))
    assert.deepEqual(
      await all(client.chat(of(...five))),
      five.map(one => `${one} gray@base gray`),
    )
  })
  assert.equal(ends.filter(end => end === 'gray connect-error').length, 4)
  assert.equal(ends.filter(end => end === 'base ok').length, 4)
  assert.equal(inFlight(), 0)
})

test('resolve: false: calls carry the tag, and go where the URL leads', async t => {
  const [base, other] = [await serve(t, echo('base')), await serve(t, echo('gray'))]
  const at = [base, other].map(({ port }, index) => ({ host: '127.0.0.1', port, tags: index === 0 ? [] : ['gray'] }))
  const resolver = createLaneResolver({ sources: [createStaticSource({ localhost: at })], services: ['localhost'] })
  t.after(() => resolver.close())
  await resolver.ready('localhost')
  const url = `http://localhost:${base.port}`
  const to = options =>
    createClient(
      Echo,
      laneTransport(url, target => createGrpcTransport(target), options),
    )
  assert.equal(
    (await gray(() => to({ resolver }).unary({ value: 'x' }))).value,
    'gray@gray gray',
    'Laneway would choose',
  )
  const tagOnly = to({ resolver, resolve: false })
  assert.equal((await gray(() => tagOnly.unary({ value: 'x' }))).value, 'gray@base gray')
  assert.deepEqual(await gray(() => all(tagOnly.list({ value: 'x' }))), Array(3).fill('gray@base gray'))
  assert.equal((await tagOnly.unary({ value: 'x' })).value, '-@base null')
})

test('a traced request has the calls of a transport in its path, a dead endpoint too', async t => {
  const base = await serve(t, echo('base'), undefined, { trace: { name: 'b' } })
  const [dead] = await freePorts(1)
  const { client } = await clientOf(t, 'sc-b', [{ port: base.port }, { port: dead, tags: ['gray'] }])
  const handler = laneHandler(
    async (_request, response) => {
      const heads = []
      const onHeader = headers => heads.push(...headers.keys())
      await client.unary({ value: 'x' }, { onHeader, onTrailer: onHeader })
      await all(client.list({ value: 'x' }, { onHeader, onTrailer: onHeader }))
      response.end(heads.filter(name => name.startsWith('x-laneway')).join())
    },
    { trace: { name: 'a' } },
  )
  const server = http.createServer(handler)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const ask = headers => fetch(`http://127.0.0.1:${server.address().port}`, { headers })
  const traced = await ask({ 'x-laneway-trace': '1', 'x-mse-tag': 'gray' })
  expectPath(traced, 'a[base] -> (sc-b[gray]!connect-error, b[base], sc-b[gray]!connect-error, b[base])')
  const { calls } = readPath(traced)
  assert.deepEqual(
    calls.map(({ attempt, status, lane }) => `${attempt} ${status} ${lane}`),
    ['1 connect-error gray', '2 grpc 0 gray', '1 connect-error gray', '2 grpc 0 gray'],
  )
  assert.equal(await traced.text(), '', 'the caller sees the answers as they are without the trace')
  assert.equal(readPath(await ask({ 'x-mse-tag': 'gray' })), undefined)
})

test('a caller of a transport sees no path, also of calls that a path has no room for', async t => {
  const base = await serve(t, echo('base'), undefined, { trace: { name: 'b' } })
  const { client } = await clientOf(t, 'sc-b', [{ port: base.port }])
  const seen = []
  const onHeader = headers => seen.push(...[...headers.keys()].filter(name => name.startsWith('x-laneway')))
  const one = () => client.unary({ value: 'x' }, { onHeader, onTrailer: onHeader })
  const handler = laneHandler(
    async (_request, response) => {
      await Promise.all(Array.from({ length: 260 }, one))
      response.end(seen.join())
    },
    { trace: { name: 'a' } },
  )
  const server = http.createServer(handler)
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  const answer = await fetch(`http://127.0.0.1:${server.address().port}`, { headers: { 'x-laneway-trace': '1' } })
  assert.equal(await answer.text(), '')
})

test('the messages of a call that fails for good are closed', async t => {
  const [dead] = await freePorts(1)
  const { client, inFlight } = await clientOf(t, 'sc-b', [{ port: dead }])
  let closed
  const over = new Promise(resolve => {
    closed = resolve
  })
  const endless = {
    [Symbol.asyncIterator]: () => ({
      next: async () => ({ done: false, value: { value: 'x' } }),
      return: async value => {
        closed()
        return { done: true, value }
      },
    }),
  }
  assert.equal((await fails(client.collect(endless))).code, Code.Unavailable)
  await over
  assert.equal(inFlight(), 0)
})

test('an endpoint that ends within a call gives an error to the caller, and nobody else sees the call', async t => {
  let seen = 0
  const base = await serve(t, { ...echo('base'), unary: async () => seen++, list: async function* () {} })
  const arrivals = []
  const arrival = () => new Promise(resolve => arrivals.push(resolve))
  const hanging = await serve(t, {
    ...echo('gray'),
    unary: () => {
      arrivals.shift()()
      return new Promise(() => {})
    },
    async *list() {
      yield { value: 'first' }
      arrivals.shift()()
      await new Promise(() => {})
    },
  })
  const endpoints = [{ port: base.port }, { port: hanging.port, tags: ['gray'] }]
  const { client, ends, inFlight } = await clientOf(t, 'sc-b', endpoints)
  const both = [arrival(), arrival()]
  const unary = fails(gray(() => client.unary({ value: 'x' })))
  const parts = []
  const list = fails(
    gray(async () => {
      for await (const { value } of client.list({ value: 'x' })) parts.push(value)
    }),
  )
  await Promise.all(both)
  while (parts.length === 0) await new Promise(resolve => setTimeout(resolve, 5))
  hanging.kill()
  for (const error of [await unary, await list]) {
    assert.ok([Code.Unavailable, Code.Aborted, Code.Internal, Code.Canceled].includes(error.code), String(error))
  }
  assert.deepEqual(parts, ['first'])
  assert.equal(seen, 0)
  assert.deepEqual(ends.sort(), ['gray ok', 'gray reset'])
  assert.equal(inFlight(), 0)
})

test('an endpoint that is drained under load fails no call', async t => {
  const base = await serve(t, echo('base'))
  const drained = await serve(t, echo('gray'))
  const endpoints = [{ port: base.port }, { port: drained.port, tags: ['gray'] }]
  const { client, inFlight } = await clientOf(t, 'sc-b', endpoints)
  const answers = new Map()
  let calls = 0
  await Promise.all(
    Array.from({ length: 32 }, async () => {
      while (calls < 1500) {
        if (calls++ === 500) drained.drain()
        const answer = await gray(() => client.unary({ value: 'x' })).then(
          ({ value }) => value,
          error => `failed: ${error.message}`,
        )
        answers.set(answer, (answers.get(answer) ?? 0) + 1)
      }
    }),
  )
  assert.deepEqual([...answers.keys()].sort(), ['gray@base gray', 'gray@gray gray'], String([...answers]))
  assert.equal(inFlight(), 0)
})

test('TLS asks for the logical name, and an endpoint that has none of it is answered for by base', async t => {
  const base = await serve(t, echo('base'), { key, cert })
  const secure = await serve(t, echo('gray'), { key, cert })
  const plain = await serve(t, echo('plain'))
  const node = { ca: cert }
  const endpoints = [{ port: base.port }, { port: secure.port, tags: ['gray'] }, { port: plain.port, tags: ['blue'] }]
  const { client, ends } = await clientOf(t, 'sc-b', endpoints, { node, secure: true })
  assert.equal((await gray(() => client.unary({ value: 'x' }))).value, 'gray@gray gray')
  assert.equal((await client.unary({ value: 'x' })).value, '-@base null')
  assert.equal((await runInLane('blue', () => client.unary({ value: 'x' }))).value, 'blue@base blue')
  assert.ok(ends.includes('blue connect-error'), String(ends))
  const named = await clientOf(t, 'sc-c', endpoints, { node, secure: true })
  const error = await fails(named.client.unary({ value: 'x' }))
  assert.match(String(error), /sc-c/, 'the certificate is for sc-b')
  assert.deepEqual(named.ends, ['base connect-error'])
})

test('mutual TLS works, and a client without a certificate gets no further', async t => {
  const base = await serve(t, echo('base'), { key, cert, ca: cert, requestCert: true, rejectUnauthorized: true })
  const endpoints = [{ port: base.port }]
  const known = await clientOf(t, 'sc-b', endpoints, { node: { ca: cert, key, cert }, secure: true })
  assert.equal((await gray(() => known.client.unary({ value: 'x' }))).value, 'gray@base gray')
  const unknown = await clientOf(t, 'sc-b', endpoints, { node: { ca: cert }, secure: true })
  await fails(unknown.client.unary({ value: 'x' }, { timeoutMs: 3000 }))
  assert.equal(unknown.inFlight(), 0)
})

test('a caller that gives up, and one whose time is over, tell the resolver so', async t => {
  const hanging = await serve(t, {
    ...echo('base'),
    unary: () => new Promise(() => {}),
    async *list() {
      yield { value: 'first' }
      await new Promise(() => {})
    },
  })
  const { client, ends, inFlight } = await clientOf(t, 'sc-b', [{ port: hanging.port }])
  await client.collect(of('1'))
  assert.equal((await fails(client.unary({ value: 'x' }, { timeoutMs: 50 }))).code, Code.DeadlineExceeded)
  const caller = new AbortController()
  const call = fails(client.unary({ value: 'x' }, { signal: caller.signal }))
  setTimeout(() => caller.abort(), 20)
  assert.equal((await call).code, Code.Canceled)
  // Never read further, and given up.
  const reader = new AbortController()
  const parts = client.list({ value: 'x' }, { signal: reader.signal })[Symbol.asyncIterator]()
  assert.deepEqual((await parts.next()).value.value, 'first')
  reader.abort()
  await parts.next().catch(() => {})
  assert.deepEqual(ends, ['base ok', 'base timeout', 'base aborted', 'base ok'])
  assert.equal(inFlight(), 0)
})

test('a deadline and a cancellation end a call that waits for the registry', async () => {
  const resolver = {
    match: () => 'sc-b',
    pick: () => ({ service: 'sc-b', endpoint: undefined, outcome: 'not-ready', served: undefined }),
    lookup: () => new Promise(() => {}),
    refusal: () => Object.assign(new Error('not ready'), { code: 'LANEWAY_NOT_READY' }),
    onEndpointGone: () => () => {},
    started() {},
    finished() {},
  }
  const client = createClient(
    Echo,
    laneTransport('http://sc-b:50051', to => createGrpcTransport(to), { resolver }),
  )
  const late = await fails(client.unary({ value: 'x' }, { timeoutMs: 50 }))
  assert.equal((late.cause ?? late).code, 'LANEWAY_NOT_READY')
  const caller = new AbortController()
  const call = fails(client.unary({ value: 'x' }, { signal: caller.signal }))
  setTimeout(() => caller.abort(new Error('enough')), 20)
  assert.match(String(await call), /enough/)
})

test('a call without an endpoint rejects with the code of Laneway', async t => {
  const base = await serve(t, echo('base'))
  const { client } = await clientOf(t, 'sc-b', [{ port: base.port }], { whenLaneMissing: 'fail' })
  const error = await fails(gray(() => client.unary({ value: 'x' })))
  assert.equal((error.cause ?? error).code, 'LANEWAY_LANE_REQUIRED')
})

test('a tag in the headers is the lane of that call; a third party gets none', async t => {
  const base = await serve(t, echo('base'))
  const other = await serve(t, echo('gray'))
  const { client } = await clientOf(t, 'sc-b', [{ port: base.port }, { port: other.port, tags: ['gray'] }])
  const headers = { 'x-mse-tag': 'gray' }
  assert.equal((await client.unary({ value: 'x' }, { headers })).value, 'gray@gray gray')
  assert.equal((await runInLane('blue', () => client.unary({ value: 'x' }, { headers }))).value, 'gray@gray gray')
  const lookup = (_name, options, callback) =>
    options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)
  const make = to => createGrpcTransport({ ...to, nodeOptions: { ...to.nodeOptions, lookup } })
  const warnings = []
  const outside = createClient(
    Echo,
    laneTransport(`http://api.example.com:${base.port}`, make, { warn: text => warnings.push(text) }),
  )
  assert.equal((await gray(() => outside.unary({ value: 'x' }))).value, '-@base null')
  assert.equal((await gray(() => outside.unary({ value: 'x' }, { headers }))).value, '-@base null')
  assert.match(warnings.join(), /api\.example\.com/)
})

test('a name that leads to a metadata service is no endpoint', async t => {
  const { default: dns } = await import('node:dns')
  const { lookup } = dns
  dns.lookup = (name, options, callback) =>
    name === 'evil.example'
      ? process.nextTick(callback, null, [{ address: '169.254.169.254', family: 4 }])
      : lookup(name, options, callback)
  t.after(() => {
    dns.lookup = lookup
  })
  const base = await serve(t, echo('base'))
  const endpoints = [{ port: base.port }, { host: 'evil.example', port: base.port, tags: ['gray'] }]
  const { client, ends } = await clientOf(t, 'sc-b', endpoints)
  assert.equal((await gray(() => client.unary({ value: 'x' }))).value, 'gray@base gray')
  assert.deepEqual(ends, ['gray connect-error', 'base ok'])
})
