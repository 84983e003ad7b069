import { parseLane, runInLane } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import { createLaneResolver, type LaneResolver, type Source } from '@laneway/discovery'
import { expect, type Figures, type Table } from '../case.js'
import { seeded } from '../statistics.js'
import { endpoints } from './services.js'

const SERVICES = 1000
const ENDPOINTS = 100
const REQUESTS = 1_000_000
/** Fills every bounded cache once. */
const WARM = 300_000

/** Every service has endpoints of its own, as objects fresh from a registry. */
function sourceOf(count: number): Source {
  return {
    name: 'bench',
    subscribe(service, listener) {
      const id = Number(service.slice(2))
      // A large service keeps the addresses that it has, since there is one.
      const own = count > ENDPOINTS ? undefined : `10.${id >> 8}.${id & 255}`
      const list = endpoints(count)
      listener.snapshot(
        own === undefined ? list : list.map(one => ({ ...one, host: `${own}.${one.host.split('.')[3]}` })),
      )
      return () => {}
    },
    async close() {},
  }
}

async function heap(): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let turn = 0; turn < 4; turn++) {
    await new Promise(resolve => setImmediate(resolve))
    globalThis.gc!()
    least = Math.min(least, process.memoryUsage().heapUsed)
  }
  return least
}

/** Requests as they come: known lanes, lanes that nobody has, no lane; hosts that are services, and others. */
function serve(resolver: LaneResolver, requests: number, random: () => number): number {
  const ingress = createIngress('bench', { trust: 'internal' })
  let served = 0
  for (let i = 0; i < requests; i++) {
    const tag = i % 3 === 0 ? undefined : i % 3 === 1 ? 'gray' : `x${Math.floor(random() * 1e9)}`
    const host = i % 10 === 9 ? `h${Math.floor(random() * 1e9)}.example.com` : `s-${Math.floor(random() * SERVICES)}`
    const { lane } = ingress({ headers: tag === undefined ? {} : { 'x-mse-tag': tag } })
    runInLane(lane, () => {
      const service = resolver.match(host, undefined, false)
      if (service === undefined) return
      const choice = resolver.pick(service, lane)
      resolver.started(choice)
      resolver.finished(choice, 'ok')
      if (choice.endpoint !== undefined) served++
    })
  }
  return served
}

async function measure(quick: boolean): Promise<Figures> {
  const services = Array.from({ length: quick ? 10 : SERVICES }, (_, i) => `s-${i}`)
  parseLane('gray')
  const before = await heap()
  const resolver = createLaneResolver({ sources: [sourceOf(ENDPOINTS)], services })
  await Promise.all(services.map(service => resolver.ready(service)))
  const table = await heap()
  const random = seeded(3)
  if (quick) {
    expect(resolver.pick('s-1', parseLane('gray')).outcome === 'lane', 'no lane')
    await resolver.close()
    return { 'growth KB': Number.NaN }
  }
  expect(serve(resolver, WARM, random) > WARM * 0.8, 'requests were not served')
  const warm = await heap()
  expect(serve(resolver, REQUESTS, random) > REQUESTS * 0.8, 'requests were not served')
  const after = await heap()
  expect(resolver.pick('s-999', undefined).outcome === 'base', 'no base')
  await resolver.close()
  return {
    'tables MB': (table - before) / 2 ** 20,
    'bytes per endpoint': (table - before) / (SERVICES * ENDPOINTS),
    'caches KB': (warm - table) / 1024,
    'growth KB': (after - warm) / 1024,
  }
}

/** What tables take, without requests. */
async function tables(services: number, each: number, quick: boolean): Promise<Figures> {
  const names = Array.from({ length: quick ? 2 : services }, (_, i) => `s-${i}`)
  const warm = createLaneResolver({ sources: [sourceOf(each)], services: ['s-0'] })
  await warm.ready('s-0')
  await warm.close()
  const before = await heap()
  const resolver = createLaneResolver({ sources: [sourceOf(each)], services: names })
  await Promise.all(names.map(name => resolver.ready(name)))
  const bytes = (await heap()) - before
  expect(resolver.pick(names.at(-1)!, undefined).endpoint !== undefined, 'no endpoint')
  await resolver.close()
  if (quick) return { 'kB per service': Number.NaN }
  return { 'kB per service': bytes / names.length / 1000, 'kB per 1000 endpoints': bytes / names.length / each }
}

export const memory: readonly Table[] = [
  {
    name: 'memory/tables',
    about: 'Heap of the tables of a resolver that nobody has called yet.',
    rows: [
      { name: '1k services of 1', rounds: 3, seconds: 3, measure: quick => tables(1000, 1, quick) },
      { name: '1 service of 1k', rounds: 3, seconds: 2, measure: quick => tables(1, 1000, quick) },
      { name: '1 service of 10k', rounds: 3, seconds: 2, measure: quick => tables(1, 10_000, quick) },
    ],
    targets: [],
  },
  {
    name: 'memory/resolver',
    about:
      '1000 services with 100 endpoints each, then 1,000,000 requests, two thirds of them in lanes, one third in lanes that no service has and that never come twice, one in ten to a host that is no service. Caches are bounded and full after 300,000; growth is what the million adds, and 64 KB of it is noise of the measurement.',
    rows: [{ name: '1k services of 100', rounds: 3, seconds: 5, measure }],
    targets: [{ row: '1k services of 100', figure: 'growth KB', atMost: 64 }],
  },
]
