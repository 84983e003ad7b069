import { Readable } from 'node:stream'
import { runInLane } from '@laneway/core'
import { endpoint, fakeResolver, type Seen, seenServer } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import * as undici6 from 'undici6'
import { composeLane } from '../src/index.js'
import { createUndiciPatch } from '../src/internal.js'
import { patch } from './suite/patched-copy.js'
import { loopback, type UndiciCopy } from './suite/undici-copy.js'

/** What undici 7 has no longer. */
interface Six extends UndiciCopy {
  createRedirectInterceptor(options: { maxRedirections: number }): any
  RedirectHandler: new (dispatch: unknown, maxRedirections: number, options: object, handler: object) => any
}
const undici = undici6 as unknown as Six

const plainDispatcher = (dispatcher: any) => dispatcher
const agentOptions = { connect: { lookup: loopback } } as object
const retries = { maxRetries: 1, minTimeout: 1, methods: ['GET'] } as never

/** Dispatchers, and the options of a request, by which undici 6 follows redirects itself. */
const WAYS: Record<string, { make(lane: (dispatcher: any) => any): any; options?: object }> = {
  'maxRedirections of a request': {
    make: lane => lane(new undici.Agent(agentOptions)),
    options: { maxRedirections: 5 },
  },
  'maxRedirections of an Agent': {
    make: lane => lane(new undici.Agent({ ...agentOptions, maxRedirections: 5 } as never)),
  },
  'interceptors of an Agent': {
    make: lane =>
      lane(
        new undici.Agent({
          ...agentOptions,
          interceptors: { Agent: [undici.createRedirectInterceptor({ maxRedirections: 5 })] },
        } as never),
      ),
  },
  'an interceptor given to an Agent later': {
    make(lane) {
      const agent = new undici.Agent(agentOptions) as any
      agent.interceptors = [undici.createRedirectInterceptor({ maxRedirections: 5 })]
      return lane(agent)
    },
  },
  'maxRedirections of a request below a RetryAgent': {
    make: lane => lane(new undici.RetryAgent(new undici.Agent(agentOptions), retries)),
    options: { maxRedirections: 5 },
  },
  'maxRedirections of the Agent of a RetryAgent': {
    make: lane =>
      lane(new undici.RetryAgent(new undici.Agent({ ...agentOptions, maxRedirections: 5 } as never), retries)),
  },
  'a RetryAgent around it': {
    make: lane =>
      new undici.RetryAgent(lane(new undici.Agent({ ...agentOptions, maxRedirections: 5 } as never)), retries),
  },
  'redirect() composed below': {
    make: lane =>
      lane(new undici.Agent(agentOptions).compose(undici.interceptors.redirect({ maxRedirections: 5 }) as never)),
  },
  'createRedirectInterceptor() composed below': {
    make: lane =>
      lane(new undici.Agent(agentOptions).compose(undici.createRedirectInterceptor({ maxRedirections: 5 }))),
  },
  'a RedirectHandler by hand': {
    make(lane) {
      const dispatcher = lane(new undici.Agent(agentOptions))
      const dispatch = dispatcher.dispatch.bind(dispatcher)
      return new Proxy(dispatcher, {
        get: (target, key) =>
          key === 'dispatch'
            ? (options: any, handler: any) =>
                dispatch(options, new undici.RedirectHandler(dispatch, 5, options, handler))
            : target[key],
      })
    },
  },
}

async function servers(t: Test) {
  const end = await seenServer(t, 'third party')
  const hop = (instance: string) =>
    seenServer(t, instance, (seen, response) => {
      if (seen.url === '/out') response.writeHead(302, { location: `http://third.example:${end.port}/end` })
      else if (seen.url === '/again') response.writeHead(302, { location: '/last' })
      else if (seen.url === '/loop') response.writeHead(302, { location: '/loop' })
      else if (seen.url === '/other') response.writeHead(307, { location: 'http://sc-c/last' })
      else if (seen.url === '/see') response.writeHead(303, { location: '/last' })
      response.end(JSON.stringify(seen))
    })
  const [base, gray, other] = [await hop('base'), await hop('gray'), await hop('other')]
  const outside = await seenServer(t, 'outside', (_seen, response) => {
    response.writeHead(302, { location: 'http://sc-b/last' }).end()
  })
  const resolver = fakeResolver({
    'sc-b': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', gray.port, 'gray')],
    'sc-c': [endpoint('127.0.0.1', base.port), endpoint('127.0.0.1', other.port, 'gray')],
  })
  return { resolver, outside }
}

type Servers = Awaited<ReturnType<typeof servers>>

async function follows(t: Test, { resolver, outside }: Servers, make: () => any, options: object): Promise<void> {
  const dispatcher = make()
  t.teardown(() => dispatcher.close())
  const send = async (lane: string | undefined, url: string, more: object = {}) =>
    runInLane(lane, async () => {
      const { statusCode, body } = await undici.request(url, { dispatcher, ...options, ...more } as never)
      return { statusCode, ...((await body.json()) as Seen) }
    })
  t.match(await send('gray', 'http://sc-b/again'), { instance: 'gray', tags: ['gray'], url: '/last', host: 'sc-b' })
  t.match(await send(undefined, 'http://sc-b/again'), { instance: 'base', tags: [], url: '/last', host: 'sc-b' })
  t.match(await send('gray', 'http://sc-b/out'), { instance: 'third party', tags: [], url: '/end' })
  const handSet = { headers: { 'x-mse-tag': 'gray' } }
  t.match(await send(undefined, 'http://sc-b/out', handSet), { instance: 'third party', tags: [] })
  t.match(await send('gray', 'http://sc-b/other'), { instance: 'other', tags: ['gray'], host: 'sc-c' })
  t.match(await send('gray', `http://third.example:${outside.port}/`), { instance: 'gray', tags: ['gray'] })
  const post = { method: 'POST', body: 'whole', headers: { 'content-type': 'text/plain', cookie: 'a=1' } }
  t.match(await send('gray', 'http://sc-b/other', post), { instance: 'other', method: 'POST', body: 'whole' })
  const seen = await send('gray', 'http://sc-b/see', post)
  t.match(seen, { instance: 'gray', method: 'GET', body: '' })
  t.equal(seen.headers['content-type'], undefined)
  // What can be read once is not sent again: the redirect is the answer.
  const stream = { method: 'POST', body: Readable.from(['part']) }
  t.match(await send('gray', 'http://sc-b/other', stream), { statusCode: 307, instance: 'gray', body: 'part' })
  t.equal(resolver.inFlight, 0)
}

t.test('composed: a redirect that undici 6 would follow itself is decided for each hop', async t => {
  const all = await servers(t)
  for (const [way, { make, options = {} }] of Object.entries(WAYS)) {
    t.test(way, async t => {
      const lane = (dispatcher: any) => composeLane(dispatcher, { resolver: all.resolver, warn: () => {} })
      await follows(t, all, () => make(lane), options)
    })
  }

  t.test('the limit is that of undici, with its list of hops', async t => {
    const forms: Record<string, [object, object]> = {
      'of a request': [{}, { maxRedirections: 2 }],
      'of an Agent': [{ maxRedirections: 2 }, {}],
      'a request that follows none': [{ maxRedirections: 2 }, { maxRedirections: 0 }],
    }
    for (const [form, [ofAgent, ofRequest]] of Object.entries(forms)) {
      const plain = new undici.Agent(ofAgent)
      const dispatcher = composeLane(new undici.Agent(ofAgent), { resolver: all.resolver })
      t.teardown(() => Promise.all([plain.close(), dispatcher.close()]))
      const { port } = await seenServer(t, 'plain', (_seen, response) =>
        response.writeHead(302, { location: '/loop' }).end(),
      )
      const outcome = async (url: string, through: any) => {
        const { statusCode, context, body } = await undici.request(url, { dispatcher: through, ...ofRequest } as never)
        await body.dump()
        return { statusCode, history: ((context as any)?.history ?? []).map((one: URL) => one.pathname) }
      }
      t.same(await outcome('http://sc-b/loop', dispatcher), await outcome(`http://127.0.0.1:${port}/loop`, plain), form)
    }
  })

  t.test('what undici refuses it still refuses', async t => {
    const dispatcher = composeLane(new undici.Agent(), { resolver: all.resolver })
    t.teardown(() => dispatcher.close())
    for (const maxRedirections of [-1, 1.5, 'x']) {
      await t.rejects(undici.request('http://sc-b/', { dispatcher, maxRedirections } as never), {
        message: 'maxRedirections must be a positive number',
      })
    }
    const throwing = { dispatcher, maxRedirections: 1, throwOnMaxRedirect: true } as never
    await t.rejects(undici.request('http://sc-b/loop', throwing), { message: 'max redirects' })
  })
})

t.test('patched: the same', async t => {
  const all = await servers(t)
  patch(undici, createUndiciPatch({ resolver: all.resolver, warn: () => {} }))
  for (const [way, { make, options = {} }] of Object.entries(WAYS)) {
    t.test(way, async t => follows(t, all, () => make(plainDispatcher), options))
  }
  t.test('by a proxy that follows redirects', async t => {
    const ends: Seen[] = []
    const proxy = await seenServer(t, 'proxy', (seen, response) => {
      ends.push(seen)
      const out = seen.url === 'http://first.example/'
      response.writeHead(out ? 302 : 200, { location: out ? 'http://second.example/' : '' }).end('{}')
    })
    const uri = `http://127.0.0.1:${proxy.port}`
    for (const make of [
      () => new undici.ProxyAgent({ uri, maxRedirections: 3, proxyTunnel: false } as never),
      () => new undici.EnvHttpProxyAgent({ httpProxy: uri, maxRedirections: 3, proxyTunnel: false } as never),
    ]) {
      ends.length = 0
      const dispatcher = make()
      t.teardown(() => dispatcher.close())
      await runInLane('gray', async () => {
        const headers = { 'x-mse-tag': 'gray' }
        await (await undici.request('http://first.example/', { dispatcher, headers })).body.dump()
      })
      t.same(
        ends.map(one => [one.url, one.tags]),
        [
          ['http://first.example/', []],
          ['http://second.example/', []],
        ],
      )
    }
  })
})
