import http, { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http'
import http2 from 'node:http2'
import { currentLane, runInLane } from '@laneway/core'
import { BAGGAGE_KEY, hasLaneMember, MSE_BAGGAGE_KEY } from '@laneway/core/internal'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { expressLane } from '@laneway/express'
import { fastifyLane } from '@laneway/fastify'
import { LaneAgent, laneHandler } from '@laneway/http'
import { listen, rawRequest } from '@laneway/testkit'
import { composeLane, createLaneFetch } from '@laneway/undici'
import axios from 'axios'
import express from 'express'
import fastify from 'fastify'
import got from 'got'
import t, { type Test } from 'tap'
import * as undici7 from 'undici'
import * as undici6 from 'undici6'

/** A party that notes what it was sent, and sends elsewhere who asks for that. */
async function party(t: Test): Promise<{ port: number; seen: IncomingHttpHeaders[]; elsewhere?: string }> {
  const one = { port: 0, seen: [] as IncomingHttpHeaders[], elsewhere: undefined as string | undefined }
  const server = createServer((req, res) => {
    one.seen.push(req.headers)
    if (req.url === '/elsewhere' && one.elsewhere !== undefined) res.writeHead(302, { location: one.elsewhere }).end()
    else res.end('here')
  })
  one.port = await listen(t, server)
  return one as never
}

/** Every name is this machine. */
const lookup = (_host: string, options: { all?: boolean }, callback: (...args: any[]) => void) =>
  options.all === true ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4)

const spoofs: readonly { readonly name: string; readonly lines: readonly string[] }[] = [
  { name: 'the header', lines: ['x-mse-tag: gray'] },
  { name: 'the header in capitals', lines: ['X-MSE-TAG: gray'] },
  { name: 'the header, mixed, three times', lines: ['X-Mse-Tag: gray', 'x-mse-tag: gray', 'x-MSE-tag: blue'] },
  { name: 'a list', lines: ['x-mse-tag: gray-2,gray'] },
  { name: '__proto__', lines: ['x-mse-tag: __proto__'] },
  { name: 'constructor', lines: ['x-mse-tag: constructor'] },
  { name: 'W3C baggage', lines: [`baggage: a=1,${BAGGAGE_KEY}=gray;p=1,b=2`] },
  { name: 'baggage in two lines', lines: ['baggage: a=1', `Baggage: ${BAGGAGE_KEY}=gray`] },
  { name: 'baggage with an encoded key', lines: ['baggage: %78-mse-tag=gray'] },
  { name: "MSE's baggage member", lines: [`baggage: ${MSE_BAGGAGE_KEY}=%5B%7B%22tag%22%3A%22gray%22%7D%5D`] },
  { name: 'header and baggage', lines: ['x-mse-tag: gray', `baggage: ${BAGGAGE_KEY}=gray,a=1`] },
  { name: 'a header that is called __proto__', lines: ['__proto__: gray', 'constructor: gray', 'x-mse-tag: gray'] },
  { name: 'a header that a proxy is asked to drop', lines: ['x-mse-tag: gray', 'Connection: x-mse-tag, close'] },
  { name: 'a tag in trailers', lines: ['Trailer: x-mse-tag'] },
]

/** A handler that passes on all that it was sent, as careless proxies do. */
function proxy(port: number, agent: http.Agent) {
  return (req: IncomingMessage, res: ServerResponse) => {
    req.resume()
    req.on('end', () => {
      const kept: Record<string, string | string[]> = { 'x-lane': currentLane()?.header ?? 'none' }
      for (let index = 0; index < req.rawHeaders.length; index += 2) {
        const name = req.rawHeaders[index]!.toLowerCase()
        if (/^(host|connection|transfer-encoding|trailer|content-length)$/.test(name)) continue
        kept[name] = req.headersDistinct[name] ?? req.rawHeaders[index + 1]!
      }
      http.get({ host: '127.0.0.1', port, path: '/', headers: kept, agent }, answer => {
        answer.resume()
        answer.on('end', () => res.end('passed on'))
      })
    })
  }
}

const edges: Readonly<
  Record<string, (handler: (req: IncomingMessage, res: ServerResponse) => void) => http.Server | Promise<http.Server>>
> = {
  http: handler => createServer(laneHandler(handler, { trust: 'edge' })),
  Express: handler =>
    createServer(
      express()
        .use(expressLane({ trust: 'edge' }))
        .use(handler as never),
    ),
  Fastify: async handler => {
    const app = fastify()
    await app.register(fastifyLane, { trust: 'edge' })
    app.removeAllContentTypeParsers()
    app.addContentTypeParser('*', (_request, _body, done) => done(null))
    app.all('/', (request, reply) => {
      reply.hijack()
      handler(request.raw, reply.raw)
    })
    await app.ready()
    return app.server
  },
}

for (const [name, edge] of Object.entries(edges)) {
  t.test(`no spoof passes an edge of ${name}, not even through a handler that copies headers`, async t => {
    const backend = await party(t)
    const agent = new LaneAgent({ warn() {} })
    t.teardown(() => agent.destroy())
    const port = await listen(t, await edge(proxy(backend.port, agent)))
    for (const spoof of spoofs) {
      const trailers = spoof.name.includes('trailers')
      const close = spoof.lines.some(line => line.startsWith('Connection')) ? [] : ['Connection: close']
      const body = trailers ? '1\r\na\r\n0\r\nx-mse-tag: gray\r\n\r\n' : ''
      const chunked = trailers ? ['Content-Type: text/plain', 'Transfer-Encoding: chunked'] : []
      const head = [trailers ? 'POST / HTTP/1.1' : 'GET / HTTP/1.1', 'Host: a', ...close, ...chunked, ...spoof.lines]
      const answer = await rawRequest(port, `${head.join('\r\n')}\r\n\r\n${body}`)
      t.match(answer, /^HTTP\/1.1 200/, `${spoof.name}: it is served`)
      const seen = backend.seen.pop()
      t.equal(seen?.['x-lane'], 'none', `${spoof.name}: as base`)
      t.equal(seen?.['x-mse-tag'], undefined, spoof.name)
      t.notOk(hasLaneMember(String(seen?.['baggage'] ?? '')), `${spoof.name}: ${seen?.['baggage']}`)
    }
  })
}

t.test('no spoof passes an edge over HTTP/2', async t => {
  const seen: string[] = []
  const server = http2.createServer(
    laneHandler(
      (req: http2.Http2ServerRequest, res: http2.Http2ServerResponse) => {
        const left = [...Object.keys(req.headers), ...req.rawHeaders].filter(one => /x-mse-tag/i.test(one))
        seen.push(`${currentLane()?.header ?? 'none'} ${left.join(' ')}`)
        res.end()
      },
      { trust: 'edge' },
    ),
  )
  const port = await listen(t, server as never)
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const requests: http2.OutgoingHttpHeaders[] = [
    { 'x-mse-tag': 'gray' },
    { 'x-mse-tag': ['gray', 'gray'] },
    { 'X-MSE-Tag': 'gray' },
    { ':authority': 'a', host: 'b', 'x-mse-tag': 'gray' },
    { ':path': '/%0d%0ax-mse%2dtag:gray', 'x-mse-tag': 'gray' },
    { baggage: ['a=1', `${BAGGAGE_KEY}=gray`], cookie: ['a=1', 'b=2'] },
  ]
  for (const headers of requests) {
    const stream = session.request(headers)
    stream.resume()
    await new Promise(resolve => stream.on('close', resolve))
  }
  session.close()
  t.strictSame(seen, Array(requests.length).fill('none '))
})

t.test('a tag never reaches a third party, directly or by redirect, whatever the client', async t => {
  const service = await party(t)
  const third = await party(t)
  const stranger = `http://api.third.example:${third.port}/`
  service.elsewhere = stranger
  const source = createStaticSource({ 'sc-b': [{ host: '127.0.0.1', port: service.port, tags: ['gray'] }] })
  const resolver = createLaneResolver({ sources: [source], services: ['sc-b'], env: {} })
  await resolver.ready('sc-b')
  const options = { resolver, baggage: true, warn() {} }
  const agent = new LaneAgent({ resolver, warn() {} }, { lookup } as never)
  const connect = { lookup } as never
  const agent7 = composeLane(
    new undici7.Agent({ connect }),
    options,
    undici7.interceptors.redirect({ maxRedirections: 3 }),
  )
  const agent6 = composeLane(
    new undici6.Agent({ connect }),
    options,
    undici6.interceptors.redirect({ maxRedirections: 3 }),
  )
  const builtIn = createLaneFetch(options)
  // An Agent of the generation that this Node has built in, for its lookup only.
  const generation = Number.parseInt(process.versions['undici'] ?? '0', 10)
  const inner = generation === 6 ? new undici6.Agent({ connect }) : new undici7.Agent({ connect })
  t.teardown(async () => {
    agent.destroy()
    await Promise.all([agent6.close(), agent7.close(), inner.close(), resolver.close()])
  })
  const get = (url: string): Promise<void> =>
    new Promise((resolve, reject) => {
      http
        .get(url, { agent }, answer => {
          answer.resume()
          answer.on('end', () => {
            const { location } = answer.headers
            resolve(location === undefined ? undefined : get(location))
          })
        })
        .on('error', reject)
    })
  const clients: Record<string, (url: string) => Promise<unknown>> = {
    'http.get, following by hand': get,
    axios: url => axios.get(url, { httpAgent: agent, proxy: false }),
    got: url => got(url, { agent: { http: agent }, retry: { limit: 0 } }).text(),
    'undici 7 fetch': async url => (await undici7.fetch(url, { dispatcher: agent7 })).text(),
    'undici 7 request': async url => (await undici7.request(url, { dispatcher: agent7 })).body.text(),
    'undici 6 fetch': async url => (await undici6.fetch(url, { dispatcher: agent6 })).text(),
    'undici 6 request': async url => (await undici6.request(url, { dispatcher: agent6 })).body.text(),
    ...(generation < 8 && {
      'built-in fetch': async (url: string) => (await builtIn(url, { dispatcher: inner } as never)).text(),
    }),
  }
  for (const [name, client] of Object.entries(clients)) {
    await runInLane('gray', client, stranger)
    t.notOk(carries(third.seen.pop()), `${name}: not directly`)
    await runInLane('gray', client, 'http://sc-b/elsewhere')
    t.equal(service.seen.pop()?.['x-mse-tag'], 'gray', `${name}: the service got it`)
    t.notOk(carries(third.seen.pop()), `${name}: not by redirect`)
  }
  t.strictSame([service.seen, third.seen], [[], []], 'no other request was made')
})

t.test('services called __proto__ or constructor are hosts like others', async t => {
  const far = await party(t)
  const agent = new LaneAgent(
    {
      resolver: createLaneResolver({
        sources: [createStaticSource(JSON.parse(`{"__proto__":[{"host":"127.0.0.1","port":${far.port}}]}`))],
        services: ['__proto__', 'constructor'],
        readyTimeoutMs: 50,
        env: {},
        warn() {},
      }),
      warn() {},
    },
    { lookup } as never,
  )
  t.teardown(() => agent.destroy())
  const get = (url: string) =>
    new Promise<number | string>(resolve => {
      http
        .get(url, { agent }, answer => {
          answer.resume()
          resolve(answer.statusCode ?? 0)
        })
        .on('error', error => resolve((error as NodeJS.ErrnoException).code ?? error.message))
    })
  t.equal(await runInLane('constructor', get, 'http://__proto__/'), 200)
  t.equal(far.seen.pop()?.['x-mse-tag'], 'constructor')
  await runInLane('gray', get, 'http://constructor/')
  t.strictSame(far.seen, [], 'nothing was registered under the other')
})

function carries(headers: IncomingHttpHeaders | undefined): boolean {
  if (headers === undefined) throw new Error('the third party was not asked')
  return headers['x-mse-tag'] !== undefined || hasLaneMember(String(headers['baggage'] ?? ''))
}
