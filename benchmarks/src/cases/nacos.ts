import { createRequire } from 'node:module'
import { expect, type Figures, type Row, type Table } from '../case.js'
import { ServerProcess } from '../server-process.js'
import { TurnProbe } from '../turn-probe.js'

const SERVICES = 1000
const INSTANCES = 5000
const PUSHES = 5
const CALLS = 2000
const PARALLEL = 32
const CALLS_A_TURN = 100
const WAIT_MS = 60_000

/** What the cases need of a client. */
interface Client {
  /** @param told - given the number of instances, first and after each change */
  subscribe(service: string, told: (instances: number) => void): void
  /** Asks the server, not a cache. @returns the number of instances */
  query(service: string): Promise<number>
  close(): Promise<void>
}

type Connect = (server: ServerProcess) => Promise<Client>

const portOf = (server: ServerProcess, key: 'port' | 'grpcPort'): number => Number(server.ready[key])

const laneway: Connect = async server => {
  const { createNacosClient } = await import('@laneway/nacos')
  const port = portOf(server, 'port')
  const nacos = createNacosClient({ servers: `127.0.0.1:${port}`, grpcPortOffset: portOf(server, 'grpcPort') - port })
  await nacos.ready()
  return {
    subscribe(service, told) {
      nacos.naming.subscribe({ service }, { info: ({ instances }) => told(instances.length), lost() {} })
    },
    query: async service => (await nacos.naming.query({ service })).instances.length,
    close: () => nacos.close(),
  }
}

const require = createRequire(import.meta.url)
const silent = { info() {}, warn() {}, error() {}, debug() {} }

const nacosPackage: Connect = async server => {
  const { NacosNamingClient } = require('nacos')
  const client = new NacosNamingClient({
    logger: silent,
    serverList: `127.0.0.1:${portOf(server, 'port')}`,
    namespace: 'public',
  })
  await client.ready()
  return {
    subscribe: (service, told) => client.subscribe(service, (hosts: unknown[]) => told(hosts.length)),
    query: async service => (await client.getAllInstances(service, 'DEFAULT_GROUP', '', false)).length,
    close: async () => {},
  }
}

const rust: Connect = async server => {
  const { NacosNamingClient } = require('nacos-sdk-rust-binding-node')
  const client = new NacosNamingClient({ serverAddr: `127.0.0.1:${portOf(server, 'port')}`, namespace: '' })
  return {
    subscribe(service, told) {
      client.subscribe(service, 'DEFAULT_GROUP', null, (_: unknown, hosts: unknown[]) => told(hosts.length))
    },
    query: async service => (await client.getAllInstances(service, 'DEFAULT_GROUP', null, false)).length,
    close: async () => {},
  }
}

async function using(
  connect: Connect,
  services: number,
  instances: number,
  use: (client: Client, server: ServerProcess) => Promise<Figures>,
): Promise<Figures> {
  const server = await ServerProcess.start('nacos', String(services), String(instances))
  expect(server.ready['instances'] === instances, `${server.ready['instances']} instances`)
  const client = await connect(server)
  try {
    return await use(client, server)
  } finally {
    await client.close()
    await server.stop()
  }
}

/** Resolves when `tell` was called for everything that is waited for. */
function countDown(count: number): { tell(): void; all: Promise<void> } {
  let left = count
  let end = (): void => {}
  const all = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${left} of ${count} did not come`)), WAIT_MS)
    end = () => {
      clearTimeout(timer)
      resolve()
    }
  })
  return {
    tell() {
      if (--left === 0) end()
    },
    all,
  }
}

function subscribe(name: string, connect: Connect, peer: boolean): Row {
  return {
    name,
    ...(peer && { peer }),
    rounds: 3,
    seconds: 2,
    measure: quick =>
      using(connect, quick ? 20 : SERVICES, 10, async client => {
        const count = quick ? 20 : SERVICES
        const { tell, all } = countDown(count)
        const probe = new TurnProbe()
        const from = process.hrtime.bigint()
        for (let i = 0; i < count; i++) {
          const seen = { done: false }
          client.subscribe(`s-${i}`, instances => {
            if (seen.done || instances !== 1) return
            seen.done = true
            tell()
          })
          // The turns of the loop that subscribes are its own.
          if (i % CALLS_A_TURN === 0) await new Promise(resolve => setImmediate(resolve))
        }
        await all
        return {
          ms: Number(process.hrtime.bigint() - from) / 1e6,
          'processor ms': probe.cpuMs,
          'longest turn ms': await probe.stop(),
        }
      }),
  }
}

function push(name: string, connect: Connect, peer: boolean): Row {
  return {
    name,
    ...(peer && { peer }),
    rounds: 3,
    seconds: 2,
    measure: quick =>
      using(connect, 1, quick ? 50 : INSTANCES, async (client, server) => {
        let known = 0
        let wanted = quick ? 50 : INSTANCES
        let arrived = (): void => {}
        client.subscribe('large', instances => {
          known = instances
          if (known === wanted) arrived()
        })
        const come = (): Promise<void> =>
          known === wanted
            ? Promise.resolve()
            : new Promise((resolve, reject) => {
                const timer = setTimeout(() => reject(new Error(`${known} of ${wanted} instances came`)), WAIT_MS)
                arrived = () => {
                  clearTimeout(timer)
                  resolve()
                }
              })
        await come()
        const probe = new TurnProbe()
        const pushes = quick ? 1 : PUSHES
        for (let turn = 0; turn < pushes; turn++) {
          wanted++
          const arrival = come()
          await server.ask('grow')
          await arrival
        }
        return { 'longest turn ms': await probe.stop() }
      }),
  }
}

function calls(name: string, connect: Connect, peer: boolean): Row {
  return {
    name,
    ...(peer && { peer }),
    rounds: 3,
    seconds: 2,
    measure: quick =>
      using(connect, 1, 10, async client => {
        let left = quick ? 40 : CALLS
        const total = left
        let instances = 0
        // The server takes a moment to show what it was told.
        while ((await client.query('ten')) !== 10) await new Promise(resolve => setTimeout(resolve, 20))
        const from = process.hrtime.bigint()
        const probe = process.cpuUsage()
        await Promise.all(
          Array.from({ length: PARALLEL }, async () => {
            while (left-- > 0) {
              const answer = await client.query('ten')
              instances += answer
            }
          }),
        )
        expect(instances === total * 10, `${instances} instances in ${total} answers`)
        const { user, system } = process.cpuUsage(probe)
        const seconds = Number(process.hrtime.bigint() - from) / 1e9
        return { 'calls/s': total / seconds, 'processor µs a call': (user + system) / total }
      }),
  }
}

/** `nacos` polls over HTTP and is pushed to over UDP, which this server does not speak. */
const NO_PUSH = 'needs UDP pushes'

export const nacos: readonly Table[] = [
  {
    name: 'nacos/subscribe',
    about:
      '1000 services, from the first call to the last list, against the in-memory server in another process. Longest turn: for how long the event loop did nothing else.',
    rows: [
      subscribe('laneway', laneway, false),
      subscribe('nacos 2.6.3', nacosPackage, true),
      subscribe('nacos-sdk-rust-binding-node', rust, true),
    ],
    targets: [{ row: 'laneway', figure: 'longest turn ms', atMost: 10 }],
  },
  {
    name: 'nacos/push',
    about: 'One instance joins a service of 5000, and the whole list is pushed.',
    rows: [
      push('laneway', laneway, false),
      { ...push('nacos 2.6.3', nacosPackage, true), skip: () => NO_PUSH },
      push('nacos-sdk-rust-binding-node', rust, true),
    ],
    targets: [{ row: 'laneway', figure: 'longest turn ms', atMost: 10 }],
  },
  {
    name: 'nacos/calls',
    about: 'Queries of a service of ten instances, 32 at a time.',
    rows: [
      calls('laneway', laneway, false),
      calls('nacos 2.6.3', nacosPackage, true),
      calls('nacos-sdk-rust-binding-node', rust, true),
    ],
    targets: [{ row: 'laneway', figure: 'calls/s', per: 'nacos 2.6.3', atLeast: 1 }],
  },
]
