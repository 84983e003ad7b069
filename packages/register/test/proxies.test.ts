import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http, { type RequestListener } from 'node:http'
import https from 'node:https'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createNacosClient, registerInstance } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { listen } from '@laneway/testkit'
import { cert, key } from '@laneway/testkit/certificate'
import t, { type Test } from 'tap'
import { nodeBinary } from '../../../scripts/node-versions.mjs'
import { type App, ask, program, startApp } from './start-app.js'

const CLIENTS = ['get', 'axios', 'got']
const AGENTS = [
  'http-proxy-agent 7 for http, https-proxy-agent 7 for https',
  'https-proxy-agent 5',
  'https-proxy-agent 7',
  'https-proxy-agent 9',
  'https-proxy-agent 7, keep-alive',
]

for (const agent of AGENTS) {
  t.test(`${agent}: services are called past the proxy, and third parties through it without the tag`, async t => {
    const network = await startNetwork(t)
    const app = await startApp(t, program('proxied.mjs'), {
      environment: { ...network.environment, PROXY: network.proxy },
    })
    for (const client of CLIENTS) await judge(t, network, app, client, agent)
  })
}

// One that is no http.Agent, and one that is.
for (const agent of ['https-proxy-agent 5', 'https-proxy-agent 7']) {
  t.test(`${agent}, as globalAgent: the same for calls without an agent`, async t => {
    const network = await startNetwork(t)
    const app = await startApp(t, program('proxied.mjs'), {
      environment: { ...network.environment, PROXY: network.proxy, GLOBAL_AGENT: agent },
    })
    for (const client of ['get', 'axios']) await judge(t, network, app, client)
  })
}

t.test(
  'proxies of undici: services are called past the proxy, and third parties through it without the tag',
  async t => {
    const network = await startNetwork(t)
    const environment = { ...network.environment, PROXY: network.proxy }
    const app = await startApp(t, program('proxied.mjs'), { environment })
    for (const client of ['ProxyAgent of undici', 'EnvHttpProxyAgent of undici']) await judge(t, network, app, client)
  },
)

t.test('a name is asked for when it is called: the proxy gets it only when it names no service', async t => {
  const network = await startNetwork(t)
  const nacos = await createNacosDevServer({ port: 0, pushDelayMs: 0 }).start()
  t.teardown(() => nacos.close())
  const client = createNacosClient({ servers: nacos.address })
  t.teardown(() => client.close())
  const { LANEWAY_ENDPOINTS_FILE: _, LANEWAY_SERVICES: _none, ...environment } = network.environment
  const proxied = { ...environment, LANEWAY_NACOS: nacos.address, PROXY: network.proxy }
  const ways = [
    ...AGENTS.flatMap(agent => CLIENTS.map(client => ({ client, agent, env: {} }))),
    { client: 'ProxyAgent of undici', agent: 'none', env: {} },
    { client: 'EnvHttpProxyAgent of undici', agent: 'none', env: {} },
    { client: 'axios', agent: 'none', env: { http_proxy: network.proxy, https_proxy: network.proxy } },
  ]
  const plain = await startApp(t, program('proxied.mjs'), { environment: proxied })
  const byEnvironment = await startApp(t, program('proxied.mjs'), { environment: { ...proxied, ...ways.at(-1)?.env } })
  let turn = 0
  for (const { client: caller, agent, env } of ways) {
    const app = Object.keys(env).length === 0 ? plain : byEnvironment
    const call = (url: string) => ask(`${app.url}/?${new URLSearchParams({ client: caller, agent, url })}`, 'gray')
    const name = `on-demand-${turn++}`
    // Neither is listed when it is called: the lists of names were read before.
    for (const [scheme, endpoints] of Object.entries(network.services)) {
      for (const { port, tags } of endpoints) {
        const lane = tags[0] ?? 'base'
        await registerInstance(client, { service: `${name}-${scheme}`, port, ip: '127.0.0.1', lane })
      }
    }
    network.forget()
    const title = `${caller}, ${agent}`
    t.equal(await call(`http://${name}-svc/`), 'gray[gray]', `${title}: a service`)
    t.equal(await call(`https://${name}-sc-b/`), 'safe gray[gray]', `${title}: a service by https`)
    t.strictSame(network.asked, [], `${title}: the proxy is not asked for services`)
    t.match(await call(`http://${name}-none/`), /^third\[/, `${title}: what is no service goes through the proxy`)
    t.match(await call(`https://${name}-none/`), /^safe third\[/, `${title}: by https, too`)
    t.equal(network.asked.filter(one => one.includes(`${name}-none`)).length, 2)
  }
})

t.test('axios with http_proxy and https_proxy: services are called past the proxy', async t => {
  const network = await startNetwork(t)
  const { environment, proxy } = network
  const app = await startApp(t, program('proxied.mjs'), {
    environment: { ...environment, PROXY: proxy, http_proxy: proxy, https_proxy: proxy },
  })
  await judge(t, network, app, 'axios')
})

t.test('axios with https_proxy: a service is trusted as the agent of the app says', async t => {
  const { environment, proxy } = await startNetwork(t)
  const app = await startApp(t, program('proxied.mjs'), {
    environment: { ...environment, PROXY: proxy, https_proxy: proxy, CERT: cert, NODE_TLS_REJECT_UNAUTHORIZED: '1' },
  })
  const call = (client: string) => ask(`${app.url}/?${new URLSearchParams({ client, url: 'https://sc-b/' })}`, 'gray')
  t.equal(await call('axios with an authority'), 'safe gray[gray]')
  t.match(await call('axios'), /self-signed certificate/)
})

for (const major of [22, 24, 26]) {
  t.test(`NODE_USE_ENV_PROXY on Node ${major}: services are called past the proxy by every client`, async t => {
    const node = await nodeBinary(major)
    if (node === undefined) {
      t.comment(`no binary of Node ${major} for this machine`)
      return
    }
    const network = await startNetwork(t)
    const { environment, proxy } = network
    const app = await startApp(t, program('proxied.mjs'), {
      node,
      environment: { ...environment, PROXY: proxy, NODE_USE_ENV_PROXY: '1', HTTP_PROXY: proxy, HTTPS_PROXY: proxy },
    })
    for (const client of [...CLIENTS, 'fetch']) await judge(t, network, app, client)
  })
}

/** Calls services and third parties with one client, in a lane, in base, and with a tag set by hand. */
async function judge(t: Test, network: Network, app: App, client: string, agent = 'none') {
  const call = (url: string, tag?: string, hand?: string) => {
    const asked = new URLSearchParams({ client, agent, url, ...(hand !== undefined && { hand }) })
    return ask(`${app.url}/?${asked}`, tag)
  }
  network.forget()
  t.equal(await call('http://svc/', 'gray'), 'gray[gray]', `${client}: a service in the lane`)
  t.equal(await call('http://svc/'), 'base[]', `${client}: a service without a lane`)
  t.equal(await call('https://sc-b/', 'gray'), 'safe gray[gray]', `${client}: a service by https`)
  t.strictSame(network.asked, [], `${client}: the proxy is not asked for services`)
  for (const protocol of ['http', 'https']) {
    const third = protocol === 'http' ? 'third' : 'safe third'
    const url = `${protocol}://third.example/`
    t.equal(await call(url, 'gray'), `${third}[]`, `${client}: a third party by ${protocol}`)
    t.equal(await call(url, undefined, 'gray'), `${third}[]`, `${client}: a tag set by hand, by ${protocol}`)
  }
  t.strictSame(
    network.asked.filter(one => !one.endsWith('third.example [undefined]')),
    [],
    `${client}: and it never sees a tag`,
  )
}

interface Network {
  readonly environment: Record<string, string>
  readonly proxy: string
  readonly services: Record<string, readonly { readonly port: number; readonly tags: readonly string[] }[]>
  /** What the proxy was asked: method, host, tag. */
  readonly asked: string[]
  forget(): void
}

/** The services `svc` (http) and `sc-b` (https), a third party of both kinds, and a proxy that leads to it. */
async function startNetwork(t: Test): Promise<Network> {
  const answer =
    (name: string): RequestListener =>
    (req, res) => {
      const tags = req.rawHeaders.filter((_, index) => req.rawHeaders[index - 1]?.toLowerCase() === 'x-mse-tag')
      res.end(`${name}[${tags.join()}]`)
    }
  const plain = (name: string) => listen(t, http.createServer(answer(name)))
  const safe = (name: string) => listen(t, https.createServer({ key, cert }, answer(`safe ${name}`)))
  const third = { 80: await plain('third'), 443: await safe('third') }
  const services = {
    svc: [
      { host: '127.0.0.1', port: await plain('base'), tags: [] },
      { host: '127.0.0.1', port: await plain('gray'), tags: ['gray'] },
    ],
    'sc-b': [
      { host: '127.0.0.1', port: await safe('base'), tags: [] },
      { host: '127.0.0.1', port: await safe('gray'), tags: ['gray'] },
    ],
  }
  const folder = mkdtempSync(join(tmpdir(), 'laneway-register-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'endpoints.json')
  writeFileSync(file, JSON.stringify({ services }))

  const asked: string[] = []
  const note = (request: http.IncomingMessage, host: string) => {
    asked.push(`${request.method} ${host} [${request.headers['x-mse-tag']}]`)
  }
  const proxy = http.createServer((request, response) => {
    const { hostname, pathname } = new URL(request.url ?? '')
    note(request, hostname)
    const { method, headers } = request
    http.get({ host: '127.0.0.1', port: third[80], path: pathname, method, headers }, answered => {
      response.writeHead(answered.statusCode ?? 0)
      answered.pipe(response)
    })
  })
  proxy.on('connect', (request, socket) => {
    const [hostname = '', port] = (request.url ?? '').split(':')
    note(request, hostname)
    const onward = net.connect(port === '443' ? third[443] : third[80], '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    for (const end of [onward, socket]) {
      end.on('error', () => {})
      t.teardown(() => end.destroy())
    }
  })
  return {
    environment: {
      LANEWAY_ENDPOINTS_FILE: file,
      LANEWAY_SERVICES: 'svc,sc-b',
      // The names of the certificate are not the subject here.
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    },
    proxy: `http://127.0.0.1:${await listen(t, proxy)}`,
    services,
    asked,
    forget() {
      asked.length = 0
    },
  }
}
