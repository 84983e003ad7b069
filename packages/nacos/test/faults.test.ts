import { spawn } from 'node:child_process'
import { parseLane } from '@laneway/core'
import { createLaneResolver, type LaneResolver } from '@laneway/discovery'
import { createNacosDevServer, type NacosDevServer, type NacosDevServerOptions } from '@laneway/nacos-dev-server'
import { localhost, stranger } from '@laneway/testkit/key-pairs'
import t, { type Test } from 'tap'
import {
  createNacosClient,
  createNacosSource,
  laneMetadata,
  type NacosClient,
  type NacosClientOptions,
} from '../src/index.js'

// Faults as a resolver sees them, against a server that shares no code with the client.

const quick = {
  requestTimeoutMs: 300,
  healthIntervalMs: 100,
  maxReconnectDelayMs: 100,
  redoIntervalMs: 50,
  warn: () => {},
}
const gray = parseLane('gray')

async function devServer(t: Test, options: NacosDevServerOptions = {}): Promise<NacosDevServer> {
  const made = createNacosDevServer({ port: 0, pushDelayMs: 0, configDelayMs: 0, ...options })
  await made.start()
  t.teardown(() => made.close())
  return made
}

function client(t: Test, servers: string | string[], options: Partial<NacosClientOptions> = {}): NacosClient {
  const made = createNacosClient({ servers, ...quick, ...options })
  t.teardown(() => made.close())
  return made
}

interface Scene {
  readonly nacos: NacosDevServer
  readonly consumer: NacosClient
  readonly provider: NacosClient
  readonly resolver: LaneResolver
  /** Picks without pause; `failed` counts those without an endpoint. */
  readonly picks: { total: number; failed: number }
  until(test: () => boolean): Promise<void>
}

/** A resolver that picks all the time, a base and a gray instance of the service, and nothing wrong yet. */
async function scene(
  t: Test,
  options: NacosDevServerOptions = {},
  login: Partial<NacosClientOptions> = {},
): Promise<Scene> {
  const nacos = await devServer(t, options)
  const [consumer, provider, other] = [
    client(t, nacos.address, login),
    client(t, nacos.address, login),
    client(t, nacos.address, login),
  ]
  await other.naming.register({ service: 'sc-B' }, { ip: '10.0.0.1', port: 1, metadata: laneMetadata(undefined) })
  await provider.naming.register({ service: 'sc-B' }, { ip: '10.0.0.2', port: 2, metadata: laneMetadata('gray') })
  const resolver = createLaneResolver({
    sources: [createNacosSource(consumer, { listIntervalMs: 0, returnGraceMs: 1_000 })],
    services: ['sc-B'],
  })
  t.teardown(() => resolver.close())
  await resolver.ready('sc-B')
  const picks = { total: 0, failed: 0 }
  const until = async (test: () => boolean): Promise<void> => {
    while (!test()) await new Promise(resolve => setTimeout(resolve, 2))
  }
  await until(() => resolver.pick('sc-B', gray).served === 'gray')
  const timer = setInterval(() => {
    picks.total++
    if (resolver.pick('sc-B', gray).served !== 'gray' || resolver.pick('sc-B', undefined).endpoint?.port !== 1)
      picks.failed++
  }, 1)
  t.teardown(() => clearInterval(timer))
  return { nacos, consumer, provider, resolver, picks, until }
}

/** One session a client, one subscription, each instance once, and a later change arrives. */
async function settled(t: Test, { nacos, provider, resolver, picks, until }: Scene): Promise<void> {
  await until(
    () => nacos.sessions().length === 3 && nacos.subscriptions().length === 1 && nacos.instances('sc-B').length === 2,
  )
  t.same(
    nacos
      .instances('sc-B')
      .map(({ port }) => port)
      .sort(),
    [1, 2],
  )
  const before = picks.total
  await until(() => picks.total > before + 20)
  t.equal(picks.failed, 0, `${picks.total} picks went on throughout`)
  await provider.naming.register({ service: 'sc-B' }, { ip: '10.0.0.2', port: 3, metadata: laneMetadata('gray') })
  await until(() => resolver.pick('sc-B', gray).endpoint?.port === 3)
  await until(() => nacos.instances('sc-B').length === 3)
}

t.test('every connection reset at once', async t => {
  const all = await scene(t)
  all.nacos.faults.resetConnections()
  await settled(t, all)
})

t.test('the server restarts empty: what was known serves until its clients are back', async t => {
  const all = await scene(t)
  await all.nacos.faults.restart({ downMs: 100 })
  await settled(t, all)
})

t.test('streams end while TCP stays', async t => {
  const all = await scene(t)
  const before = all.nacos.sessions().map(({ connectionId }) => connectionId)
  all.nacos.faults.endStreams()
  await all.until(() => all.nacos.sessions().every(({ connectionId }) => !before.includes(connectionId)))
  await settled(t, all)
})

t.test('the server gives connections up as after silence', async t => {
  const all = await scene(t)
  all.nacos.faults.expel({ goAway: false })
  await settled(t, all)
})

t.test('half-open connections', async t => {
  const all = await scene(t)
  const before = all.nacos.sessions().map(({ connectionId }) => connectionId)
  const undo = all.nacos.faults.halfOpen({ connections: before })
  // The server does not notice that it was left; the clients are there a second time.
  await all.until(() => all.nacos.sessions().filter(({ connectionId }) => !before.includes(connectionId)).length === 3)
  undo()
  await settled(t, all)
})

t.test('answers to subscriptions get lost', async t => {
  const all = await scene(t)
  const before = all.nacos.sessions().map(({ connectionId }) => connectionId)
  const undo = all.nacos.faults.dropAnswers({ types: ['SubscribeServiceRequest', 'InstanceRequest'] })
  all.nacos.faults.resetConnections()
  // All of them were served, on new connections.
  const isNew = ({ connectionId = '' }) => !before.includes(connectionId)
  await all.until(() => all.nacos.subscriptions().some(isNew) && all.nacos.instances().filter(isNew).length === 2)
  undo()
  await settled(t, all)
})

t.test('a push that is a minute old changes nothing', async t => {
  const all = await scene(t)
  all.nacos.faults.pushStale('sc-B')
  await settled(t, all)
})

t.test('tokens expire, and the login is down meanwhile', async t => {
  const login = { username: 'u', password: 'p' }
  const all = await scene(t, { auth: { users: { u: 'p' } } }, login)
  all.nacos.faults.expireTokens()
  const undo = all.nacos.faults.failLogins(503)
  all.nacos.faults.resetConnections()
  await all.until(() => all.nacos.sessions().length === 3)
  undo()
  await all.until(() => all.nacos.subscriptions().length === 1 && all.nacos.instances('sc-B').length === 2)
  t.equal(all.picks.failed, 0)
})

t.test('two servers that restart in turn', async t => {
  const [a, b] = [await devServer(t), await devServer(t)]
  const made = client(t, [a.address, b.address])
  await made.naming.register({ service: 'x' }, { ip: '10.0.0.1', port: 1 })
  const held = (): number => [a, b].filter(one => one.instances('x').length === 1).length
  for (let round = 0; round < 3; round++) {
    for (const one of [a, b]) {
      await one.faults.restart({ downMs: 20 })
      while (held() !== 1) await new Promise(resolve => setTimeout(resolve, 2))
    }
  }
  t.equal(a.sessions().length + b.sessions().length, 1, 'one session in all')
})

t.test('the dev server in each dialect: register, see, configure, leave', async t => {
  for (const dialect of ['2.2.3', '2.5.0', '3.1.0', 'rnacos'] as const) {
    let nacos: NacosDevServer
    try {
      nacos = await devServer(t, { dialect: dialect as never })
    } catch {
      t.comment(`no dialect ${dialect}`)
      continue
    }
    const [a, b] = [client(t, nacos.address), client(t, nacos.address)]
    const ports: number[][] = []
    a.naming.subscribe(
      { service: 's' },
      { info: info => ports.push(info.instances.map(({ port }) => port)), lost: () => {} },
    )
    await b.naming.register({ service: 's' }, { ip: '10.0.0.1', port: 1, metadata: laneMetadata('gray') })
    while (ports.at(-1)?.[0] !== 1) await new Promise(resolve => setTimeout(resolve, 2))
    const heard: (string | undefined)[] = []
    a.config.listen('c', {}, { value: value => heard.push(value?.content), lost: () => {} })
    await b.config.publish('c', 'x')
    while (heard.at(-1) !== 'x') await new Promise(resolve => setTimeout(resolve, 2))
    await b.close()
    while (ports.at(-1)!.length !== 0) await new Promise(resolve => setTimeout(resolve, 2))
    t.same(ports.at(-1), [], `${dialect}: gone with its client`)
  }
})

t.test('TLS and mutual TLS; what does not fit is an error that says why', async t => {
  const plain = await devServer(t, { tls: localhost })
  const mutual = await devServer(t, { tls: { ...localhost, clientCa: localhost.cert } })
  const patient = { requestTimeoutMs: 10_000 }
  await client(t, plain.address, { ...patient, tls: { ca: localhost.cert } }).ready()
  await client(t, plain.address, { ...patient, tls: { rejectUnauthorized: false } }).ready()
  await client(t, mutual.address, { ...patient, tls: { ca: localhost.cert, ...localhost } }).ready()
  // An attempt that was made must have ended, also on a busy machine.
  const short = { requestTimeoutMs: 10_000, operationTimeoutMs: 3_000 }
  const cases: [string, string, NacosClientOptions['tls'] | undefined, RegExp][] = [
    ['no authority', plain.address, true, /self-signed certificate/],
    ['another authority', plain.address, { ca: stranger.cert }, /self-signed certificate/],
    ['plain text to TLS', plain.address, false, /LANEWAY_NACOS_UNAVAILABLE/],
    ['no client certificate', mutual.address, { ca: localhost.cert }, /LANEWAY_NACOS_UNAVAILABLE/],
    ['a stranger', mutual.address, { ca: localhost.cert, ...stranger }, /LANEWAY_NACOS_UNAVAILABLE/],
  ]
  await Promise.all(
    cases.map(async ([name, address, tls, message]) => {
      const made = client(t, address, { ...short, ...(tls !== undefined && { tls }) })
      await t.rejects(made.ready(), { code: 'LANEWAY_NACOS_UNAVAILABLE', message }, name)
    }),
  )
})

t.test('a process that closes its client ends by itself, and its instance is gone', async t => {
  const nacos = await devServer(t)
  const file = `${t.testdir()}/program.mts`
  const { writeFileSync } = await import('node:fs')
  writeFileSync(
    file,
    `import { createNacosClient, createNacosSource, registerInstance } from '@laneway/nacos'
const nacos = createNacosClient({ servers: '${nacos.address}' })
const source = createNacosSource(nacos)
source.subscribe('a', { snapshot() {}, missing() {}, stale() {} })
source.list(() => {})
nacos.config.listen('c', {}, { value() {}, lost() {} })
await registerInstance(nacos, { service: 'a', port: 1 })
console.log('registered')
await source.close()
await nacos.close()
`,
  )
  const child = spawn(process.execPath, ['--import', 'tsx', '--conditions=@laneway/source', file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', chunk => (text += chunk))
  const code = await new Promise(resolve => child.on('close', resolve))
  t.equal(text, 'registered\n')
  t.equal(code, 0)
  t.same(nacos.instances('a'), [])
})
