// `npm run test:chaos`: the chain of three services, base and two lanes, 20 processes, and everything that goes wrong.
import { parseArgs } from 'node:util'
import { createNacosDevServer } from '@laneway/nacos-dev-server'
import { type Fault, faultsOf } from './faults.js'
import { Fleet } from './fleet.js'
import { Load } from './load.js'

const HELP = `npm run test:chaos -- [options]

  --long               20 faults of each kind at 300 requests/s (default: 2 at 60)
  --rounds <n>         faults of each kind
  --rate <n>           requests per second
  --only <regex>       faults whose name matches
  --nacos host:port    a real Nacos instead of the in-memory one; faults of the registry are skipped
  --help               this text
`
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    rate: { type: 'string' },
    only: { type: 'string' },
    nacos: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
/** How long a fault lasts, and how long the chain then has for itself. */
const FAULT_MS = 2500
const CALM_MS = 1500
/** A request that took longer has noticed the fault. */
const NOTICED_MS = 2000
const WIDTH = 30
const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

interface Window {
  readonly fault: Fault
  readonly from: number
  to: number
}

async function main(): Promise<number> {
  const rounds = Number(values.rounds ?? (values.long ? 20 : 2))
  const rate = Number(values.rate ?? (values.long ? 300 : 60))
  const server = values.nacos === undefined ? await createNacosDevServer({ port: 0 }).start() : undefined
  const prefix = `chaos${process.pid}`
  const fleet = new Fleet(values.nacos ?? server!.address, prefix)
  const limit = setTimeout(
    () => {
      console.error('chaos: not over in time')
      void fleet.close().then(() => process.exit(1))
    },
    60_000 + rounds * 11 * 15_000,
  )
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void fleet.close().then(() => process.exit(130)))
  }
  try {
    for (const service of ['c', 'b', 'a']) {
      for (const tag of ['', 'gray', 'blue']) {
        await Promise.all([fleet.start(service, tag), fleet.start(service, tag)])
      }
    }
    const entries = await Promise.all([fleet.start('entry', ''), fleet.start('entry', '')])
    console.log(
      `${fleet.instances.size} processes over ${server === undefined ? `Nacos at ${values.nacos}` : 'the in-memory Nacos'}, ${rate} requests/s`,
    )
    const load = new Load(entries[0]!.port, rate, fleet.tagOf)
    await warm(load)
    const begun = Date.now()
    await pause(3000)
    const only = new RegExp(values.only ?? '')
    const faults = faultsOf(fleet, prefix, server?.faults).filter(({ name }) => only.test(name))
    const calm: Fault = { name: 'no fault', boundMs: 0, begin: () => async () => {} }
    const windows: Window[] = [{ fault: calm, from: begun, to: Date.now() }]
    for (let round = 0; round < rounds; round++) {
      for (const fault of faults) {
        if (fault.registry && server === undefined) continue
        const window = { fault, from: Date.now(), to: 0 }
        windows.push(window)
        const end = await fault.begin()
        await pause(FAULT_MS)
        await end()
        await pause(CALM_MS)
        window.to = Date.now()
      }
    }
    const seconds = (Date.now() - begun) / 1000
    await load.stop()
    return report([calm, ...faults], windows, load, seconds, server === undefined)
  } finally {
    clearTimeout(limit)
    await fleet.close()
    await server?.close()
  }
}

/** Twenty new processes compile and connect; what is measured begins when a second has passed without a slow request. */
async function warm(load: Load): Promise<void> {
  for (let second = 0; second < 60; second++) {
    const seen = load.samples.length
    await pause(1000)
    const fresh = load.samples.slice(seen)
    if (fresh.length > 0 && fresh.every(({ failed, tookMs }) => !failed && tookMs < NOTICED_MS / 4)) return
  }
  console.log('! the machine is too busy for figures: requests are slow without any fault')
}

function report(
  faults: readonly Fault[],
  windows: readonly Window[],
  load: Load,
  seconds: number,
  real: boolean,
): number {
  const heads = ['count', 'sent', 'failed', 'wrong', 'slow', 'p99 recovery', 'bound']
  console.log(`\n${'fault'.padEnd(WIDTH)}${heads.map(one => one.padStart(13)).join('')}`)
  let passed = 0
  let failed = 0
  let skipped = 0
  for (const fault of faults) {
    if (fault.registry && real) {
      skipped++
      console.log(`${fault.name.padEnd(WIDTH)}  skipped: a real registry has no switches`)
      continue
    }
    const mine = windows.filter(window => window.fault === fault)
    const recoveries: number[] = []
    const sum = { sent: 0, failed: 0, wrong: 0, slow: 0 }
    for (const { from, to } of mine) {
      let last = 0
      for (const one of load.samples) {
        if (one.sentAt < from || one.sentAt >= to) continue
        const slow = one.tookMs > NOTICED_MS
        sum.sent++
        sum.failed += Number(one.failed)
        sum.wrong += Number(one.wrong)
        sum.slow += Number(slow)
        // Where nothing may be noticed only what went wrong counts: a busy machine makes requests slow, too.
        if (one.failed || one.wrong || (slow && fault.boundMs !== 0)) last = Math.max(last, one.sentAt - from + 1)
      }
      recoveries.push(last)
    }
    recoveries.sort((a, b) => a - b)
    const p99 = recoveries[Math.ceil(recoveries.length * 0.99) - 1] ?? 0
    const late = fault.boundMs !== undefined && p99 > fault.boundMs
    const bad = sum.failed > 0 || sum.wrong > 0 || late
    if (bad) failed++
    else passed++
    const cells = [
      mine.length,
      sum.sent,
      sum.failed,
      sum.wrong,
      sum.slow,
      `${p99} ms`,
      fault.boundMs === undefined ? '-' : `${fault.boundMs} ms`,
    ]
    console.log(
      `${fault.name.padEnd(WIDTH)}${cells.map(one => String(one).padStart(13)).join('')}${bad ? '  FAILED' : ''}`,
    )
  }
  const whys = new Map<string, number>()
  for (const { failed, wrong, why } of load.samples) if (failed || wrong) whys.set(why, (whys.get(why) ?? 0) + 1)
  for (const [why, times] of [...whys].slice(0, 15)) console.log(`! ${times} times: ${why}`)
  console.log(
    `${load.samples.length} requests, ${Math.round(load.samples.filter(({ sentAt }) => sentAt >= windows[0]!.from).length / seconds)} a second`,
  )
  console.log(`chaos: ${passed} passed, ${failed} failed, ${skipped} skipped`)
  return failed === 0 ? 0 : 1
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
