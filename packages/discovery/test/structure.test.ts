import { Session } from 'node:inspector/promises'
import { fileURLToPath } from 'node:url'
import { parseLane } from '@laneway/core'
import t from 'tap'
import {
  type BalancerName,
  createLaneResolver,
  createStaticSource,
  type EndpointInput,
  type LaneResolver,
} from '../src/index.js'

const SOURCES = new URL('../src/', import.meta.url).href

/** How often each function of this package runs during `work`; the engine counts, not a clock. */
async function countCalls(session: Session, work: () => void): Promise<number> {
  await session.post('Profiler.takePreciseCoverage')
  work()
  const { result } = await session.post('Profiler.takePreciseCoverage')
  let calls = 0
  for (const script of result) {
    if (!script.url.startsWith(SOURCES) && !script.url.startsWith(fileURLToPath(SOURCES))) continue
    // Blocks too: the body of a loop is one, and counts each turn.
    for (const { ranges } of script.functions) for (const range of ranges) calls += range.count
  }
  return calls
}

function services(endpoints: number, lanes: number): EndpointInput[] {
  return Array.from({ length: endpoints }, (_, index) => ({
    host: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    port: 80,
    weight: 1 + (index % 5),
    tags: index % 2 === 0 ? [] : [`lane-${(index >> 1) % lanes}`],
  }))
}

t.test('nothing per pick grows with endpoints or lanes', async t => {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  t.teardown(() => session.disconnect())
  const sizes = [
    { endpoints: 20, lanes: 1 },
    { endpoints: 10_000, lanes: 1 },
    { endpoints: 10_000, lanes: 64 },
  ]
  const lane = parseLane('lane-0')
  const cases: Record<string, (resolver: LaneResolver) => unknown> = {
    base: resolver => resolver.pick('s', undefined),
    lane: resolver => resolver.pick('s', lane),
    missing: resolver => resolver.pick('s', MISSING),
    list: resolver => resolver.pick('s', LIST),
    match: resolver => resolver.match('s.default.svc', 80, false),
  }
  const [MISSING, LIST] = ['none', 'none-1,none-2,lane-0'].map(parseLane)
  for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as BalancerName[]) {
    const counts: Record<string, number>[] = []
    for (const { endpoints, lanes } of sizes) {
      const source = createStaticSource({ s: services(endpoints, lanes) })
      // A draw that never repeats itself in two picks, and is the same for every size.
      let turn = 0
      const random = () => (turn++ % 97) / 97
      const resolver = createLaneResolver({ sources: [source], services: ['s'], balancer, random, env: {} })
      await resolver.ready('s')
      const counted: Record<string, number> = {}
      for (const [name, call] of Object.entries(cases)) {
        call(resolver)
        counted[name] = await countCalls(session, () => {
          for (let i = 0; i < 970; i++) call(resolver)
        })
      }
      counts.push(counted)
      await resolver.close()
    }
    for (const name of Object.keys(cases)) {
      const [small, large, many] = counts.map(counted => counted[name]!) as [number, number, number]
      t.ok(small >= 970, `${balancer} ${name}: the count sees the picks (${small})`)
      // Which branch a draw takes differs from table to table; a loop over endpoints or lanes would be thousands.
      t.ok(large < small * 1.5, `${balancer} ${name}: ${small} for 20 endpoints, ${large} for 10,000`)
      t.ok(many < small * 1.5, `${balancer} ${name}: ${small} for 1 lane, ${many} for 64`)
    }
  }
})

t.test('what is barred makes a pick walk past what is barred, and no further', async t => {
  // One endpoint has nearly all weight and was tried, so every weighted draw meets it.
  for (const size of [10, 10_000]) {
    const endpoints = services(size, 1).map((one, index) => ({ ...one, tags: [], weight: index === 0 ? 1e12 : 1 }))
    const source = createStaticSource({ s: endpoints })
    const resolver = createLaneResolver({ sources: [source], services: ['s'], env: {} })
    await resolver.ready('s')
    let looked = 0
    class Counting extends Set<string> {
      override has(value: string): boolean {
        looked++
        return super.has(value)
      }
    }
    const tried = new Counting(['10.0.0.0:80'])
    const choice = resolver.pick('s', undefined, tried)
    t.not(choice.endpoint?.address, '10.0.0.0:80')
    t.ok(looked > 0 && looked <= 10, `${looked} look-ups among ${size} endpoints`)
    await resolver.close()
  }
})
