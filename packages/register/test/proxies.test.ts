import { createNacosClient, registerInstance } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { cert } from '@laneway/testkit/certificate'
import t from 'tap'
import { CLIENTS, judge, startNetwork } from './proxied-network.js'
import { ask, program, startApp } from './start-app.js'

const AGENTS = [
  'http-proxy-agent 7 for http, https-proxy-agent 7 for https',
  'https-proxy-agent 5',
  'https-proxy-agent 7',
  'https-proxy-agent 9',
  'https-proxy-agent 7, keep-alive',
]

const CLIENTS_OF_UNDICI = ['ProxyAgent of undici', 'EnvHttpProxyAgent of undici']

t.test('services are called past the proxy, and third parties through it without the tag', async t => {
  const network = await startNetwork(t)
  const app = await startApp(t, program('proxied.mjs'), {
    environment: { ...network.environment, PROXY: network.proxy },
  })
  const ways = AGENTS.flatMap(agent => CLIENTS.map(client => [client, agent] as const))
  for (const [client, agent] of [...ways, ...CLIENTS_OF_UNDICI.map(client => [client, 'none'] as const)]) {
    await t.test(`${client}, ${agent}`, t => judge(t, network, app, client, agent))
  }
})

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

t.test('a name is asked for when it is called: the proxy gets it only when it names no service', async t => {
  const network = await startNetwork(t)
  const nacos = await createNacosDevServer({ port: 0, pushDelayMs: 0 }).start()
  t.teardown(() => nacos.close())
  const client = createNacosClient({ servers: nacos.address })
  t.teardown(() => client.close())
  const { LANEWAY_ENDPOINTS_FILE: _, LANEWAY_SERVICES: _none, ...environment } = network.environment
  // The names are the subject here, not how long a busy machine takes to answer.
  const patience = { LANEWAY_LOOKUP_TIMEOUT_MS: '60000' }
  const proxied = { ...environment, ...patience, LANEWAY_NACOS: nacos.address, PROXY: network.proxy }
  const ways = [
    ...AGENTS.flatMap(agent => CLIENTS.map(client => ({ client, agent, env: {} }))),
    ...CLIENTS_OF_UNDICI.map(client => ({ client, agent: 'none', env: {} })),
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
