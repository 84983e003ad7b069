// Prints the share of each zone, as picked and as Envoy's published algorithm has it, for several capacities and callers,
// in base and in a lane; and how many requests went to a wrong lane. Exits with 1 when a share is off by more than chance.
//
//   node --import tsx --conditions=@laneway/source test/balance/zone-shares.ts [--full]
//
// With --full: 300,000 picks a row instead of 30,000.
import { parseLane } from '@laneway/core'
import { createLaneResolver, createStaticSource, type EndpointInput } from '@laneway/discovery'
import { envoyZones } from '../../packages/discovery/test/envoy-zones.js'

const PICKS = process.argv.includes('--full') ? 300_000 : 30_000
type Counts = Readonly<Record<string, number>>

const CASES: readonly (readonly [name: string, capacity: Counts, callers?: Counts])[] = [
  ['even', { a: 3, b: 3, c: 3 }],
  ['one each', { a: 1, b: 1, c: 1 }],
  ['own zone small', { a: 1, b: 4, c: 5 }],
  ['own zone large', { a: 8, b: 1, c: 1 }],
  ['one zone without room', { a: 2, b: 3, c: 10 }],
  ['none in the own zone', { b: 2, c: 4 }],
  ['uneven callers', { a: 4, b: 4, c: 4 }, { a: 6, b: 2, c: 1 }],
  ['uneven both', { a: 3, b: 7, c: 5 }, { a: 8, b: 1, c: 3 }],
]

let port = 1
function endpoints(counts: Counts, tags: readonly string[]): EndpointInput[] {
  return Object.entries(counts).flatMap(([zone, count]) =>
    Array.from({ length: count }, () => ({ host: '10.0.0.1', port: port++, zone, tags })),
  )
}

let off = 0
let wrong = 0
console.log(`${PICKS} picks a row, caller in zone a, percent per zone: picked / Envoy\n`)
for (const [name, base, callers] of CASES) {
  // The lane has the same zones in another order, so that a mistake between the two would show.
  const gray = { a: base['c'] ?? 0, b: base['a'] ?? 0, c: base['b'] ?? 0 }
  for (const [lane, capacity] of [
    [undefined, base],
    ['gray', gray],
  ] as const) {
    const resolver = createLaneResolver({
      sources: [createStaticSource({ s: [...endpoints(base, []), ...endpoints(gray, ['gray'])] })],
      services: ['s'],
      zone: { name: 'a', ...(callers && { callers }) },
      env: {},
    })
    const counts: Record<string, number> = { a: 0, b: 0, c: 0 }
    for (let i = 0; i < PICKS; i++) {
      const { endpoint } = resolver.pick('s', parseLane(lane))
      counts[endpoint!.zone!]!++
      if (endpoint!.tags[0] !== lane) wrong++
    }
    const expected = envoyZones(capacity, callers ?? { a: 1, b: 1, c: 1 }, 'a')
    const cells = ['a', 'b', 'c'].map(zone => {
      const share = (expected[zone] ?? 0) / 10_000
      const found = counts[zone]! / PICKS
      if (Math.abs(found - share) > 6 * Math.sqrt((share * (1 - share)) / PICKS)) off++
      return `${zone} ${(found * 100).toFixed(1)} / ${(share * 100).toFixed(1)}`.padEnd(18)
    })
    console.log(`${name.padEnd(24)}${(lane ?? 'base').padEnd(6)}${cells.join('')}`)
    await resolver.close()
  }
}
console.log(`\n${wrong} picks in a wrong lane, ${off} shares off by more than chance`)
process.exitCode = wrong + off === 0 ? 0 : 1
