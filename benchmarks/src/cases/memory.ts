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
const source: Source = {
  name: 'bench',
  subscribe(service, listener) {
    const id = Number(service.slice(2))
    listener.snapshot(
      endpoints(ENDPOINTS).map(one => ({ ...one, host: `10.${id >> 8}.${id & 255}.${one.host.split('.')[3]}` })),
    )
    return () => {}
  },
  async close() {},
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
  const resolver = createLaneResolver({ sources: [source], services })
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

export const memory: readonly Table[] = [
  {
    name: 'memory/resolver',
    about:
      '1000 services with 100 endpoints each, then 1,000,000 requests, two thirds of them in lanes, one third in lanes that no service has and that never come twice, one in ten to a host that is no service. Caches are bounded and full after 300,000; growth is what the million adds, and 64 KB of it is noise of the measurement.',
    rows: [{ name: '1k services of 100', rounds: 3, seconds: 5, measure }],
    targets: [{ row: '1k services of 100', figure: 'growth KB', atMost: 64 }],
  },
]
