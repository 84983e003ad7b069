// `npm run test:soak`: interleaved requests through Express, Fastify and node:http in one process; nobody may see the
// lane of another. Then: what is left of heap, handles and listeners.
import { parseArgs } from 'node:util'
import { currentLane, parseLane } from '@laneway/core'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { startLoad } from './load.js'
import { expressServer, fastifyServer, httpServer, type Soaked } from './servers.js'

const HELP = `npm run test:soak -- [options]

  --long          1,000,000 requests (default 60,000)
  --count <n>     requests
  --help          this text

A control runs first: a handler that keeps its lane in a plain variable. Where it shows no bleed, the run fails.
`
const { values } = parseArgs({
  options: {
    long: { type: 'boolean', default: false },
    count: { type: 'string' },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

interface Row {
  readonly name: string
  readonly result: string
  readonly well: boolean
}

async function main(): Promise<number> {
  const count = Number(values.count ?? (values.long ? 1_000_000 : 60_000))
  const rows: Row[] = []
  const warnings: string[] = []
  let rejections = 0
  process.on('warning', warning => warnings.push(String(warning.stack)))
  // The handlers leave rejections behind on purpose; what a program logs then has to be in the right lane, or in none.
  process.on('unhandledRejection', () => rejections++)
  const report = (name: string, result: string, well: boolean) => {
    rows.push({ name, result, well })
    console.log(`${well ? 'ok    ' : 'FAILED'}  ${name.padEnd(52)} ${result}`)
  }

  const control = await startLoad([await httpServer('variable')], Math.min(count, 2000))
  report(
    'control: a plain variable bleeds, and is seen',
    `${control.bleeds} of ${control.checks} looks`,
    control.bleeds > 0,
  )

  const servers: Soaked[] = [await expressServer(), await fastifyServer(), await httpServer('laneway')]
  await startLoad(servers, Math.min(5000, count))
  const before = await settled()
  const load = await startLoad(servers, count)
  const after = await settled()
  const { answered, aborted, thrown, bleeds, failed } = load
  report(
    'requests answered',
    `${answered} of ${count}: ${aborted} aborted, ${thrown} thrown`,
    answered + aborted === count,
  )
  report('requests that failed otherwise', String(failed), failed === 0)
  report('rejections left behind by handlers', String(rejections), rejections > 0)
  report('bleeds', `${bleeds} of ${load.checks} looks`, bleeds === 0 && load.checks > answered)
  for (const why of load.examples) console.log(`! ${why}`)
  report('lane outside of requests', String(currentLane()?.header), currentLane() === undefined)
  report('heap after load', `${mb(before.heap)} -> ${mb(after.heap)} MB`, after.heap - before.heap < 10 * 2 ** 20)
  report('handles after load', `${before.handles} -> ${after.handles}`, after.handles <= before.handles)
  await Promise.all(servers.map(server => server.close()))

  await snapshots(report)
  const ended = await settled()
  report('listeners of the process', `${before.listeners} -> ${ended.listeners}`, ended.listeners <= before.listeners)
  report('warnings', String(warnings.length), warnings.length === 0)
  for (const warning of warnings) console.log(`! ${warning}`)
  const failures = rows.filter(row => !row.well).length
  console.log(`soak: ${rows.length - failures} passed, ${failures} failed`)
  return failures === 0 ? 0 : 1
}

/** Heap and handles after 10,000 snapshots that replace every endpoint, and after all is closed. */
async function snapshots(report: (name: string, result: string, well: boolean) => void): Promise<void> {
  const list = (round: number) =>
    Array.from({ length: 20 }, (_, index) => ({
      host: `10.${round & 127}.${(round >> 7) & 127}.${index}`,
      port: 80,
      tags: index % 3 === 0 ? [`lane-${round % 40}`] : [],
    }))
  const source = createStaticSource({ 'sc-b': list(0) })
  const fresh = () => createLaneResolver({ sources: [source], services: ['sc-b'], env: {}, closeSources: false })
  const resolver = fresh()
  const use = (from: number, to: number) => {
    for (let round = from; round < to; round++) {
      source.update({ 'sc-b': list(round) })
      const choice = resolver.pick('sc-b', parseLane(`lane-${round % 40}`))
      resolver.started(choice)
      resolver.finished(choice, round % 7 === 0 ? 'connect-error' : 'ok')
    }
  }
  use(0, 1000)
  const before = await settled()
  use(1000, 11_000)
  const after = await settled()
  report(
    'heap after 10,000 snapshots',
    `${mb(before.heap)} -> ${mb(after.heap)} MB`,
    after.heap - before.heap < 3 * 2 ** 20,
  )
  for (let round = 0; round < 1000; round++) {
    const other = fresh()
    other.onEndpointGone(() => {})
    other.pick('sc-b', undefined)
    await other.close()
  }
  await resolver.close()
  await source.close()
  const closed = await settled()
  report(
    'heap after 1,000 resolvers closed',
    `${mb(after.heap)} -> ${mb(closed.heap)} MB`,
    closed.heap - after.heap < 3 * 2 ** 20,
  )
  report(
    'handles after source and resolver close',
    `${before.handles} -> ${closed.handles}`,
    closed.handles <= before.handles,
  )
}

interface Figures {
  readonly heap: number
  readonly handles: number
  readonly listeners: number
}

/** After what was under way has ended: a second for sockets, then two collections. */
async function settled(): Promise<Figures> {
  await new Promise(resolve => setTimeout(resolve, 1000))
  for (let round = 0; round < 2; round++) {
    globalThis.gc?.()
    await new Promise(resolve => setImmediate(resolve))
  }
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  const handles = process.getActiveResourcesInfo().length
  return { heap: process.memoryUsage().heapUsed, handles, listeners }
}

const mb = (bytes: number) => (bytes / 2 ** 20).toFixed(1)

if (values.help) process.stdout.write(HELP)
else
  main().then(
    code => process.exit(code),
    error => {
      console.error(error)
      process.exit(1)
    },
  )
