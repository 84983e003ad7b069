import fc from 'fast-check'
import t from 'tap'
import { createLaneResolver, createStaticSource, type EndpointInput, type Source } from '../src/index.js'
import { zoneShares } from '../src/zone/zone-shares.js'
import { envoyZones } from './envoy-zones.js'
import { addressOf, endpoint, type OneService, oneService } from './one-service.js'
import { seeded } from './seeded.js'

const PICKS = 20_000

/** So many endpoints in each zone. */
function inZones(counts: Readonly<Record<string, number>>, more: Partial<EndpointInput> = {}): EndpointInput[] {
  return Object.entries(counts).flatMap(([zone, count]) =>
    Array.from({ length: count }, () => endpoint({ zone, ...more })),
  )
}

/** Of 10,000 picks, those of each zone. */
function zonesOf({ pick }: OneService, lane?: string, tried?: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (let i = 0; i < PICKS; i++) {
    const { endpoint } = pick(lane, tried)
    const zone = endpoint?.zone ?? 'none'
    counts[zone] = (counts[zone] ?? 0) + 10_000 / PICKS
  }
  return counts
}

function assertShares(found: Record<string, number>, expected: Record<string, number>, what: string): void {
  for (const zone of new Set([...Object.keys(found), ...Object.keys(expected)])) {
    const share = (expected[zone] ?? 0) / 10_000
    // Six standard deviations, and none at all for a zone that gets nothing.
    const tolerance = share === 0 ? 0 : 60_000 * Math.sqrt((share * (1 - share)) / PICKS) + 10
    if (Math.abs((found[zone] ?? 0) - share * 10_000) > tolerance) {
      throw new Error(`${what}: zone ${zone} got ${found[zone]} of 10,000, Envoy says ${share * 10_000}`)
    }
  }
}

const EVEN = { a: 1, b: 1, c: 1 }
const cases: [name: string, capacity: Record<string, number>, callers: Record<string, number> | undefined][] = [
  ['even capacity', { a: 5, b: 5, c: 5 }, undefined],
  ['one endpoint each', { a: 1, b: 1, c: 1 }, undefined],
  ['the own zone has too little', { a: 1, b: 5, c: 9 }, undefined],
  ['the own zone has too little, and one of the others no room', { a: 2, b: 3, c: 10 }, undefined],
  ['the own zone has more than it needs', { a: 10, b: 3, c: 2 }, undefined],
  ['no endpoint in the own zone', { b: 4, c: 2 }, undefined],
  ['uneven callers, even capacity', { a: 4, b: 4, c: 4 }, { a: 6, b: 2, c: 1 }],
  ['uneven callers and capacity', { a: 3, b: 7, c: 5 }, { a: 8, b: 1, c: 3 }],
  ['callers in a zone without endpoints', { a: 2, b: 6 }, { a: 5, b: 2, d: 4 }],
  ['no caller is known in the own zone', { a: 2, b: 6 }, { b: 3 }],
]

for (const balancer of ['weighted-random', 'round-robin', 'least-request'] as const) {
  t.test(`${balancer}: zones get what Envoy gives them, in base and in a lane`, async t => {
    for (const [name, capacity, callers] of cases) {
      const gray = { a: 2, b: capacity['b'] ?? 0, c: 3 }
      const endpoints = [...inZones(capacity), ...inZones(gray, { tags: ['gray'] })]
      const service = oneService(t, endpoints, {
        balancer,
        random: seeded(1),
        zone: { name: 'a', ...(callers !== undefined && { callers }) },
      })
      const known = Object.fromEntries(Object.keys({ ...capacity, ...gray, a: 0 }).map(zone => [zone, 1]))
      assertShares(zonesOf(service), envoyZones(capacity, callers ?? known, 'a'), `${name}, base`)
      assertShares(zonesOf(service, 'gray'), envoyZones(gray, callers ?? known, 'a'), `${name}, gray`)
      await service.resolver.close()
    }
    t.pass()
  })
}

t.test('the formula is that of Envoy for any zones', async t => {
  const counts = fc.record({ a: fc.nat(9), b: fc.nat(9), c: fc.nat(9), d: fc.nat(9) })
  fc.assert(
    fc.property(counts, counts, (capacity, callers) => {
      fc.pre(capacity.a > 0 && Object.values(callers).some(count => count > 0))
      const shares = zoneShares(new Map(Object.entries(capacity)), new Map(Object.entries(callers)), 'a')
      const expected = envoyZones(capacity, callers, 'a')
      for (const zone of Object.keys(capacity)) {
        const share = shares === undefined ? (zone === 'a' ? 1 : 0) : (shares.get(zone) ?? 0)
        if (Math.abs(share * 10_000 - expected[zone]!) > 1e-6) throw new Error(`${zone}: ${share}, ${expected[zone]}`)
      }
    }),
  )
  t.pass()
})

t.test('all endpoints are equally busy when each caller follows its own zone', async t => {
  const capacity = { a: 2, b: 4, c: 9 }
  const endpoints = inZones(capacity)
  const busy = new Map<string, number>()
  for (const zone of ['a', 'b', 'c']) {
    const { pick, resolver } = oneService(t, endpoints, { zone, random: seeded(3) })
    for (let i = 0; i < PICKS; i++) {
      const { address } = pick().endpoint!
      busy.set(address, (busy.get(address) ?? 0) + 1)
    }
    await resolver.close()
  }
  for (const one of endpoints) {
    t.ok(Math.abs((busy.get(addressOf(one)) ?? 0) - (3 * PICKS) / 15) < 400, `${one.zone}: ${busy.get(addressOf(one))}`)
  }
})

t.test('weights are capacity, and share the requests within a zone', async t => {
  const endpoints = [endpoint({ zone: 'a', weight: 3 }), endpoint({ zone: 'a' }), ...inZones({ b: 8 })]
  const service = oneService(t, endpoints, { zone: 'a', random: seeded(5) })
  // Of the capacity a has a third, of the callers a half.
  assertShares(zonesOf(service), envoyZones({ a: 4, b: 8 }, { a: 1, b: 1 }, 'a'), 'weights')
  const counts = [0, 0]
  for (let i = 0; i < PICKS; i++) {
    const address = service.pick().endpoint?.address
    const index = endpoints.slice(0, 2).findIndex(one => addressOf(one) === address)
    if (index !== -1) counts[index]!++
  }
  t.ok(Math.abs(counts[0]! / counts[1]! - 3) < 0.4, `${counts}`)
})

t.test('the lane comes first: its only endpoint serves from wherever it is', async t => {
  const endpoints = [...inZones({ a: 3, b: 3 }), endpoint({ zone: 'c', tags: ['gray'] }), endpoint({ tags: ['blue'] })]
  for (const prefer of ['capacity', 'always', 'hints', 'never'] as const) {
    const { outcome } = oneService(t, endpoints, { zone: { name: 'a', prefer } })
    for (let i = 0; i < 50; i++) {
      t.equal(outcome('gray'), 'lane of gray at 6')
      t.equal(outcome('blue'), 'lane of blue at 7')
      t.match(outcome('green'), /^fallback-missing at [0-5]$/)
    }
  }
})

t.test('no zone leads to a wrong lane, whatever the zones, lanes, health and policies', async t => {
  const endpoints = fc.array(
    fc.record({
      zone: fc.constantFrom('a', 'b', 'c', undefined),
      weight: fc.constantFrom(0, 1, 1, 5),
      health: fc.constantFrom<'healthy' | 'unhealthy'>('healthy', 'healthy', 'unhealthy'),
      tags: fc.subarray(['gray', 'blue'], { maxLength: 1 }),
      forZones: fc.constantFrom(undefined, ['a'], ['b', 'c']),
    }),
    { maxLength: 10 },
  )
  await fc.assert(
    fc.asyncProperty(
      endpoints,
      fc.constantFrom('capacity', 'always', 'hints', 'never'),
      fc.constantFrom(0, 0.5, 1),
      async (list, prefer, panicThreshold) => {
        const inputs = list.map(({ zone, forZones, ...one }, index) => ({
          host: '10.0.0.1',
          port: index + 1,
          ...one,
          ...(zone !== undefined && { zone }),
          ...(forZones !== undefined && { forZones }),
        }))
        const zoned = oneService(t, inputs, { zone: { name: 'a', prefer }, panicThreshold })
        const plain = oneService(t, inputs, { panicThreshold })
        for (const lane of [undefined, 'gray', 'blue', 'green', 'blue,gray']) {
          const allowed = new Set(plain.resolver.explain('sc-B', lane).candidates)
          const explained = zoned.resolver.explain('sc-B', lane)
          for (let i = 0; i < 8; i++) {
            const choice = zoned.pick(lane)
            const address = choice.endpoint?.address
            if (choice.outcome !== plain.pick(lane).outcome) throw new Error(`${lane}: ${choice.outcome}`)
            if (address === undefined ? allowed.size > 0 : !allowed.has(address)) throw new Error(`${lane}: ${address}`)
            if (address !== undefined && !explained.candidates.includes(address)) throw new Error(`explain: ${address}`)
          }
        }
        await Promise.all([zoned.resolver.close(), plain.resolver.close()])
      },
    ),
    { numRuns: 150 },
  )
  t.pass()
})

t.test('another zone serves when the endpoints of the own one were tried or are ejected', async t => {
  const endpoints = inZones({ a: 2, b: 2, c: 2 })
  const service = oneService(t, endpoints, { zone: 'a', now: () => 0 })
  t.strictSame(Object.keys(zonesOf(service)), ['a'])
  const [one, two] = endpoints.slice(0, 2).map(addressOf) as [string, string]
  t.strictSame(Object.keys(zonesOf(service, undefined, [one])), ['a'])
  t.strictSame(Object.keys(zonesOf(service, undefined, [one, two])).sort(), ['b', 'c'])
  for (const address of [one, two]) {
    let choice = service.pick()
    while (choice.endpoint?.address !== address) choice = service.pick()
    for (let i = 0; i < 5; i++) service.resolver.finished(choice, 'connect-error')
  }
  t.strictSame(Object.keys(zonesOf(service)).sort(), ['b', 'c'])
})

t.test('the share of the own zone follows its health', async t => {
  const endpoints = inZones({ a: 4, b: 4, c: 4 })
  const service = oneService(t, endpoints, { zone: 'a', random: seeded(9) })
  t.strictSame(zonesOf(service), { a: 10_000 })
  service.update(
    endpoints.map((one, index) => ({ ...one, health: index < 2 ? ('unhealthy' as const) : ('healthy' as const) })),
  )
  assertShares(zonesOf(service), envoyZones({ a: 2, b: 4, c: 4 }, EVEN, 'a'), 'half of the own zone is down')
})

t.test('prefer', async t => {
  const uneven = inZones({ a: 1, b: 9 })
  await t.test('always: the own zone takes all while one of its endpoints is usable', async t => {
    const service = oneService(t, uneven, { zone: { name: 'a', prefer: 'always' } })
    t.strictSame(zonesOf(service), { a: 10_000 })
    t.strictSame(zonesOf(service, undefined, [addressOf(uneven[0]!)]), { b: 10_000 })
  })
  await t.test('never: by weight', async t => {
    const service = oneService(t, uneven, { zone: { name: 'a', prefer: 'never' }, random: seeded(7) })
    assertShares(zonesOf(service), { a: 1000, b: 9000 }, 'never')
  })
  await t.test('hints: the endpoints that are set aside for the own zone, wherever they are', async t => {
    const hinted = [
      endpoint({ zone: 'a', forZones: ['a'] }),
      endpoint({ zone: 'b', forZones: ['a', 'b'] }),
      endpoint({ zone: 'b', forZones: ['b'] }),
    ]
    const { outcome } = oneService(t, hinted, { zone: { name: 'a', prefer: 'hints' } })
    const seen = new Set(Array.from({ length: 100 }, () => outcome()))
    t.strictSame([...seen].sort(), ['base at 0', 'base at 1'])
    const unhinted = [...hinted, endpoint({ zone: 'b' })]
    const all = oneService(t, unhinted, { zone: { name: 'a', prefer: 'hints' } })
    t.equal(
      new Set(Array.from({ length: 200 }, () => all.outcome())).size,
      4,
      'an endpoint without hints ends them all',
    )
  })
  await t.test('minEndpoints: among fewer, no zone is preferred', async t => {
    const few = inZones({ a: 2, b: 2 })
    const service = oneService(t, few, { zone: { name: 'a', minEndpoints: 5 } })
    t.strictSame(Object.keys(zonesOf(service)).sort(), ['a', 'b'])
  })
})

t.test('the own zone: an option, then LANEWAY_ZONE, then the source, then none', async t => {
  const endpoints = inZones({ a: 2, b: 2, c: 2 })
  const source = (): Source => ({
    ...createStaticSource({ s: endpoints }),
    zone: () => ({ name: 'c', prefer: 'capacity' }),
  })
  const zonesFor = async (options: object, own = source()) => {
    const resolver = createLaneResolver({ sources: [own], services: ['s'], env: {}, ...options })
    const seen = new Set(Array.from({ length: 100 }, () => resolver.pick('s', undefined).endpoint?.zone))
    await resolver.close()
    return [...seen].sort().join()
  }
  t.equal(await zonesFor({ zone: 'a', env: { LANEWAY_ZONE: 'b' } }), 'a')
  t.equal(await zonesFor({ env: { LANEWAY_ZONE: ' b ' } }), 'b')
  t.equal(await zonesFor({ zone: { prefer: 'always' }, env: { LANEWAY_ZONE: 'b' } }), 'b')
  t.equal(await zonesFor({ env: { LANEWAY_ZONE: '' } }), 'c')
  t.equal(await zonesFor({}, createStaticSource({ s: endpoints })), 'a,b,c')
  t.equal(await zonesFor({ zone: 'elsewhere' }), 'a,b,c')
  const hints: Source = { ...source(), zone: () => ({ name: 'c', prefer: 'hints' }) }
  t.equal(await zonesFor({}, hints), 'a,b,c', 'the custom of the source')
  t.equal(await zonesFor({ zone: { prefer: 'always' } }, hints), 'c', 'an option goes before the custom')
})

t.test('callers: the instances of the own service say where the callers are, and are followed', async t => {
  const source = createStaticSource({ s: inZones({ a: 5, b: 5 }), me: inZones({ a: 3, b: 1 }) })
  const resolver = createLaneResolver({
    sources: [source],
    services: ['s'],
    zone: { name: 'a', callers: 'me' },
    random: seeded(2),
    env: {},
  })
  t.teardown(() => resolver.close())
  const service = { resolver, pick: () => resolver.pick('s', undefined) } as unknown as OneService
  assertShares(zonesOf(service), envoyZones({ a: 5, b: 5 }, { a: 3, b: 1 }, 'a'), 'three of four callers')
  source.update({ s: inZones({ a: 5, b: 5 }), me: inZones({ a: 1, b: 3 }) })
  assertShares(zonesOf(service), { a: 10_000 }, 'one of four callers')
  source.update({ s: inZones({ a: 5, b: 5 }), me: inZones({ a: 3, b: 1 }) })
  assertShares(zonesOf(service), envoyZones({ a: 5, b: 5 }, { a: 3, b: 1 }, 'a'), 'back again')
})

t.test('explain shows what each zone gets', async t => {
  const endpoints = inZones({ a: 1, b: 2, c: 5 })
  const { resolver } = oneService(t, endpoints, { zone: 'a' })
  const { steps, reason, candidateCount } = resolver.explain('sc-B', undefined)
  t.strictSame(
    steps[0]?.zones?.map(({ zone, usable, share }) => [zone, usable, Math.round(share * 1000)]),
    [
      ['c', 5, 625],
      ['a', 1, 375],
      ['b', 2, 0],
    ],
  )
  t.equal(candidateCount, 6)
  t.equal(reason, 'the request has no lane; 8 of 8 instances are usable; 62.5 % to zone c, 37.5 % to zone a')
  const plain = oneService(t, endpoints)
  t.notOk('zones' in plain.resolver.explain('sc-B', undefined).steps[0]!, 'nothing to say without an own zone')
})

t.test('wrong options are refused', async t => {
  const wrong: [zone: unknown, message: RegExp][] = [
    ['', /zone is a text that is not empty/],
    [{ nam: 'a' }, /no option "nam", did you mean "name"/],
    [{ prefer: 'alway' }, /did you mean "always"/],
    [{ callers: { a: -1 } }, /callers\.a is a number from 0/],
    [{ callers: 5 }, /callers is the name of a service/],
    [{ minEndpoints: 0 }, /minEndpoints is a whole number from 1/],
  ]
  for (const [zone, message] of wrong) {
    t.throws(() => createLaneResolver({ sources: [createStaticSource()], env: {}, zone: zone as string }), {
      code: 'LANEWAY_INVALID_OPTION',
      message,
    })
  }
})
