// Restarts all base instances of a service one after the other, under 80 % load, then lets the registry lose sight of most
// of them for a while, and prints errors and latency: plain round robin, Laneway as it comes, with warm-up, and with warm-up
// and panic threshold.
//
//   node --import tsx --conditions=@laneway/source test/balance/rolling-restart.ts [--full]
//   node --import tsx --conditions=@laneway/source test/balance/rolling-restart.ts --simulated
//
// --simulated plays the same in simulated time, with the real resolver: the same figures on every machine, in a second.
//
// Real processes and real connections on the loopback; the time that a request takes is simulated, so that the figures are
// those of queues and not of this machine. Without --full: fewer instances, less load, half a minute.
import { type ChildProcess, fork } from 'node:child_process'
import http from 'node:http'
import { fileURLToPath } from 'node:url'
import { runInLane } from '@laneway/core'
import {
  createLaneResolver,
  createStaticSource,
  type EndpointInput,
  type LaneResolverOptions,
} from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
import {
  lostOf,
  rollingRestart,
  roundRobin,
  SimulatedService,
  laneway as simulatedLaneway,
} from '../../packages/discovery/test/simulated-service.js'

const simulated = process.argv.includes('--simulated')
const full = simulated || process.argv.includes('--full')
const INSTANCES = full ? 8 : 4
const SLOTS = 1
const SERVICE_MS = 100
/** Requests per second that one warm instance can serve. */
const CAPACITY = (SLOTS * 1000) / SERVICE_MS
const LOAD = 0.8
const COLD_REQUESTS = 10
const COLD_FACTOR = 5
const SLOW_START_MS = 3000
const PAUSE_MS = 3000
const TIMEOUT_MS = 2000
const LOST_MS = 3000
/** A machine that lets this process wait for longer says nothing about the balance. */
const LATE_MS = 200
const GRAY_SHARE = 0.1
const PROGRAM = fileURLToPath(new URL('cold-instance.mjs', import.meta.url))

interface Instance {
  readonly process: ChildProcess
  readonly port: number
  readonly tag: string
}

type Send = (lane: string | undefined, done: (error: Error | undefined, tag: string) => void) => void

interface Client {
  readonly name: string
  /** Takes over the list that the registry has. */
  list(endpoints: readonly EndpointInput[]): void
  readonly send: Send
  close(): Promise<void> | void
}

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

function start(tag: string, cold: boolean): Promise<Instance> {
  const settings = JSON.stringify([tag, SLOTS, SERVICE_MS, COLD_REQUESTS, cold ? COLD_FACTOR : 1])
  const child = fork(PROGRAM, [settings], { execArgv: [] })
  return new Promise((resolve, reject) => {
    child.once('message', port => resolve({ process: child, port: port as number, tag }))
    child.once('error', reject)
  })
}

function drain({ process }: Instance): Promise<unknown> {
  const gone = new Promise(resolve => process.once('exit', resolve))
  process.send('drain')
  return gone
}

/** Sends, and reports the tag of the instance that answered. */
function request(options: http.RequestOptions, done: (error: Error | undefined, tag: string) => void): void {
  let over = false
  const finish = (error: Error | undefined, tag = '') => {
    if (!over) done(error, tag)
    over = true
  }
  const made = http.get({ ...options, signal: AbortSignal.timeout(TIMEOUT_MS) }, response => {
    let tag = ''
    response.on('data', part => {
      tag += part
    })
    response.on('end', () => finish(undefined, tag)).on('error', finish)
  })
  made.on('error', finish)
}

/** What most balancers do: each ready instance in turn. Lanes as Laneway has them. */
function plainRoundRobin(): Client {
  const agent = new http.Agent({ keepAlive: true })
  let endpoints: readonly EndpointInput[] = []
  let turn = 0
  return {
    name: 'plain round robin',
    list(next) {
      endpoints = next.filter(one => one.health !== 'unhealthy')
    },
    send(lane, done) {
      const own = endpoints.filter(one => (one.tags?.[0] ?? undefined) === lane)
      const { host, port } = own[turn++ % own.length]!
      request({ agent, host, port }, done)
    },
    close: () => agent.destroy(),
  }
}

function laneway(name: string, options: Partial<LaneResolverOptions>): Client {
  const source = createStaticSource({ s: [] })
  const resolver = createLaneResolver({ sources: [source], services: ['s'], env: {}, ...options })
  const agent = new LaneAgent({ resolver }, { keepAlive: true })
  return {
    name,
    list: endpoints => source.update({ s: endpoints }),
    send: (lane, done) => runInLane(lane, () => request({ agent, host: 's' }, done)),
    async close() {
      agent.destroy()
      await resolver.close()
    },
  }
}

class Figures {
  readonly #times: number[] = []
  /** Requests that this process should have sent earlier. */
  late = 0
  errors = 0
  wrongLanes = 0

  add(lane: string | undefined, began: number, error: Error | undefined, tag: string): void {
    if (error !== undefined) this.errors++
    else {
      this.#times.push(performance.now() - began)
      if (tag !== (lane ?? 'base')) this.wrongLanes++
    }
  }

  get text(): string {
    const times = this.#times.sort((a, b) => a - b)
    const at = (share: number) =>
      `${Math.round(times[Math.min(times.length - 1, Math.floor(times.length * share))] ?? 0)}`
    const columns = [times.length + this.errors, this.errors, at(0.5), at(0.99), at(0.999), this.wrongLanes, this.late]
    return columns.map(column => String(column).padStart(9)).join('')
  }
}

/** Sends at a fixed rate, whether or not answers come, until it is stopped. */
function load({ send }: Client, perSecond: number, figures: () => Figures) {
  const began = performance.now()
  let sent = 0
  let open = 0
  const timer = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * perSecond)
    const overdue = Math.floor(due - sent - (LATE_MS / 1000) * perSecond)
    if (overdue > 0) {
      // Sent all at once they would be a load of another kind.
      figures().late += overdue
      sent += overdue
    }
    for (; sent < due; sent++) {
      const lane = (sent * GRAY_SHARE) % 1 < GRAY_SHARE - 1e-9 ? 'gray' : undefined
      const at = performance.now()
      const into = figures()
      open++
      send(lane, (error, tag) => {
        open--
        into.add(lane, at, error, tag)
      })
    }
  }, 5)
  return async () => {
    clearInterval(timer)
    while (open > 0) await sleep(10)
  }
}

async function run(client: Client): Promise<void> {
  let base = await Promise.all(Array.from({ length: INSTANCES }, () => start('base', false)))
  const gray = await start('gray', false)
  const list = (ill: number) => {
    const all = [...base, gray]
    client.list(
      all.map(({ port, tag }, index) => ({
        host: '127.0.0.1',
        port,
        tags: tag === 'base' ? [] : [tag],
        health: index < ill ? 'unhealthy' : 'healthy',
      })),
    )
  }
  list(0)
  const restart = new Figures()
  const lost = new Figures()
  let figures = restart
  const perSecond = (INSTANCES * CAPACITY * LOAD) / (1 - GRAY_SHARE)
  const stop = load(client, Math.min(perSecond, (CAPACITY * 0.8) / GRAY_SHARE), () => figures)
  await sleep(1000)
  for (const old of base) {
    // As a Deployment with maxSurge 1: the successor comes when it listens, then the old one leaves the list, and drains.
    base = [...base.filter(one => one !== old), await start('base', true)]
    list(0)
    void drain(old)
    await sleep(PAUSE_MS)
  }
  await sleep(SLOW_START_MS)
  figures = lost
  list(Math.floor(INSTANCES * 0.75))
  await sleep(LOST_MS)
  list(0)
  await sleep(2 * TIMEOUT_MS)
  await stop()
  await client.close()
  await Promise.all([...base, gray].map(drain))
  console.log(`${client.name.padEnd(34)}restart ${restart.text}`)
  console.log(`${''.padEnd(34)}lost    ${lost.text}`)
}

const warm = { slowStartMs: SLOW_START_MS }
const SIDES: readonly (readonly [name: string, options?: Partial<LaneResolverOptions>])[] = [
  ['plain round robin'],
  ['Laneway', {}],
  ['Laneway, warm-up', warm],
  ['Laneway, warm-up, threshold 0.5', { ...warm, panicThreshold: 0.5 }],
]

if (simulated) simulate()
else {
  console.log(
    `${INSTANCES} base instances of ${CAPACITY} requests per second each, ${LOAD * 100} % load; ` +
      `the first ${COLD_REQUESTS} requests of a new one take up to ${COLD_FACTOR} times as long\n`,
  )
  const heads = ['requests', 'errors', 'p50 ms', 'p99 ms', 'p99.9 ms', 'wrong', 'not sent']
  console.log(`${''.padEnd(42)}${heads.map(head => head.padStart(9)).join('')}`)
  for (const [name, options] of SIDES) await run(options === undefined ? plainRoundRobin() : laneway(name, options))
}

/** The restart, then the loss of three quarters of the instances from the list. Errors and p99 for several loads and colds. */
function simulate(): void {
  const cases = [0.8, 0.9].flatMap(load => [5, 7].map(cold => ({ load, cold })))
  const titles = cases.map(({ load, cold }) => `${load * 100} %, ${cold} x`.padStart(16))
  console.log(`errors / p99 in ms, by load and by how much longer the first requests of a new instance take\n`)
  console.log(`${''.padEnd(42)}${titles.join('')}`)
  for (const [name, options] of SIDES) {
    const caller = options === undefined ? roundRobin : simulatedLaneway(options)
    const plans = { restart: rollingRestart(INSTANCES, PAUSE_MS), lost: lostOf(Math.floor(INSTANCES * 0.75)) }
    for (const [what, plan] of Object.entries(plans)) {
      const cells = cases.map(({ load, cold }) => {
        const service = new SimulatedService(INSTANCES, cold).run(caller, load, INSTANCES * PAUSE_MS + 8000, plan)
        return `${service.errors} / ${service.percentile(0.99)}`.padStart(16)
      })
      console.log(`${(what === 'restart' ? name : '').padEnd(34)}${what.padEnd(8)}${cells.join('')}`)
    }
  }
}
