import http from 'node:http'
import net from 'node:net'
import { runInLane } from '@laneway/core'
import { LaneAgent, LaneHttpsAgent } from '@laneway/http'
import { cert } from '@laneway/testkit/certificate'
import { fakeResolver } from '@laneway/testkit/egress'
import axios from 'axios'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { HttpsProxyAgent as HttpsProxyAgent9 } from 'https-proxy-agent-9'
import t, { type Test } from 'tap'
import { type FarServer, farServer, send } from './far-server.js'

interface Proxied {
  base: FarServer
  gray: FarServer
  proxy: FarServer
  agent: LaneAgent
}

async function lanes(t: Test, options: object = {}): Promise<Proxied> {
  const base = await farServer(t)
  const gray = await farServer(t)
  const proxy = await farServer(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }] })
  const agent = new LaneAgent({ resolver, warn: () => {}, ...options })
  t.teardown(() => agent.destroy())
  return { base, gray, proxy, agent }
}

for (const maxRedirects of [0, 5]) {
  t.test(
    `axios with http_proxy, maxRedirects ${maxRedirects}: a resolved request bypasses the proxy, others do not`,
    async t => {
      const { base, gray, proxy, agent } = await lanes(t)
      t.teardown(setEnv('http_proxy', `http://user:secret@127.0.0.1:${proxy.port}`))
      const call = (url: string, headers = {}) => axios.get(url, { httpAgent: agent, headers, maxRedirects })
      await runInLane('gray', call, 'http://sc-b/b?c=d')
      await call('http://sc-b/base')
      await runInLane('gray', call, 'http://third.example/x')
      await call('http://third.example/hand', { 'x-mse-tag': 'gray' })
      await runInLane('gray', call, 'http://inner.svc/y')
      const tell = (far: FarServer) => far.seen.map(({ url, host, tags }) => ({ url, host, tags }))
      t.strictSame(tell(gray), [{ url: '/b?c=d', host: 'sc-b', tags: ['gray'] }])
      t.strictSame(tell(base), [{ url: '/base', host: 'sc-b', tags: [] }])
      t.strictSame(tell(proxy), [
        { url: 'http://third.example/x', host: 'third.example', tags: [] },
        { url: 'http://third.example/hand', host: 'third.example', tags: [] },
        { url: 'http://inner.svc/y', host: 'inner.svc', tags: ['gray'] },
      ])
      const names = (far: FarServer) => far.seen[0]?.rawHeaders.map(one => one.toLowerCase())
      t.equal(names(gray)?.includes('proxy-authorization'), false, "the proxy's password stays with us")
      t.equal(names(proxy)?.includes('proxy-authorization'), true)
    },
  )
}

t.test('a target in absolute form is the target, also when its head is written already', async t => {
  const { gray, proxy, agent } = await lanes(t)
  const through = (path: string, headers: unknown = {}) =>
    send(`http://127.0.0.1:${proxy.port}/`, { agent, path, headers: headers as never })
  await runInLane('gray', through, 'http://sc-b/b')
  await runInLane('gray', through, 'http://sc-b/b', ['Host', 'sc-b', 'Proxy-Authorization', 'Basic eDp5'])
  await runInLane('gray', through, 'http://third.example/')
  await runInLane('gray', through, 'https://sc-b/')
  t.strictSame(
    gray.seen.map(one => `${one.url} ${one.host} ${one.tags}`),
    ['/b sc-b gray', '/b sc-b gray'],
  )
  t.equal(gray.seen[1]?.rawHeaders.includes('Proxy-Authorization'), false)
  t.strictSame(
    proxy.seen.map(one => `${one.url} ${one.tags}`),
    ['http://third.example/ ', 'https://sc-b/ gray'],
    'https cannot be spoken by an agent for http: the proxy gets it',
  )
})

t.test('a CONNECT goes to the proxy, with a tag only for a target in scope', async t => {
  const { proxy, agent } = await lanes(t)
  const heads: string[] = []
  proxy.server.on('connect', (request, socket) => {
    heads.push(`${request.url} ${request.headers['x-mse-tag']}`)
    socket.end('HTTP/1.1 200 OK\r\n\r\n')
  })
  for (const target of ['third.example:443', 'sc-b:443', 'inner.svc:80']) {
    await new Promise<void>((resolve, reject) => {
      runInLane('gray', () => {
        const request = http.request({ host: '127.0.0.1', port: proxy.port, method: 'CONNECT', path: target, agent })
        request.on('connect', (_response, socket) => {
          socket.destroy()
          resolve()
        })
        request.on('error', reject)
        request.end()
      })
    })
  }
  t.strictSame(heads, ['third.example:443 undefined', 'sc-b:443 gray', 'inner.svc:80 gray'])
})

t.test('behind an address, Host names the target', async t => {
  const { proxy, agent } = await lanes(t)
  const url = `http://127.0.0.1:${proxy.port}/`
  await runInLane('gray', send, url, { agent, headers: { Host: 'third.example' } })
  await runInLane('gray', send, url, { agent, headers: { Host: 'inner.svc' } })
  await runInLane('gray', send, url, { agent })
  await runInLane('gray', send, `http://localhost:${proxy.port}/`, { agent, headers: { Host: 'third.example:80' } })
  t.strictSame(
    proxy.seen.map(one => one.tags),
    [[], ['gray'], ['gray'], []],
  )
})

t.test('behind a name, Host is what a reverse proxy passed on: the name is the target', async t => {
  const { gray, agent } = await lanes(t)
  await runInLane('gray', send, 'http://sc-b/', { agent, headers: { Host: 'www.third.example' } })
  t.match(gray.seen, [{ host: 'www.third.example', tags: ['gray'] }])
})

t.test('an https agent that is used for a proxy speaks plain HTTP to an http endpoint', async t => {
  const { gray } = await lanes(t)
  const resolver = fakeResolver({ 'sc-b': [{ port: gray.port, tag: 'gray' }] })
  const agent = new LaneHttpsAgent({ resolver })
  t.teardown(() => agent.destroy())
  await runInLane('gray', send, 'https://127.0.0.1:1/', { agent, path: 'http://sc-b/b' })
  t.match(gray.seen, [{ url: '/b', host: 'sc-b', tags: ['gray'] }])
})

/** A proxy for `third.example` that notes what it is asked. */
async function tunnel(t: Test, third: FarServer, asked: string[]): Promise<string> {
  const proxy = await farServer(t)
  proxy.server.on('connect', (request, socket) => {
    asked.push(`${request.url} ${request.headers['x-mse-tag']}`)
    const onward = net.connect(third.port, '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [onward, socket]) {
      end.on('error', () => {})
      t.teardown(() => end.destroy())
    }
  })
  return `http://127.0.0.1:${proxy.port}`
}

type ProxyAgentClass = new (
  proxy: string,
) => http.Agent & { connect(request: http.ClientRequest, options: { host?: string }): unknown }

const versions: [string, ProxyAgentClass][] = [
  ['7', HttpsProxyAgent as never],
  ['9', HttpsProxyAgent9 as never],
]
for (const [version, ProxyAgent] of versions) {
  t.test(`https-proxy-agent ${version} for https beside LaneAgent for http: each has its own`, async t => {
    const { base, gray, agent } = await lanes(t)
    const third = await farServer(t, undefined, true)
    const asked: string[] = []
    const httpsAgent = new ProxyAgent(await tunnel(t, third, asked))
    const call = (url: string) =>
      axios.get(url, {
        httpAgent: agent,
        httpsAgent: Object.assign(httpsAgent, { options: { ca: cert } }),
        proxy: false,
      })
    await runInLane('gray', call, 'http://sc-b/a')
    await call('http://sc-b/b')
    await runInLane('gray', call, 'https://localhost/c')
    t.match(gray.seen, [{ url: '/a', tags: ['gray'] }])
    t.match(base.seen, [{ url: '/b', tags: [] }])
    t.match(third.seen, [{ url: '/c', tags: [] }])
    t.strictSame(asked, ['localhost:443 undefined'])
  })

  t.test(`https-proxy-agent ${version} that hands services to LaneAgent: services bypass the proxy`, async t => {
    const { base, gray, agent } = await lanes(t)
    const third = await farServer(t)
    const asked: string[] = []
    class ServicesDirectly extends ProxyAgent {
      override connect(request: http.ClientRequest, options: { host?: string }): unknown {
        return options.host === 'sc-b' ? agent : super.connect(request, options)
      }
    }
    const handing = new ServicesDirectly(await tunnel(t, third, asked))
    t.teardown(() => handing.destroy())
    const call = (url: string) => send(url, { agent: handing })
    await Promise.all(
      Array.from({ length: 9 }, (_, index) => runInLane(index % 3 === 0 ? undefined : 'gray', call, 'http://sc-b/a')),
    )
    await runInLane('gray', call, 'http://third.example/c')
    t.strictSame([gray.seen.length, base.seen.length], [6, 3])
    t.ok(gray.seen.every(({ tags }) => tags.join() === 'gray'))
    t.ok(base.seen.every(({ tags }) => tags.length === 0))
    t.match(third.seen, [{ url: '/c', tags: [] }])
    t.strictSame(asked, ['third.example:80 undefined'])
  })
}

function setEnv(name: string, value: string): () => void {
  const before = process.env[name]
  process.env[name] = value
  return () => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}
