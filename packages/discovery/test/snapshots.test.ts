import { channels, parseLane, type SourceEvent } from '@laneway/core'
import t, { type Test } from 'tap'
import { createLaneResolver, type EndpointInput, type LaneResolverOptions } from '../src/index.js'
import { addressOf, endpoint, oneService } from './one-service.js'
import { createScriptedSource } from './scripted-source.js'

function scripted(t: Test, options: Partial<LaneResolverOptions> = {}) {
  const source = createScriptedSource()
  const warnings: string[] = []
  let now = 1000
  const resolver = createLaneResolver({
    sources: [source],
    services: ['sc-B'],
    now: () => now,
    warn: message => warnings.push(message),
    env: {},
    ...options,
  })
  t.teardown(() => resolver.close())
  return {
    source,
    resolver,
    warnings,
    advance: (ms: number) => (now += ms),
    outcome: () => resolver.pick('sc-B', undefined).outcome,
  }
}

/** What is told on laneway:source until the test ends. */
function sourceEvents(t: Test): SourceEvent[] {
  const events: SourceEvent[] = []
  const listener = (event: unknown) => void events.push(event as SourceEvent)
  channels.source.subscribe(listener)
  t.teardown(() => channels.source.unsubscribe(listener))
  return events
}

const many = (count: number, more: (index: number) => Partial<EndpointInput> = () => ({})): EndpointInput[] =>
  Array.from({ length: count }, (_, index) => ({
    host: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    port: 80,
    ...more(index),
  }))

/** Large snapshots are read in slices, each in a turn of its own. */
async function settled(until: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000 && !until(); turn++) await new Promise(resolve => setImmediate(resolve))
}

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise(resolve => setImmediate(resolve))
}

t.test('empty snapshot, unknown service and unreachable registry are three different facts', async t => {
  const { source, resolver, outcome } = scripted(t)
  t.match(resolver.state('sc-B'), { status: 'waiting', ageMs: undefined })
  source.snapshot('sc-B', [])
  t.match(resolver.state('sc-B'), { status: 'current', base: { endpoints: 0 } })
  t.equal(outcome(), 'no-base')
  source.snapshot('sc-B', [endpoint()])
  source.stale('sc-B', new Error('registry is gone'))
  t.match(resolver.state('sc-B'), { status: 'stale', error: 'registry is gone', base: { endpoints: 1 } })
  t.equal(outcome(), 'base')
  source.missing('sc-B')
  t.match(resolver.state('sc-B'), { status: 'missing', error: undefined, base: { endpoints: 0 } })
  t.equal(outcome(), 'not-ready')
})

t.test('losing the registry keeps the last good snapshot, marked stale with its age, and never empties it', async t => {
  const { source, resolver, outcome, advance } = scripted(t)
  source.snapshot('sc-B', [endpoint(), endpoint(), endpoint()])
  advance(60_000)
  source.stale('sc-B', new Error('connection lost'))
  advance(5_000)
  t.match(resolver.state('sc-B'), { status: 'stale', ageMs: 65_000, base: { endpoints: 3, usable: 3 } })
  t.match(resolver.explain('sc-B', undefined), { status: 'stale', ageMs: 65_000, error: 'connection lost' })
  t.equal(outcome(), 'base')
  source.snapshot('sc-B', [endpoint()])
  t.match(resolver.state('sc-B'), { status: 'current', ageMs: 0, error: undefined, base: { endpoints: 1 } })
})

t.test('a registry that was never reached leaves the service waited for, and ready says why', async t => {
  const { source, resolver } = scripted(t, { readyTimeoutMs: 20 })
  source.stale('sc-B', new Error('ECONNREFUSED'))
  t.equal(resolver.state('sc-B')?.status, 'waiting')
  await t.rejects(resolver.ready('sc-B'), {
    code: 'LANEWAY_NOT_READY',
    message: /ECONNREFUSED/,
    cause: { message: 'ECONNREFUSED' },
  })
})

t.test('a dropped endpoint is reported as an event, never as an exception', async t => {
  const events = sourceEvents(t)
  const { source, resolver, warnings } = scripted(t)
  const good = endpoint()
  const list = [good, { host: 'a/b', port: 80 }, endpoint({ tags: ['gr ay'] }), null, endpoint({ weight: Number.NaN })]
  source.snapshot('sc-B', list as EndpointInput[])
  t.equal(resolver.pick('sc-B', undefined).endpoint?.address, addressOf(good))
  t.equal(events.filter(event => event.state === 'endpoint-dropped').length, 4)
  t.match(
    events.find(event => event.state === 'endpoint-dropped'),
    { source: 'scripted', service: 'sc-B', message: /a\/b/ },
  )
  t.equal(resolver.state('sc-B')?.dropped.length, 4)
  source.snapshot('sc-B', list as EndpointInput[])
  t.equal(warnings.length, 1, 'and one warning')
})

t.test('of two entries with one address the first counts', async t => {
  const { source, resolver } = scripted(t)
  const twice = endpoint({ tags: ['gray'] })
  source.snapshot('sc-B', [endpoint(), twice, { ...twice, tags: [] }, { ...twice, tags: ['blue'] }])
  t.match(resolver.state('sc-B'), { base: { endpoints: 1 }, lanes: new Map([['gray', { endpoints: 1 }]]) })
  t.equal(resolver.state('sc-B')?.dropped.length, 2)
  source.snapshot('sc-B', [endpoint(), { ...twice, tags: [] }, { ...twice, tags: ['gray'] }])
  t.equal(resolver.state('sc-B')?.base.endpoints, 2, 'in the next snapshot too')
})

t.test('link-local endpoints are dropped unless allowLinkLocal is set', async t => {
  const list = [{ host: '169.254.1.1', port: 80 }]
  const strict = scripted(t)
  strict.source.snapshot('sc-B', list)
  t.equal(strict.outcome(), 'no-base')
  const open = scripted(t, { allowLinkLocal: true })
  open.source.snapshot('sc-B', list)
  t.equal(open.outcome(), 'base')
})

t.test('beyond 100,000 endpoints the previous snapshot stays and the source says so', async t => {
  const events = sourceEvents(t)
  const { source, resolver, warnings, outcome } = scripted(t)
  source.snapshot('sc-B', [endpoint()])
  source.snapshot('sc-B', many(100_001))
  t.equal(outcome(), 'base')
  t.match(resolver.state('sc-B'), { status: 'stale', base: { endpoints: 1 }, error: /100001 endpoints/ })
  t.match(events.at(-1), { state: 'refused', service: 'sc-B', error: Error })
  t.match(warnings, [/100001 endpoints/])
  source.snapshot('sc-B', many(100_000))
  await settled(() => resolver.state('sc-B')?.base.endpoints === 100_000)
  t.match(resolver.state('sc-B'), { status: 'current', base: { endpoints: 100_000 } })
})

t.test('a large list is taken over in several turns, the table before it serves meanwhile', async t => {
  const { source, resolver } = scripted(t)
  source.snapshot('sc-B', [endpoint()])
  source.snapshot('sc-B', many(5000))
  t.equal(resolver.state('sc-B')?.base.endpoints, 1, 'other work runs in between')
  let turns = 0
  while (resolver.state('sc-B')?.base.endpoints === 1) {
    turns++
    await new Promise(resolve => setImmediate(resolve))
  }
  t.equal(resolver.state('sc-B')?.base.endpoints, 5000)
  t.equal(turns, 41, '128 new endpoints a turn, and one to put all together')
  source.snapshot('sc-B', [...many(4999), endpoint({ host: '10.99.0.1' }), endpoint({ host: '10.99.0.2' })])
  turns = 0
  while (resolver.state('sc-B')?.base.endpoints === 5000) {
    turns++
    await new Promise(resolve => setImmediate(resolve))
  }
  t.equal(turns, 3, 'what is as before is only compared')
})

t.test('beyond 64 lanes the previous snapshot stays and the source says so', async t => {
  const { source, resolver, warnings } = scripted(t)
  const lanes = (count: number) => many(count, index => ({ tags: [`lane-${index}`] }))
  source.snapshot('sc-B', lanes(64))
  t.equal(resolver.state('sc-B')?.lanes.size, 64)
  source.snapshot('sc-B', [endpoint(), ...lanes(65)])
  t.match(resolver.state('sc-B'), { status: 'stale', base: { endpoints: 0 }, error: /64 lanes/ })
  t.equal(resolver.state('sc-B')?.lanes.size, 64)
  t.equal(warnings.length, 1)
  source.snapshot('sc-B', [endpoint(), ...lanes(63)])
  t.match(
    resolver.state('sc-B'),
    { status: 'current', base: { endpoints: 1 } },
    'a refused snapshot leaves nothing behind',
  )
})

t.test('a snapshot that is no list is reported as stale', async t => {
  const { source, resolver, outcome } = scripted(t)
  source.snapshot('sc-B', [endpoint()])
  for (const nonsense of [undefined, null, {}, 'x']) source.snapshot('sc-B', nonsense as never)
  t.equal(outcome(), 'base')
  t.equal(resolver.state('sc-B')?.status, 'stale')
})

t.test('a snapshot of more than 10,000 endpoints is read in slices, and other work runs in between', async t => {
  const { source, resolver, outcome } = scripted(t)
  source.snapshot('sc-B', [endpoint()])
  let waited = 0
  source.snapshot('sc-B', many(50_000))
  t.equal(resolver.state('sc-B')?.base.endpoints, 1, 'the table in use stays until the next one is whole')
  await settled(() => {
    waited++
    return resolver.state('sc-B')?.base.endpoints === 50_000
  })
  t.ok(waited >= 4, `${waited} turns of the event loop`)
  t.equal(outcome(), 'base')
})

t.test('a newer snapshot overtakes one that is still being read', async t => {
  const { source, resolver } = scripted(t)
  source.snapshot('sc-B', many(50_000))
  source.snapshot('sc-B', many(3))
  t.equal(resolver.state('sc-B')?.base.endpoints, 3)
  await turns(50)
  t.equal(resolver.state('sc-B')?.base.endpoints, 3)
  source.snapshot('sc-B', many(50_000))
  source.missing('sc-B')
  await turns(50)
  t.equal(resolver.state('sc-B')?.status, 'missing')
})

t.test('a changed endpoint is a new one, an unchanged one keeps its choices', async t => {
  const endpoints = [endpoint(), endpoint({ tags: ['gray'], metadata: { a: '1' } }), endpoint({ tags: ['blue'] })]
  const { pick, update } = oneService(t, endpoints)
  const before = [pick(), pick('gray'), pick('blue')]
  update(endpoints.map(one => ({ ...one, ...(one.metadata && { metadata: { ...one.metadata } }) })))
  t.strictSame(
    [pick(), pick('gray'), pick('blue')].map((choice, index) => choice === before[index]),
    [true, true, true],
  )
  update([endpoints[2]!, endpoints[0]!, endpoints[1]!])
  t.equal(pick('blue'), before[2], 'in another order too')
  update([endpoints[0]!, { ...endpoints[1]!, metadata: { a: '2' } }, { ...endpoints[2]!, tags: ['gray'] }])
  t.strictSame(pick('blue').outcome, 'fallback-missing')
  const grays = new Set(Array.from({ length: 50 }, () => pick('gray')))
  t.equal(grays.size, 2)
  t.notOk(grays.has(before[1]!))
})

t.test('a large list in which endpoints left, joined and moved is compared, not read anew', async t => {
  const { source, resolver } = scripted(t)
  const list = many(2000, index => ({ tags: index === 7 ? ['gray'] : [] }))
  const gray = () => resolver.pick('sc-B', { header: 'gray', tags: ['gray'] })
  source.snapshot('sc-B', list)
  await settled(() => resolver.state('sc-B')?.status === 'current')
  const kept = gray()
  const others = many(2100).slice(2000)
  const lists = {
    'one left in front': list.slice(1),
    'one joined in front': [others[0]!, ...list.slice(1)],
    'some left in the middle': [...list.slice(0, 900), ...list.slice(1000)],
    'some joined in the middle': [...list.slice(0, 900), ...others.slice(0, 50), ...list.slice(900)],
    'one cannot be read': [{ host: 'a/b', port: 80 }, ...list],
    'the other way round': list.toReversed(),
  }
  for (const [name, next] of Object.entries(lists)) {
    // New objects, as from a registry.
    source.snapshot('sc-B', structuredClone(next))
    // Read anew 128 endpoints a turn, 2000 take 16 turns.
    await turns(4)
    const wanted = new Set(next.map(({ host }) => host).filter(host => host !== 'a/b'))
    const state = resolver.state('sc-B')
    t.equal(state?.base.endpoints, wanted.size - 1, name)
    t.equal(gray(), kept, `${name}: the one of the lane is as it was`)
  }
})

t.test('what is compared out of its place has to be the same in all', async t => {
  const list = [endpoint(), endpoint(), endpoint(), endpoint()]
  const { pick, update } = oneService(t, list)
  const [first, second, third, fourth] = list as [EndpointInput, EndpointInput, EndpointInput, EndpointInput]
  update([
    { ...second, tags: ['gray'] },
    { ...fourth, weight: 0 },
    third,
    { ...first, tags: ['blue'] },
    { ...third, tags: ['gray'] },
  ])
  t.equal(pick('gray').endpoint?.address, addressOf(second))
  t.equal(pick('blue').endpoint?.address, addressOf(first))
  for (let turn = 0; turn < 10; turn++) t.equal(pick().endpoint?.address, addressOf(third))
})

t.test('an entry that is listed again as it was counts once', async t => {
  const list = [endpoint(), endpoint(), endpoint()]
  const { update, resolver } = oneService(t, list)
  const [first, second, third] = list as [EndpointInput, EndpointInput, EndpointInput]
  for (const next of [
    [first, second, { ...first }, third],
    [third, { ...third }, second, first, { ...second }],
  ]) {
    update(next)
    t.equal(resolver.state('sc-B')?.base.endpoints, 3)
  }
})

t.test('an endpoint input that the source changes later does not change the table', async t => {
  const input = { host: '10.0.0.1', port: 80, tags: ['gray'] }
  const { pick, update } = oneService(t, [input])
  input.tags[0] = 'blue'
  t.equal(pick('gray').outcome, 'lane')
  update([input])
  t.equal(pick('gray').outcome, 'no-base')
  t.equal(pick('blue').outcome, 'lane')
})

t.test('requests in flight are kept across snapshots by address', async t => {
  const endpoints = [endpoint(), endpoint(), endpoint()]
  const { pick, update, resolver } = oneService(t, endpoints, { balancer: 'least-request' })
  const busy = pick()
  for (let i = 0; i < 5; i++) resolver.started(busy)
  const idle = () => Array.from({ length: 60 }, () => pick().endpoint!.address)
  t.notOk(idle().includes(busy.endpoint!.address))
  update(endpoints.map(one => ({ ...one, zone: 'b' })))
  t.notOk(idle().includes(busy.endpoint!.address), 'a snapshot in which every endpoint changed')
  update(endpoints.filter(one => addressOf(one) !== busy.endpoint!.address))
  update(endpoints)
  t.notOk(idle().includes(busy.endpoint!.address), 'a snapshot in which it was gone for a moment')
  for (let i = 0; i < 5; i++) resolver.finished(busy, 'ok')
  t.ok(idle().includes(busy.endpoint!.address), 'what was started with an old table is finished in the new one')
})

t.test('onEndpointGone is called with each endpoint that left its service', async t => {
  const endpoints = [endpoint(), endpoint({ tags: ['gray'] }), endpoint()]
  const { update, resolver } = oneService(t, endpoints)
  const gone: string[] = []
  const stop = resolver.onEndpointGone(one => gone.push(one.address))
  update([endpoints[0]!, endpoints[2]!])
  t.strictSame(gone, [addressOf(endpoints[1]!)])
  update([endpoints[2]!, { ...endpoints[0]!, weight: 5 }])
  t.equal(gone.length, 1, 'neither order nor a changed weight makes one go')
  update([])
  t.strictSame(gone.slice(1).sort(), [endpoints[0]!, endpoints[2]!].map(addressOf).sort())
  update(endpoints)
  stop()
  update([])
  t.equal(gone.length, 3, 'not after the unsubscribe')
})

t.test('endpoints of a service that is missing are gone', async t => {
  const { source, resolver } = scripted(t)
  const gone: string[] = []
  resolver.onEndpointGone(one => gone.push(one.address))
  const list = [endpoint(), endpoint(), endpoint()]
  source.snapshot('sc-B', list)
  source.missing('sc-B')
  t.strictSame(gone, list.map(addressOf))
})

t.test('a listener that throws keeps the snapshot neither from other listeners nor from the table', async t => {
  const { source, resolver, outcome, warnings } = scripted(t)
  const gone: string[] = []
  resolver.onEndpointGone(() => {
    throw new Error('listener is broken')
  })
  resolver.onEndpointGone(one => gone.push(one.address))
  source.snapshot('sc-B', [endpoint(), endpoint()])
  source.snapshot('sc-B', [endpoint()])
  t.equal(gone.length, 2)
  t.equal(outcome(), 'base')
  t.match(warnings, [/listener is broken/])
})

t.test('a lane can be announced before its first instance is ready, and end while requests are in flight', async t => {
  const { outcome, update } = oneService(t, [endpoint()])
  const base = endpoint()
  const gray = endpoint({ tags: ['gray'] })
  t.equal(outcome('gray'), 'fallback-missing at 0')
  update([base, { ...gray, health: 'unhealthy' }])
  t.equal(outcome('gray'), 'fallback-unavailable at 0')
  update([base, { ...gray, health: 'healthy' }])
  t.equal(outcome('gray'), 'lane of gray at 1')
  update([base])
  t.equal(outcome('gray'), 'fallback-missing at 0')
})

t.test('state and explain are plain data', async t => {
  const { resolver } = oneService(t, [
    endpoint(),
    endpoint({ tags: ['gray'] }),
    endpoint({ tags: ['gray'], health: 'unhealthy' }),
  ])
  t.match(resolver.states(), [{ service: 'sc-B', declared: true, source: 'static' }])
  t.equal(resolver.state('sc-X'), undefined)
  const explained = resolver.explain('sc-b', 'gray-2,gray')
  t.strictSame(JSON.parse(JSON.stringify(explained)).outcome, 'lane')
  t.match(explained, {
    service: 'sc-B',
    lane: 'gray-2,gray',
    declared: true,
    source: 'static',
    outcome: 'lane',
    served: 'gray',
    candidateCount: 1,
    steps: [
      { tag: 'gray-2', endpoints: 0, verdict: 'missing' },
      { tag: 'gray', endpoints: 2, usable: 1, leftOut: { unhealthy: 1 }, verdict: 'serves' },
    ],
  })
  t.match(resolver.explain('sc-B', 'blue'), {
    outcome: 'fallback-missing',
    policy: { whenLaneMissing: 'base', whenLaneUnavailable: 'base' },
    steps: [
      { tag: 'blue', verdict: 'missing' },
      { tag: undefined, verdict: 'serves' },
    ],
  })
  t.match(resolver.explain('sc-X', parseLane('gray')), { outcome: 'not-ready', status: 'unknown', steps: [] })
})
