// `npm run test:chaos`: the chain of three services, base and two lanes, 20 processes, and everything that goes wrong.
import { parseArgs } from 'node:util'
import { type Fault, faultsOf } from './faults.js'
import { Fleet } from './fleet.js'
import { Load } from './load.js'
import { NoRegistry, type Registry, startRegistry } from './registry.js'
import { NOTICED_MS, report, type Window } from './report.js'

const HELP = `npm run test:chaos -- [options]

  --full           20 faults of each kind at 300 requests/s (default: 2 at 60)
  --faults <n>     faults of each kind
  --rate <n>       requests per second
  --only <regex>   faults whose name matches
  --grpc           b calls c over gRPC
  --nacos <which>  dev (in memory, default), real (nacos3), nacos2, nacos2.2: started here, with Java and Maven
  --help           this text

Held: no request fails, none is in a wrong lane, recovery within the bound. Recovery is the time from the begin of a fault
to the last request that failed or took longer than ${NOTICED_MS} ms together with more than 1 % of the requests of its second.
A registry that cannot be had is skipped where there is no Java, and a failure where there is.
`
const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    faults: { type: 'string' },
    rate: { type: 'string' },
    only: { type: 'string', default: '' },
    grpc: { type: 'boolean', default: false },
    nacos: { type: 'string', default: 'dev' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
/** The load sends a little more than it has to, so that a busy moment does not make it less. */
const MARGIN = 1.05
/** A run that is not over by then has failed. */
const LIMIT_MS = 15 * 60_000
/** After this no more faults begin, so that the limit holds. */
const LAST_BEGIN_MS = LIMIT_MS - 90_000
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

async function main(): Promise<number> {
  const began = Date.now()
  const each = Number(values.faults ?? (values.full ? 20 : 2))
  const rate = Number(values.rate ?? (values.full ? 300 : 60))
  const only = new RegExp(values.only)
  const prefix = `chaos${process.pid}`
  let registry: Registry
  try {
    registry = await startRegistry(values.nacos)
  } catch (error) {
    if (!(error instanceof NoRegistry)) throw error
    const kinds = faultsOf(undefined as never, prefix, {} as never).length + 2
    console.log(`not run: ${error.message}\nchaos: 0 passed, 0 failed, ${kinds} skipped`)
    return 0
  }
  const fleet = new Fleet(registry.address, prefix, values.grpc)
  const stop = async (code: number) => {
    await fleet.close()
    await Promise.race([registry.close(), pause(15_000)])
    process.exit(code)
  }
  const limit = setTimeout(() => {
    console.error('chaos: not over in time')
    void stop(1)
  }, LIMIT_MS)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void stop(130))
  try {
    await Promise.all(
      ['c', 'b', 'a'].map(async service => {
        for (const tag of ['', 'gray', 'blue']) {
          await Promise.all([fleet.start(service, tag), fleet.start(service, tag)])
        }
      }),
    )
    const entries = await Promise.all([fleet.start('entry', ''), fleet.start('entry', '')])
    console.log(
      `${fleet.instances.size} processes over ${registry.name}, ${rate} requests/s, ${each} faults of each kind`,
    )
    const ports = entries.map(({ port }) => port)
    const load = new Load(ports, rate * MARGIN, fleet.tagOf)
    await warm(load)
    const kinds = faultsOf(fleet, prefix, registry).filter(({ name }) => only.test(name))
    const calm: Fault = {
      name: 'no fault',
      boundMs: 0,
      lastsMs: 0,
      calmMs: 0,
      together: 1,
      begin: () => async () => {},
    }
    const windows: Window[] = [{ fault: calm, faults: 0, from: Date.now(), ended: 0, to: 0 }]
    await pause(3000)
    windows[0]!.to = Date.now()
    const left = new Map(kinds.map(kind => [kind, each]))
    while ([...left.values()].some(count => count > 0) && Date.now() - began < LAST_BEGIN_MS) {
      for (const [kind, count] of left) {
        const faults = Math.min(count, kind.together)
        if (faults === 0 || Date.now() - began >= LAST_BEGIN_MS) continue
        left.set(kind, count - faults)
        windows.push(await strike(kind, faults))
      }
    }
    await load.stop()
    const counts = report([calm, ...kinds], windows, load.samples, rate)
    const missing = [...left].filter(([, count]) => count > 0)
    for (const [{ name }, count] of missing) console.log(`! no time for ${count} of ${name}`)
    counts.failed += missing.length
    console.log(`${Math.round((Date.now() - began) / 1000)} s`)
    console.log(`chaos: ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    return counts.failed === 0 ? 0 : 1
  } finally {
    clearTimeout(limit)
    await fleet.close()
    await registry.close()
  }
}

/** So many faults at a time, and what follows. */
async function strike(fault: Fault, faults: number): Promise<Window> {
  const window: Window = { fault, faults, from: Date.now(), ended: 0, to: 0 }
  const taken = new Set<string>()
  const ends: (() => Promise<void>)[] = []
  for (let count = 0; count < faults; count++) ends.push(await fault.begin(taken))
  await pause(fault.lastsMs)
  window.ended = Date.now()
  await Promise.all(ends.map(end => end()))
  await pause(fault.calmMs)
  window.to = Date.now()
  return window
}

/** Twenty new processes compile and connect; what is measured begins when a second has passed without a slow request. */
async function warm(load: Load): Promise<void> {
  for (let second = 0; second < 60; second++) {
    const seen = load.samples.length
    await pause(1000)
    const fresh = load.samples.slice(seen)
    if (fresh.length > 0 && fresh.every(({ failed, tookMs }) => !failed && tookMs < NOTICED_MS / 2)) return
  }
  console.log('! the machine is too busy for figures: requests are slow without any fault')
}

if (values.help) process.stdout.write(HELP)
else
  main().then(
    code => process.exit(code),
    error => {
      console.error(error)
      process.exit(1)
    },
  )
