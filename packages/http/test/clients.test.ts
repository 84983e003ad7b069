import { runInLane } from '@laneway/core'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import { cert } from '@laneway/testkit/certificate'
import { fakeResolver } from '@laneway/testkit/egress'
import axios from 'axios'
import got from 'got'
import t, { type Test } from 'tap'
import { closedPort, type FarServer, farServer } from './far-server.js'

const lookup = (_host: string, options: { all?: boolean }, callback: (...args: any[]) => void) =>
  options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

type Call = (
  url: string,
  options: { headers?: Record<string, string>; body?: string },
) => Promise<{ status: number; data: string }>

interface Agents {
  http: LaneAgent
  https: LaneHttpsAgent
}

const clients: Record<string, (agents: Agents) => Call> = {
  axios:
    agents =>
    async (url, { headers = {}, body }) => {
      const shared = { httpAgent: agents.http, httpsAgent: agents.https, proxy: false, headers } as const
      const method = body === undefined ? 'GET' : 'POST'
      const sent = body === undefined ? {} : { data: body }
      const { status, data } = await axios.request({ url, method, ...sent, responseType: 'text', ...shared })
      return { status, data }
    },
  got:
    agents =>
    async (url, { headers = {}, body }) => {
      const shared = { agent: { http: agents.http, https: agents.https }, headers, retry: { limit: 0 } }
      const method = body === undefined ? 'GET' : 'POST'
      const { statusCode, body: data } = await got(url, { ...shared, method, ...(body === undefined ? {} : { body }) })
      return { status: statusCode, data }
    },
}

async function lanes(t: Test, options: object = {}) {
  const third = await farServer(t)
  const redirecting =
    (name: string): Parameters<typeof farServer>[1] =>
    (seen, _request, response) => {
      const to = new URL(seen.url, 'http://x').searchParams.get('to')
      if (to !== null) response.writeHead(307, { location: to }).end()
      else response.end(name)
    }
  const base = await farServer(t, redirecting('base'))
  const gray = await farServer(t, redirecting('gray'))
  const secure = await farServer(t, redirecting('secure'), true)
  const dead = await closedPort()
  const plain = fakeResolver({
    'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }],
    'sc-d': [{ port: dead, tag: 'gray' }, { port: base.port }],
    'sc-x': [{ port: dead }],
    'sc-g': [{ port: gray.port, tag: 'gray' }],
  })
  const shared = { warn: () => {}, ...options }
  const agents: Agents = {
    http: new LaneAgent({ resolver: plain, ...shared }, { lookup } as never),
    https: new LaneHttpsAgent({ resolver: fakeResolver({ 'sc-b': [{ port: secure.port, tag: 'gray' }] }), ...shared }, {
      lookup,
      ca: cert,
    } as never),
  }
  t.teardown(() => {
    agents.http.destroy()
    agents.https.destroy()
  })
  return { base, gray, third, secure, agents, far: `http://third.example:${third.port}/` }
}

const tell = (far: FarServer) => far.seen.map(one => `${one.method} ${one.url.split('?')[0]} ${one.tags}`)

for (const [name, create] of Object.entries(clients)) {
  t.test(`${name}: a request goes to the endpoint of its lane, with a body too`, async t => {
    const { base, gray, agents } = await lanes(t)
    const call = create(agents)
    t.match(await runInLane('gray', call, 'http://sc-b/get', {}), { status: 200, data: 'gray' })
    t.match(await runInLane('gray', call, 'http://sc-b/post', { body: 'body' }), { status: 200, data: 'gray' })
    t.match(await call('http://sc-b/get', {}), { status: 200, data: 'base' })
    t.match(await runInLane('gray', call, 'http://sc-d/post', { body: 'retried' }), { status: 200, data: 'base' })
    t.strictSame(tell(gray), ['GET /get gray', 'POST /post gray'])
    t.strictSame(
      base.seen.map(one => one.body),
      ['', 'retried'],
    )
  })

  t.test(`${name}: a redirect from http to https changes the agent and keeps the lane`, async t => {
    const { secure, agents } = await lanes(t)
    t.match(await runInLane('gray', create(agents), 'http://sc-b/1?to=https://sc-b/2', {}), { data: 'secure' })
    t.match(secure.seen, [{ url: '/2', host: 'sc-b', tags: ['gray'], servername: 'sc-b' }])
  })
}

t.test("got's own retry makes a new request, which is picked for anew in the caller's lane", async t => {
  const { base, gray, agents } = await lanes(t)
  let calls = 0
  gray.server.removeAllListeners('request')
  gray.server.on('request', (_request, response) => {
    response.statusCode = calls++ === 0 ? 503 : 200
    response.end('gray')
  })
  const answer = await runInLane('gray', () =>
    got('http://sc-b/', {
      agent: { http: agents.http },
      retry: { limit: 2, calculateDelay: ({ computedValue }) => (computedValue === 0 ? 0 : 1) },
    }),
  )
  t.equal(answer.body, 'gray')
  t.equal(calls, 2)
  t.equal(base.seen.length, 0)
})

t.test("got's cache gives no answer of one lane to another", async t => {
  const kept =
    (name: string): Parameters<typeof farServer>[1] =>
    (_seen, _request, response) =>
      response.setHeader('cache-control', 'max-age=60').setHeader('vary', 'accept').end(name)
  const base = await farServer(t, kept('base'))
  const gray = await farServer(t, kept('gray'))
  const agent = new LaneAgent({
    resolver: fakeResolver({ 'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }] }),
  })
  t.teardown(() => agent.destroy())
  const cached = got.extend({ agent: { http: agent }, cache: new Map() })
  const seen: string[] = []
  for (const lane of ['gray', undefined, 'gray', 'gray', undefined]) {
    seen.push((await runInLane(lane, () => cached('http://sc-b/'))).body)
  }
  t.strictSame(seen, ['gray', 'base', 'gray', 'gray', 'base'])
})
