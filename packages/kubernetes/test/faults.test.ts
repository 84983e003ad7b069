import type { KubernetesSourceOptions } from '@laneway/kubernetes'
import type { SourceReports } from '@laneway/testkit'
import fc from 'fast-check'
import t from 'tap'
import { statusError } from '../src/watch/api-error.js'
import { Cluster, PODS, SLICES } from './cluster.js'

const turn = () => new Promise(resolve => setImmediate(resolve))

async function watching(cluster: Cluster): Promise<void> {
  while (cluster.api.watches(PODS) === 0 || cluster.api.watches(SLICES) === 0) await turn()
}

/** One base and one gray endpoint, known and watched. */
async function started(
  t: Tap.Test,
  options: KubernetesSourceOptions = {},
): Promise<{ cluster: Cluster; seen: SourceReports }> {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.pod('u2', 'gray')
  cluster.pod('u3')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2' } })
  const seen = cluster.watch('orders', options)
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=gray')
  await watching(cluster)
  return { cluster, seen }
}

declare namespace Tap {
  type Test = { teardown(fn: () => unknown): void }
}

async function change(cluster: Cluster, seen: SourceReports): Promise<void> {
  cluster.pod('u1', 'blue')
  cluster.pod('u2')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2', '10.0.0.3': 'u3' } })
  await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=base 10.0.0.3:80=base')
}

t.test('JSON that is split at every byte is the same JSON', async t => {
  const cluster = await Cluster.start(t)
  cluster.api.faults.bytesPerWrite = 1
  cluster.pod('u1', undefined, { annotations: { note: 'ein Übergrößenträger 泳道 🏊' } })
  cluster.pod('u2', 'gray')
  cluster.pod('u3')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2' } })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=gray')
  await watching(cluster)
  await change(cluster, seen)
  t.notOk(seen.kinds.includes('stale'))
})

for (const [name, faults] of Object.entries({ duplicate: { duplicate: true }, reorder: { reorder: true } })) {
  t.test(`events that a server ${name}s change nothing`, async t => {
    const { cluster, seen } = await started(t)
    Object.assign(cluster.api.faults, faults)
    cluster.pod('u1', 'blue')
    cluster.pod('u1', 'green')
    cluster.pod('u4')
    cluster.api.store.remove(PODS, 'pod-u4')
    cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2' } })
    cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2', '10.0.0.4': 'u4' } })
    cluster.api.bookmark()
    await seen.untilTable('10.0.0.1:80=green 10.0.0.2:80=gray')
    delete cluster.api.faults.reorder
    cluster.slice('s2', { endpoints: { '10.0.0.3': 'u3' } })
    await seen.untilTable('10.0.0.1:80=green 10.0.0.2:80=gray 10.0.0.3:80=base')
    t.notOk(seen.kinds.includes('stale'), 'a deleted pod does not come back, an old state neither')
  })
}

t.test('after events in the wrong order the watch is not resumed but listed anew', async t => {
  const { cluster, seen } = await started(t)
  cluster.api.faults.reorder = true
  cluster.pod('u1', 'blue')
  cluster.pod('u2', 'blue')
  await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=blue')
  delete cluster.api.faults.reorder
  t.equal(cluster.lists(PODS), 1)
  cluster.api.endWatches()
  while (cluster.lists(PODS) < 2) await turn()
  await watching(cluster)
  cluster.pod('u1', 'green')
  await seen.untilTable('10.0.0.1:80=green 10.0.0.2:80=blue')
})

for (const how of ['end', 'reset'] as const) {
  t.test(`a watch that is closed by ${how} goes on where it was`, async t => {
    const { cluster, seen } = await started(t)
    cluster.api.endWatches(how)
    // While no watch is open:
    cluster.pod('u1', 'blue')
    cluster.pod('u2')
    cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2', '10.0.0.3': 'u3' } })
    await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=base 10.0.0.3:80=base')
    t.equal(cluster.lists(PODS) + cluster.lists(SLICES), 2, 'no second list')
    t.notOk(seen.kinds.includes('stale'), 'one lost connection is no news')
  })
}

for (const goneAsEvent of [false, true]) {
  t.test(`an expired version, told ${goneAsEvent ? 'as an event' : 'by status 410'}, leads to a new list`, async t => {
    const { cluster, seen } = await started(t)
    cluster.api.faults.goneAsEvent = goneAsEvent
    cluster.api.endWatches()
    cluster.api.store.remove(PODS, 'pod-u1')
    cluster.pod('u2', 'blue')
    cluster.api.store.compact()
    await seen.untilTable('10.0.0.2:80=blue')
    await watching(cluster)
    cluster.pod('u1')
    await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=blue')
    t.notOk(seen.kinds.includes('stale'))
  })
}

t.test('a version that expires inside a watch leads to a new list', async t => {
  const { cluster, seen } = await started(t)
  cluster.api.expireWatches()
  await change(cluster, seen)
  t.notOk(seen.kinds.includes('stale'))
})

t.test('a server that falls silent is noticed by the idle timer', async t => {
  const { cluster, seen } = await started(t, { idleTimeoutMs: 60, requestTimeoutMs: 60 })
  cluster.api.stall()
  cluster.pod('u1', 'blue')
  await seen.until(one => one.last === 'stale')
  t.equal(seen.table, '10.0.0.1:80=base 10.0.0.2:80=gray', 'the last good snapshot stays')
  t.match(seen.errors[0], { code: 'LANEWAY_SOURCE', message: /no answer within 60 ms/ })
  cluster.api.resume()
  await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=gray')
})

t.test('nonsense inside a watch leads to a new list', async t => {
  const { cluster, seen } = await started(t)
  cluster.api.talkNonsense()
  await change(cluster, seen)
})

t.test('a server that ends each watch at once is not hammered', async t => {
  const { cluster, seen } = await started(t, { minBackoffMs: 20, maxBackoffMs: 2_000, random: () => 1 })
  const before = cluster.api.requests.length
  const ends = setInterval(() => cluster.api.endWatches(), 1)
  t.teardown(() => clearInterval(ends))
  await seen.until(one => one.last === 'stale')
  // Stale is told at the second failure, so each of the two watches was tried twice at most, after a pause.
  t.ok(cluster.api.requests.length - before <= 6, `${cluster.api.requests.length - before} requests`)
})

t.test('before anything is known, an unreachable server is told of at once and waited for', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1' } })
  cluster.api.faults.refuse = () => 503
  const seen = cluster.watch('orders')
  await seen.until(one => one.last === 'stale')
  t.match(seen.errors[0], {
    code: 'LANEWAY_SOURCE',
    message: /cannot list (pods|endpointslices) in namespace shop.*503/,
  })
  cluster.api.faults.refuse = () => undefined
  await seen.untilTable('10.0.0.1:80=base')
})

// Whatever happens in whatever order, in the end the source knows what the API server knows.
t.test('any history under any fault ends in the truth', async t => {
  const uid = fc.constantFrom('u1', 'u2', 'u3', 'u4')
  const tag = fc.constantFrom(undefined, 'gray', 'blue')
  const slice = fc.constantFrom('s1', 's2', 's3')
  const step = fc.oneof(
    fc.record({ do: fc.constant('pod' as const), uid, tag }),
    fc.record({ do: fc.constant('removePod' as const), uid }),
    fc.record({ do: fc.constant('slice' as const), slice, uids: fc.uniqueArray(uid, { minLength: 0, maxLength: 3 }) }),
    fc.record({ do: fc.constant('removeSlice' as const), slice }),
    fc.record({
      do: fc.constantFrom(
        'end' as const,
        'reset' as const,
        'expire' as const,
        'compact' as const,
        'bookmark' as const,
        'nonsense' as const,
        'turn' as const,
      ),
    }),
    fc.record({
      do: fc.constant('faults' as const),
      duplicate: fc.boolean(),
      reorder: fc.boolean(),
      goneAsEvent: fc.boolean(),
      bytesPerWrite: fc.constantFrom(1_000_000, 7),
    }),
  )
  let histories = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25 }), async steps => {
      histories++
      const ends: (() => unknown)[] = []
      const cluster = await Cluster.start({ teardown: end => ends.unshift(end) })
      const seen = cluster.watch('orders', { minBackoffMs: 1, maxBackoffMs: 2, coalesceMs: 0 })
      const generation: Record<string, number> = {}
      const alive = new Map<string, string | undefined>()
      const slices = new Map<string, string[]>()
      const uidOf = (name: string) => `${name}-${generation[name] ?? 0}`
      for (const one of steps) {
        if (one.do === 'pod') {
          alive.set(uidOf(one.uid), one.tag)
          cluster.pod(uidOf(one.uid), one.tag)
        } else if (one.do === 'removePod') {
          if (!alive.delete(uidOf(one.uid))) continue
          cluster.api.store.remove(PODS, `pod-${uidOf(one.uid)}`)
          generation[one.uid] = (generation[one.uid] ?? 0) + 1
        } else if (one.do === 'slice') {
          slices.set(one.slice, one.uids.map(uidOf))
          cluster.slice(one.slice, {
            endpoints: Object.fromEntries(one.uids.map(name => [`pod-${uidOf(name)}`, uidOf(name)])),
          })
        } else if (one.do === 'removeSlice') {
          slices.delete(one.slice)
          cluster.api.store.remove(SLICES, one.slice)
        } else if (one.do === 'faults') Object.assign(cluster.api.faults, one)
        else if (one.do === 'end' || one.do === 'reset') cluster.api.endWatches(one.do)
        else if (one.do === 'expire') cluster.api.expireWatches()
        else if (one.do === 'compact') cluster.api.store.compact()
        else if (one.do === 'bookmark') cluster.api.bookmark()
        else if (one.do === 'nonsense') cluster.api.talkNonsense()
        else await turn()
      }
      cluster.api.bookmark()
      Object.assign(cluster.api.faults, { duplicate: false, reorder: false })
      cluster.pod('end', 'end')
      cluster.slice('end', { endpoints: { end: 'end' } })
      const table = new Map([['end', 'end' as string | undefined]])
      for (const uids of slices.values())
        for (const one of uids) if (alive.has(one)) table.set(`pod-${one}`, alive.get(one))
      const wanted = [...table]
        .map(([address, lane]) => `${address}:80=${lane ?? 'base'}`)
        .sort()
        .join(' ')
      let timer: NodeJS.Timeout | undefined
      const late = new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error(`wanted ${wanted}, known ${seen.table}`)), 300_000)
      })
      try {
        await Promise.race([seen.untilTable(wanted), late])
      } finally {
        clearTimeout(timer)
        for (const end of ends) await end()
      }
    }),
    { numRuns: 60 },
  )
  t.equal(histories, 60)
})

t.test('a watch that is throttled is opened again from the known version, when the server says so', async t => {
  const { cluster, seen } = await started(t)
  const of = (path: string) => cluster.api.requests.filter(one => one.path === path)
  let refusals = 0
  const refusedAt: number[] = []
  cluster.api.faults.retryAfter = 1
  cluster.api.faults.refuse = one => {
    if (one.path !== PODS || refusals === 0) return undefined
    refusals--
    refusedAt.push(performance.now())
    return 429
  }
  refusals = 4
  const told = seen.kinds.length
  cluster.api.endWatches()
  cluster.pod('u1', 'blue')
  await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=gray')
  t.equal(refusals, 0)
  t.equal(cluster.lists(PODS), 1, 'no new list')
  t.notOk(seen.kinds.slice(told).includes('stale'), seen.kinds.join(' '))
  const watches = of(PODS).filter(one => one.query.has('watch'))
  const versions = new Set(watches.slice(1).map(one => one.query.get('resourceVersion')))
  t.equal(versions.size, 1, 'from the known version')
  const pauses = refusedAt.slice(1).map((at, index) => at - refusedAt[index]!)
  t.ok(
    pauses.every(pause => pause > 990),
    `Retry-After is 1 s, the pauses were ${pauses.map(Math.round).join(', ')} ms`,
  )
})

t.test('a server that throttles for as long as a silent watch may last is lost, once', async t => {
  const { cluster, seen } = await started(t, { idleTimeoutMs: 200 })
  cluster.api.faults.refuse = one => (one.query.has('watch') ? 429 : undefined)
  cluster.api.endWatches()
  await seen.until(one => one.last === 'stale' && one.errors.at(-1)!.message.includes('429'))
  t.match(seen.errors.at(-1)?.message, /cannot watch \w+ in namespace shop: .*429/)
  const told = seen.kinds.length
  const before = cluster.api.requests.length
  while (cluster.api.requests.length < before + 10) await turn()
  t.notOk(seen.kinds.slice(told).includes('snapshot'), 'it does not go to and fro')
  cluster.api.faults.refuse = () => undefined
  await seen.until(one => one.last === 'snapshot')
})

t.test('how long to wait: seconds, a date, the details of a Status; bounded', async t => {
  const wait = (retryAfter: string | undefined, body: unknown = {}) =>
    statusError(429, body, 'GET', retryAfter).retryAfterMs
  t.equal(wait('3'), 3000)
  t.equal(wait(undefined, { details: { retryAfterSeconds: 2 } }), 2000)
  const late = wait(new Date(Date.now() + 60_000).toUTCString())!
  t.ok(late > 50_000 && late <= 60_000)
  t.equal(wait('99999999999'), 300_000)
  for (const nothing of [undefined, '', '0', '-1', 'soon', new Date(0).toUTCString()]) t.equal(wait(nothing), undefined)
})
