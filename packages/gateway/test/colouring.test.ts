import http, { createServer } from 'node:http'
import { currentLane } from '@laneway/core'
import { BAGGAGE_KEY, MSE_BAGGAGE_KEY } from '@laneway/core/internal'
import { expressLane } from '@laneway/express'
import { compileRules, type HttpRoute, type RulesDocument } from '@laneway/rules'
import { listen, rawRequest } from '@laneway/testkit'
import express from 'express'
import t from 'tap'
import { dial, send, start, startServices } from './world.js'

const TESTER: RulesDocument = {
  version: 1,
  rules: [{ name: 'tester', when: { header: { name: 'user-agent', exact: 'xiaoming' } }, lane: 'gray' }],
}

const spoofs: readonly (readonly string[])[] = [
  ['x-mse-tag: gray'],
  ['X-MSE-TAG: gray'],
  ['X-Mse-Tag: gray', 'x-mse-tag: gray', 'x-MSE-tag: blue'],
  ['x-mse-tag: gray,gray'],
  ['x-mse-tag: __proto__'],
  ['x-mse-tag:'],
  [`x-mse-tag: ${'g'.repeat(300)}`],
  [`baggage: a=1,${BAGGAGE_KEY}=gray;p=1,b=2`],
  ['baggage: a=1', `Baggage: ${BAGGAGE_KEY}=gray`],
  ['baggage: %78-mse-tag=gray'],
  [`baggage: ${MSE_BAGGAGE_KEY}=%5B%7B%22tag%22%3A%22gray%22%7D%5D`],
  ['x-mse-tag: gray', `baggage: ${BAGGAGE_KEY}=gray,a=1`],
  ['x-mse-tag: gray', 'Connection: x-mse-tag, close'],
  ['__proto__: gray', 'constructor: gray', 'x-mse-tag: gray'],
]

t.test('a tag that a client sends reaches no service', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }, { tag: 'blue' }] })
  const { port } = await start(t, services, { routes: [{ service: 'sc-a' }], rules: TESTER })
  for (const lines of spoofs) {
    for (const [agent, at, tag] of [
      ['curl', 'sc-a', undefined],
      ['xiaoming', 'sc-a-gray', 'gray'],
    ] as const) {
      const close = lines.some(line => /^connection:/i.test(line)) ? '' : 'Connection: close\r\n'
      const answer = await rawRequest(
        port,
        `GET / HTTP/1.1\r\nHost: shop\r\nUser-Agent: ${agent}\r\n${close}${lines.join('\r\n')}\r\n\r\n`,
      )
      const what = `${agent}: ${lines.join(' | ').slice(0, 100)}`
      t.match(answer, /^HTTP\/1\.1 200 /, what)
      const seen = JSON.parse(/\{.*\}/s.exec(answer)![0])
      t.equal(seen.at, at, what)
      const tags = seen.rawHeaders.filter((_: string, index: number, all: string[]) => {
        return index % 2 === 1 && all[index - 1]!.toLowerCase() === 'x-mse-tag'
      })
      t.same(tags, tag === undefined ? [] : [tag], what)
      t.notMatch(seen.headers.baggage ?? '', /mse-tag|microservice_tag/, what)
      if (lines.some(line => /a=1/.test(line))) t.match(seen.headers.baggage, /^a=1/, 'other members stay')
    }
  }
})

t.test('a trailer cannot bring a tag in', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const { port } = await start(t, services, { routes: [{ service: 'sc-a' }] })
  const answer = await rawRequest(
    port,
    'POST / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\nTransfer-Encoding: chunked\r\nTrailer: x-mse-tag\r\n\r\n' +
      '3\r\nabc\r\n0\r\nx-mse-tag: gray\r\n\r\n',
  )
  const seen = JSON.parse(/\{.*\}/s.exec(answer)![0])
  t.equal(seen.at, 'sc-a')
  t.equal(seen.body, 'abc')
  t.equal(seen.headers['x-mse-tag'], undefined)
  t.equal(seen.headers.trailer, undefined)
})

t.test('a believed sender keeps its lane, an unknown lane falls back and goes on', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const { port, logged } = await start(t, services, { routes: [{ service: 'sc-a' }], rules: TESTER, trust: 'private' })
  const own = await send(port, { headers: { 'x-mse-tag': 'gray' } })
  t.equal(own.json.at, 'sc-a-gray')
  t.match(await logged(), { lane: 'gray', outcome: 'lane', served: 'gray', rule: undefined })
  const other = await send(port, { headers: { 'x-mse-tag': 'purple', 'user-agent': 'xiaoming' } })
  t.equal(other.json.at, 'sc-a', 'rules do not recolour what is believed')
  t.equal(other.json.headers['x-mse-tag'], 'purple')
  t.match(await logged(), { lane: 'purple', outcome: 'fallback-missing', served: undefined })
})

t.test('an exact rule does not take a longer value', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const { port } = await start(t, services, { routes: [{ service: 'sc-a' }], rules: TESTER })
  t.equal((await send(port, { headers: { 'user-agent': 'xiaoming/1.0' } })).json.at, 'sc-a')
  t.equal((await send(port, { headers: { 'user-agent': 'xiaoming' } })).json.at, 'sc-a-gray')
})

t.test('requests of one connection keep their own lanes', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const { port } = await start(t, services, { routes: [{ service: 'sc-a' }], rules: TESTER })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  const replies = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      send(port, { agent, headers: { 'user-agent': index % 2 === 0 ? 'xiaoming' : 'curl' } }),
    ),
  )
  replies.forEach(({ json }, index) => {
    t.equal(json.at, index % 2 === 0 ? 'sc-a-gray' : 'sc-a')
  })
  // The same without waiting for answers.
  const raw = dial(t, port)
  const request = (name: string, last: boolean) =>
    `GET /${name} HTTP/1.1\r\nHost: shop\r\nUser-Agent: ${name}\r\n${last ? 'Connection: close\r\n' : ''}\r\n`
  raw.socket.write(request('xiaoming', false) + request('curl', false) + request('xiaoming', true))
  const found = [...(await raw.closed).matchAll(/"at":"([^"]+)"/g)].map(match => match[1])
  t.same(found, ['sc-a-gray', 'sc-a', 'sc-a-gray'])
})

t.test('the same user is in the same lane in Express, gateway and plain rules', async t => {
  const document: RulesDocument = {
    version: 1,
    rules: [
      {
        name: 'share',
        split: {
          salt: 'default/mse-traffic',
          key: [{ header: 'x-user-id' }, { cookie: 'uid' }],
          lanes: [
            { lane: 'gray', from: 0, to: 5000, percent: 30 },
            { lane: 'blue', from: 5000, to: 8000, percent: 10 },
            { lane: 'red', from: 8000, to: 10_000, percent: 20 },
          ],
        },
      },
    ],
  }
  const { laneOf } = compileRules(document)
  const app = express()
  app.use(expressLane({ trust: 'edge', rules: laneOf }))
  app.get('/', (_request, response) => {
    response.json({ lane: currentLane()?.header ?? 'base' })
  })
  const expressPort = await listen(t, createServer(app))
  const services = await startServices(t, {
    'sc-a': [{}, { tag: 'gray' }, { tag: 'blue' }, { tag: 'red' }],
  })
  const { port } = await start(t, services, { routes: [{ service: 'sc-a' }], rules: document })
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 })
  t.teardown(() => agent.destroy())
  const counts = new Map<string, number>()
  const users = 300
  await Promise.all(
    Array.from({ length: users }, async (_, index) => {
      const headers = index % 2 === 0 ? { 'x-user-id': `user-${index}` } : { cookie: `uid=user-${index}` }
      const lane = laneOf({ headers })?.header ?? 'base'
      const [one, other] = await Promise.all([send(expressPort, { headers, agent }), send(port, { headers, agent })])
      const at = other.json.at === 'sc-a' ? 'base' : other.json.at.slice('sc-a-'.length)
      if (one.json.lane !== lane || at !== lane || (other.json.headers['x-mse-tag'] ?? 'base') !== lane) {
        t.fail(`user-${index}: rules ${lane}, Express ${one.json.lane}, gateway ${at}`)
      }
      counts.set(lane, (counts.get(lane) ?? 0) + 1)
    }),
  )
  t.equal(
    [...counts.values()].reduce((sum, count) => sum + count, 0),
    users,
  )
  for (const lane of ['base', 'gray', 'blue', 'red']) t.ok((counts.get(lane) ?? 0) > 10, `${lane}: ${counts.get(lane)}`)
})

t.test('rules see the client behind as many proxies as are believed', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }] })
  const rules: RulesDocument = {
    version: 1,
    rules: [{ name: 'office', when: { address: { in: ['203.0.113.0/24'] } }, lane: 'gray' }],
  }
  const headers = { 'x-forwarded-for': '198.51.100.1, 203.0.113.9' }
  const direct = await start(t, services, { routes: [{ service: 'sc-a' }], rules })
  t.equal((await send(direct.port, { headers })).json.at, 'sc-a')
  const behind = await start(t, services, { routes: [{ service: 'sc-a' }], rules, proxies: 1 })
  const { json } = await send(behind.port, { headers })
  t.equal(json.at, 'sc-a-gray')
  t.equal(json.headers['x-forwarded-for'], '203.0.113.9, 127.0.0.1')
})

t.test('the weights of a route are drawn once: lane and backend of a request come from one draw', async t => {
  const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }], 'sc-b': [{}, { tag: 'gray' }] })
  const draws = [0.1, 0.9, 0.1, 0.9, 0.9, 0.1]
  let drawn = 0
  const setLane = {
    type: 'RequestHeaderModifier',
    requestHeaderModifier: { set: [{ name: 'x-mse-tag', value: 'gray' }] },
  }
  const backendRefs = [
    { name: 'sc-a', weight: 1, filters: [setLane] },
    { name: 'sc-b', weight: 1 },
  ]
  const { port } = await start(t, services, {
    routes: [{ kind: 'HTTPRoute', spec: { rules: [{ backendRefs }] } }],
    rules: { version: 1, rules: [{ name: 'nobody', when: { path: { exact: '/none' } }, lane: 'blue' }] },
    random: () => draws[drawn++]!,
  })
  for (const [index, draw] of draws.entries()) {
    t.equal((await send(port)).json.at, draw < 0.5 ? 'sc-a-gray' : 'sc-b')
    t.equal(drawn, index + 1)
  }
})

t.test(
  'a list of headers, for a migration: the first that is present is read, all are written, all are stripped',
  async t => {
    const services = await startServices(t, { 'sc-a': [{}, { tag: 'gray' }, { tag: 'blue' }] })
    const header = ['x-lane', 'X-MSE-Tag']
    const blue = [
      { type: 'RequestHeaderModifier', requestHeaderModifier: { set: [{ name: 'x-mse-tag', value: 'blue' }] } },
    ]
    const coloured: HttpRoute = {
      kind: 'HTTPRoute',
      metadata: { name: 'blue' },
      spec: {
        rules: [
          {
            matches: [{ path: { type: 'PathPrefix', value: '/blue' } }],
            filters: blue,
            backendRefs: [{ name: 'sc-a' }],
          },
        ],
      },
    }
    const routes = [coloured, { service: 'sc-a' }]
    const inside = await start(t, services, { routes, trust: 'internal', header })
    const outside = await start(t, services, { routes, rules: TESTER, header })
    const seen = async (port: number, path: string, headers: Record<string, string>) => {
      const { at, headers: sent } = (await send(port, { path, headers })).json
      return [at, sent['x-lane'], sent['x-mse-tag']]
    }
    t.strictSame(await seen(inside.port, '/', { 'x-mse-tag': 'gray' }), ['sc-a-gray', 'gray', 'gray'])
    t.strictSame(await seen(inside.port, '/', { 'x-lane': 'blue', 'x-mse-tag': 'gray' }), ['sc-a-blue', 'blue', 'blue'])
    t.strictSame(await seen(inside.port, '/', {}), ['sc-a', undefined, undefined])
    t.strictSame(await seen(outside.port, '/', { 'x-mse-tag': 'gray', 'x-lane': 'gray' }), [
      'sc-a',
      undefined,
      undefined,
    ])
    t.strictSame(await seen(outside.port, '/', { 'user-agent': 'xiaoming' }), ['sc-a-gray', 'gray', 'gray'])
    t.strictSame(await seen(outside.port, '/blue', {}), ['sc-a-blue', 'blue', 'blue'])
  },
)
