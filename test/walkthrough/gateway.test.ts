import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createNacosClient, registerInstance } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import t from 'tap'
import { objectOf } from './manifests.js'
import { startGateway } from './running-gateway.js'
import { assertTraced } from './traced.js'

const FOLLOWER = 'examples/end-to-end-canary/docker/gateway/follow-traffic-routing.js'

async function instanceOfA(t: any, nacos: any, lane: string) {
  const server = createServer((req, res) => res.end(`${lane || 'base'} ${req.headers['x-mse-tag'] ?? 'untagged'}`))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  await registerInstance(nacos, { service: 'sc-A', ip: '127.0.0.1', port, lane, leaveDelayMs: 0 })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
}

/** A registry with one base and one gray instance of A. */
async function setUp(t: any): Promise<string> {
  const server = await createNacosDevServer({ port: 0, pushDelayMs: 0, configDelayMs: 0 }).start()
  const nacos = createNacosClient({ servers: server.address })
  t.teardown(async () => {
    await nacos.close()
    await server.close()
  })
  for (const lane of ['', 'gray']) await instanceOfA(t, nacos, lane)
  return server.address
}

async function ask(url: string, headers: Record<string, string> = {}): Promise<string> {
  return (await fetch(`${url}/a`, { headers })).text()
}

const XIAOMING = { 'user-agent': 'xiaoming' }

t.test('the gateway of the manifests colours by the TrafficRouting, while it is in progress', async t => {
  const nacos = await setUp(t)
  let phase = 'Healthy'
  const routing = objectOf('laneway-gateway', 'TrafficRouting', 'lane-traffic')
  const half = objectOf('laneway-gateway/half-of-requests', 'TrafficRouting', 'lane-traffic')
  let current = routing
  const api = createServer((_req, res) => res.end(JSON.stringify({ ...current, status: { phase } })))
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  const folder = t.testdir({ token: 'secret' })
  const env = {
    API_SERVER: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
    TOKEN_FILE: join(folder, 'token'),
  }
  const arguments_ = [FOLLOWER, 'lane-traffic', join(folder, 'traffic-routing.yaml')]
  const follower = { env: { ...process.env, ...env, INTERVAL_MS: '50' }, stdio: 'ignore' as const }
  t.equal((await once(spawn(process.execPath, [...arguments_, '--once'], follower), 'exit'))[0], 0)
  const following = spawn(process.execPath, arguments_, follower)
  t.teardown(() => {
    following.kill()
    api.closeAllConnections()
    api.close()
  })
  const { url, admin } = await startGateway(t, 'laneway-gateway', folder, nacos)
  const probes = objectOf('laneway-gateway', 'Deployment', 'laneway-gateway').spec.template.spec.containers[0]
  t.equal((await fetch(`${admin}${probes.livenessProbe.httpGet.path}`)).status, 200)
  // Ready when the registry has told where A is.
  while ((await fetch(`${admin}${probes.readinessProbe.httpGet.path}`)).status !== 200);
  t.equal(await ask(url, XIAOMING), 'base untagged')
  t.equal(await ask(url, { 'x-mse-tag': 'gray' }), 'base untagged', 'nobody tags himself')
  phase = 'Progressing'
  while ((await ask(url, XIAOMING)) === 'base untagged');
  t.equal(await ask(url, XIAOMING), 'gray gray')
  t.equal(await ask(url), 'base untagged')
  const rules = readFileSync(join(folder, 'traffic-routing.yaml'), 'utf8')
  await t.test('laneway trace prints what the pages show', t => assertTraced(t, rules))
  current = half
  while ((await ask(url, XIAOMING)) === 'gray gray');
  const users = Array.from({ length: 100 }, (_, id) => ({ 'x-user-id': `${id}` }))
  const first: string[] = []
  for (const user of users) first.push(await ask(url, user))
  t.strictSame([...new Set(first)].sort(), ['base untagged', 'gray gray'])
  for (const [id, user] of users.entries()) t.equal(await ask(url, user), first[id], 'sticky')
  phase = 'Finalizing'
  while ((await ask(url, users[first.indexOf('gray gray')])) === 'gray gray');
  for (const user of users) t.equal(await ask(url, user), 'base untagged')
})

t.test('the gateway behind a Gateway believes its tag, and falls back without an instance', async t => {
  const nacos = await setUp(t)
  const { url } = await startGateway(t, 'gateway-api', t.testdir({}), nacos)
  t.equal(await ask(url, XIAOMING), 'base untagged', 'colours nothing itself')
  t.equal(await ask(url, { 'x-mse-tag': 'gray' }), 'gray gray')
  t.equal(await ask(url, { 'x-mse-tag': 'blue' }), 'base blue')
})
