// Services of two versions in one registry, as while Laneway itself is rolled out.
import { spawn } from 'node:child_process'
import { get } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createNacosClient } from '@laneway/nacos'
import { createNacosDevServer } from '@laneway/nacos-dev-server'

const root = fileURLToPath(new URL('../..', import.meta.url))
const READY_MS = 60_000
const AT_ONCE = 8
const children = new Set()
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** B has an instance of lane gray, C one of lane blue: a call may have to leave its lane and come back. */
const LANES = { 'sc-a': [''], 'sc-b': ['', 'gray'], 'sc-c': ['', 'blue'] }
/** How an outside client can say the lane. */
const CARRIERS = {
  'x-mse-tag': lane => ({ 'x-mse-tag': lane }),
  baggage: lane => ({ baggage: `user=7,x-mse-tag=${lane}` }),
  'baggage of MSE': lane => ({
    baggage: `__microservice_tag__=${encodeURIComponent(JSON.stringify([{ tag: lane, priority: 0 }]))}`,
  }),
}

/** @param sides - name of a version -> its `@laneway/register`, and settings of its own */
export async function startFleet(protocol, sides, versionsOf = () => Object.keys(sides)) {
  const nacos = await createNacosDevServer({ port: 0 }).start()
  const services = Object.entries(LANES).flatMap(([service, lanes]) =>
    lanes.flatMap(lane => versionsOf(service).map(version => ({ service, lane, version }))),
  )
  const started = await Promise.all(services.map(one => startService(one, protocol, sides[one.version], nacos.address)))
  const client = createNacosClient({ servers: nacos.address })
  const listed = async service => (await client.naming.query({ service })).instances.length
  for (const [service, lanes] of Object.entries(LANES)) {
    const end = performance.now() + READY_MS
    while ((await listed(service)) < lanes.length * versionsOf(service).length) {
      if (performance.now() > end) throw new Error(`${service} does not register`)
      await sleep(100)
    }
  }
  return {
    entrances: started.filter(one => one.service === 'sc-a'),
    async close() {
      for (const { child } of started) child.kill('SIGKILL')
      await client.close()
      await nacos.close()
    },
  }
}

async function startService({ service, lane, version }, protocol, { register, env }, nacos) {
  const self = `${version}:${service}:${lane || 'base'}`
  const child = spawn(process.execPath, ['--import', register, 'test/compat/service.mjs'], {
    cwd: root,
    env: {
      PATH: process.env.PATH,
      SELF: self,
      PROTOCOL: protocol,
      ...(service === 'sc-a' && { ENTRANCE: '1' }),
      LANEWAY_NACOS: nacos,
      LANEWAY_SERVICE: service,
      LANEWAY_TAG: lane,
      LANEWAY_BAGGAGE: '1',
      // A slow machine is no subject here.
      LANEWAY_LOOKUP_TIMEOUT_MS: '20000',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.add(child)
  let said = ''
  const port = await new Promise((resolve, reject) => {
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.on('data', chunk => {
        said = (said + chunk).slice(-10_000)
        const found = /^port (\d+)$/m.exec(said)
        if (found !== null) resolve(Number(found[1]))
      })
    }
    child.once('exit', code => reject(new Error(`${self} ended with ${code}: ${said}`)))
  })
  return { service, version, child, port, output: () => said }
}

/** Sends requests in and out of lanes through all entrances. @returns counts by the versions on the way, `old>new>old` */
export async function load({ entrances }, perLane) {
  const counts = new Map()
  const work = []
  for (const { port, version } of entrances) {
    for (const lane of [undefined, 'gray', 'blue']) {
      for (const carrier of Object.keys(lane === undefined ? { none: 0 } : CARRIERS)) {
        for (let i = 0; i < perLane; i++) work.push({ port, version, lane, headers: CARRIERS[carrier]?.(lane) ?? {} })
      }
    }
  }
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let one = work.pop(); one !== undefined; one = work.pop()) judge(counts, one, await ask(one))
    }),
  )
  return counts
}

function judge(counts, { version, lane }, { status, text }) {
  const hops = [...text.matchAll(/(\w+):(sc-\w):(\w+)\[([^\]]*)\]/g)].map(([, version, service, at, tag]) => ({
    version,
    service,
    at,
    tag,
  }))
  const way = hops.length === 3 ? hops.map(one => one.version).join('>') : `${version}>?`
  if (!counts.has(way)) counts.set(way, { right: 0, wrong: 0, lost: 0, failed: 0, example: undefined })
  const count = counts.get(way)
  const kind = kindOf(lane, status, hops)
  count[kind]++
  if (kind !== 'right') count.example ??= `lane ${lane ?? '-'}: ${status} ${text}`
}

function kindOf(lane, status, hops) {
  if (status !== 200 || hops.length !== 3) return 'failed'
  const [, ...called] = hops
  const expected = lane === undefined ? '-' : `${lane} in baggage`
  const places = called.map(({ service }) => (LANES[service].includes(lane) ? lane : 'base'))
  if (called.every(({ at, tag }, index) => at === places[index] && tag === expected)) return 'right'
  return lane !== undefined && called.some(({ tag }) => tag === '-') ? 'lost' : 'wrong'
}

function ask({ port, headers }) {
  return new Promise(resolve => {
    get({ host: '127.0.0.1', port, path: '/sc-b/sc-c', headers, agent: false }, async response => {
      resolve({ status: response.statusCode, text: (await response.setEncoding('utf8').toArray()).join('') })
    }).on('error', error => resolve({ status: 0, text: String(error) }))
  })
}
