// The README's table of the gateway's own answers: each row is brought about, and each answer has its row.
import { LANEWAY_ERRORS } from '@laneway/core'
import { createLaneResolver } from '@laneway/discovery'
import { listen, rawRequest } from '@laneway/testkit'
import t, { type Test } from 'tap'
import { PROBLEMS, refusalOf } from '../src/exchange/problem.js'
import { createGateway } from '../src/index.js'
import { readmeTable } from './readme-table.js'
import { dial, refusedPort, start } from './world.js'

const host = '127.0.0.1'
const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
const routes = [{ service: 'sc-a' }]
const GRAY = { version: 1 as const, rules: [{ name: 'all', lane: 'gray' }] }

/** Sends a request to a gateway whose service is at this port. */
async function ask(t: Test, port: number, bytes = GET, options: object = {}, more: object = {}): Promise<string> {
  const services = { 'sc-a': [{ host, port, ...more }] }
  const running = await start(t, services, { routes, ...options })
  return rawRequest(running.port, bytes)
}

/** An upstream that does this with the first bytes. */
async function answering(t: Test, text: string | undefined): Promise<number> {
  const { createServer } = await import('node:net')
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.once('data', () => (text === undefined ? undefined : socket.end(text)))
  })
  return listen(t, server as never)
}

async function withSource(t: Test, source: object): Promise<string> {
  const resolver = createLaneResolver({ sources: [source as never], readyTimeoutMs: 50 })
  const gateway = await createGateway({ resolver, routes, listeners: [{ host }], drain: { timeoutMs: 0 } })
  t.teardown(() => gateway.close())
  await gateway.listen()
  return rawRequest(gateway.address().port, GET)
}

const silent = (t: Test) => answering(t, undefined)
const leadsTo = (address: string) => (_host: string, options: { all?: boolean }, done: (...all: unknown[]) => void) =>
  process.nextTick(() => (options.all === true ? done(null, [{ address, family: 4 }]) : done(null, address, 4)))

const CASES: Readonly<Record<string, (t: Test) => Promise<string>>> = {
  bad_request: async t => ask(t, await silent(t), 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n'),
  no_route: async t => ask(t, await silent(t), GET, { routes: [{ host: 'b.example', service: 'sc-a' }] }),
  method_not_allowed: async t => ask(t, await silent(t), 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'),
  client_timeout: async t =>
    ask(t, await silent(t), 'GET / HTTP/1.1\r\n', { client: { headersTimeoutMs: 200, stallTimeoutMs: 200 } }),
  head_too_large: async t => ask(t, await silent(t), GET.replace('Host', `X: ${'y'.repeat(20_000)}\r\nHost`)),
  no_backend: async t =>
    ask(t, await silent(t), GET, {
      routes: [
        {
          apiVersion: 'gateway.networking.k8s.io/v1',
          kind: 'HTTPRoute',
          metadata: { name: 'none' },
          spec: { rules: [{ backendRefs: [{ name: 'sc-a', port: 80, weight: 0 }] }] },
        },
      ],
    }),
  bad_answer: async t => ask(t, await answering(t, 'nonsense\r\n\r\n')),
  connect_failed: async t => ask(t, await refusedPort()),
  async forbidden_address(t) {
    const services = { 'sc-a': [{ host: 'evil.example', port: 80 }] }
    const tls = { lookup: leadsTo('169.254.169.254') } as object
    return rawRequest((await start(t, services, { routes, upstream: { tls } })).port, GET)
  },
  upstream_reset: async t => ask(t, await answering(t, '')),
  async busy(t) {
    const services = { 'sc-a': [{ host, port: await silent(t) }] }
    const options = { routes, upstream: { connections: 1, headersTimeoutMs: 2000 } }
    const { port, gateway } = await start(t, services, options)
    const held = dial(t, port)
    held.socket.write(GET)
    while (!/in_flight_requests 1\n/.test(gateway.metrics())) await new Promise(resolve => setTimeout(resolve, 5))
    gateway.update({ routes: [{ service: 'sc-a', timeoutMs: 100 }] })
    return rawRequest(port, GET)
  },
  async closing(t) {
    const services = { 'sc-a': [{ host, port: await silent(t) }] }
    const { port, gateway } = await start(t, services, { routes })
    const held = dial(t, port)
    held.socket.write(GET)
    while (!/in_flight_requests 1\n/.test(gateway.metrics())) await new Promise(resolve => setTimeout(resolve, 5))
    await gateway.close()
    return held.closed
  },
  not_ready: t => withSource(t, { name: 'mute', subscribe: () => () => {}, close: async () => {} }),
  async lane_required(t) {
    const services = { 'sc-a': [{ host, port: await silent(t) }] }
    return rawRequest((await start(t, services, { routes, rules: GRAY }, { whenLaneMissing: 'fail' })).port, GET)
  },
  no_base: async t => ask(t, await silent(t), GET, {}, { tags: ['gray'] }),
  async no_instances(t) {
    return rawRequest((await start(t, { 'sc-a': [] }, { routes })).port, GET)
  },
  timeout: async t => ask(t, await silent(t), GET, { upstream: { headersTimeoutMs: 200 } }),
}

t.test('the answers of the gateway itself are those of the README', async t => {
  const rows = readmeTable('| the gateway itself answers |')
  const codes = rows.map(([, code]) => code!.replaceAll('`', ''))
  t.same([...codes].sort(), Object.keys(CASES).sort(), 'rows and cases')
  t.same(
    [...codes].sort(),
    Object.keys(PROBLEMS)
      .map(one => one.replaceAll('-', '_'))
      .sort(),
    'rows and answers',
  )
  for (const [index, code] of codes.entries()) {
    const text = await CASES[code]!(t)
    const [, status, retryAfter] = /^(\d+)(?:, `Retry-After: (\d+)`)?$/.exec(rows[index]![0]!) ?? []
    t.match(text, new RegExp(`^HTTP/1\\.1 ${status} .*"code":"${code}"`, 's'), code)
    t.equal(/^retry-after: (\d+)/im.exec(text)?.[1], retryAfter, code)
    t.match(text, /^content-type: application\/problem\+json\r\n/im, code)
  }
})

/** Codes that no request to a service can end with: of options, of registries, of brokers, and of other programs. */
const OTHERS = [
  'LANEWAY_AUTH',
  'LANEWAY_DEV_SERVER_LISTEN',
  'LANEWAY_DEV_SERVER_TIMEOUT',
  'LANEWAY_HEADERS_SENT',
  'LANEWAY_INVALID_ENDPOINT',
  'LANEWAY_INVALID_OPTION',
  'LANEWAY_INVALID_RULES',
  'LANEWAY_INVALID_TAG',
  'LANEWAY_LEDGER',
  'LANEWAY_NACOS_REFUSED',
  'LANEWAY_NACOS_UNAVAILABLE',
  'LANEWAY_NOT_AN_AGENT',
  'LANEWAY_SOURCE',
  'LANEWAY_UNDICI_MISMATCH',
]

t.test('each code that a request can end with is named beside its answer', async t => {
  const rows = readmeTable('| the gateway itself answers |')
  for (const code of Object.keys(LANEWAY_ERRORS)) {
    if (OTHERS.includes(code)) continue
    const refusal = refusalOf(Object.assign(new Error('x'), { code }))
    const row = rows.find(([, name]) => name === `\`${refusal.replaceAll('-', '_')}\``)
    t.match(row?.[2], `\`${code}\``, code)
  }
})

t.test('an upstream that says nothing of itself is a failed connection', async t => {
  for (const error of [new Error('x'), undefined, 'text', null]) t.equal(refusalOf(error), 'connect-failed')
})
