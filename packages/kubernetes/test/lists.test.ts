import t from 'tap'
import { createItemSplitter } from '../src/watch/item-splitter.js'
import { Cluster, PODS, SLICES } from './cluster.js'

const turn = () => new Promise(resolve => setImmediate(resolve))

async function watching(cluster: Cluster): Promise<void> {
  while (cluster.api.watches(PODS) === 0 || cluster.api.watches(SLICES) === 0) await turn()
}

function requestsOf(cluster: Cluster, path: string): string[] {
  return cluster.api.requests
    .filter(one => one.path === path)
    .map(({ query }) => {
      const kind = query.has('sendInitialEvents') ? 'list and watch' : query.has('watch') ? 'watch' : 'list'
      const limit = query.has('limit') ? ` limit ${query.get('limit')}` : ''
      return `${kind} from ${query.get('resourceVersion') ?? 'now'}${limit}`
    })
}

async function twoPods(t: { teardown(fn: () => unknown): void }): Promise<Cluster> {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.pod('u2', 'gray')
  cluster.slice('s', { endpoints: { '10.0.0.1': 'u1', '10.0.0.2': 'u2' } })
  return cluster
}

const BOTH = '10.0.0.1:80=base 10.0.0.2:80=gray'

t.test('the first list is the beginning of the watch', async t => {
  const cluster = await twoPods(t)
  await cluster.watch('orders').untilTable(BOTH)
  await watching(cluster)
  t.strictSame(requestsOf(cluster, SLICES), ['list and watch from now'])
  t.strictSame(requestsOf(cluster, PODS), ['list and watch from now'])
  const [one] = cluster.api.requests.filter(request => request.path === PODS)
  t.equal(one?.query.get('resourceVersionMatch'), 'NotOlderThan')
})

for (const how of ['refuse', 'ignore'] as const) {
  t.test(`the first list comes from the watch cache when the server ${how}s lists in a watch`, async t => {
    const cluster = await twoPods(t)
    cluster.api.faults.noStreamingLists = how
    const seen = cluster.watch('orders', { requestTimeoutMs: how === 'ignore' ? 2_000 : 30_000 })
    await seen.untilTable(BOTH)
    await watching(cluster)
    const version = String(cluster.api.store.version)
    t.strictSame(requestsOf(cluster, SLICES), ['list and watch from now', 'list from 0', `watch from ${version}`])
    cluster.pod('u1', 'blue')
    await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=gray')
    t.notOk(seen.kinds.includes('stale'))
  })
}

for (const streams of [true, false]) {
  const begin = streams ? 'list and watch' : 'list'
  t.test(`after 410 a ${begin} is not older than what is known`, async t => {
    const cluster = await twoPods(t)
    if (!streams) cluster.api.faults.noStreamingLists = 'refuse'
    const seen = cluster.watch('orders')
    await seen.untilTable(BOTH)
    await watching(cluster)
    const known = String(cluster.api.store.version)
    cluster.api.endWatches()
    cluster.pod('u1', 'blue')
    cluster.api.store.compact()
    await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=gray')
    t.ok(requestsOf(cluster, PODS).includes(`${begin} from ${known}`), requestsOf(cluster, PODS).join(', '))
    t.notOk(seen.kinds.includes('stale'))
  })

  t.test(`a ${begin} from a version that the server has not reached is repeated from now, in pages`, async t => {
    const cluster = await twoPods(t)
    if (!streams) cluster.api.faults.noStreamingLists = 'refuse'
    const seen = cluster.watch('orders')
    await seen.untilTable(BOTH)
    await watching(cluster)
    // As after the restore of a backup: the server knows nothing of the version.
    let refusals = 2
    cluster.api.faults.refuse = one => {
      if (one.path !== PODS || refusals === 0) return undefined
      refusals--
      return refusals === 1 ? 410 : undefined
    }
    const version = cluster.api.store.version
    cluster.api.faults.tooLarge = one => one.path === PODS && one.query.get('resourceVersion') === String(version)
    cluster.api.endWatches()
    cluster.pod('u1', 'blue')
    await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=gray')
    t.ok(
      requestsOf(cluster, PODS).includes(`${begin} from now${streams ? '' : ' limit 500'}`),
      requestsOf(cluster, PODS).join(', '),
    )
    t.notOk(seen.kinds.includes('stale'))
  })
}

t.test('a list in pages begins anew, in one piece, when its token expires on the way', async t => {
  const cluster = await Cluster.start(t)
  cluster.api.faults.noStreamingLists = 'refuse'
  const endpoints: Record<string, string> = {}
  for (let i = 0; i < 1_200; i++) {
    cluster.pod(`u${i}`, i % 2 === 0 ? 'gray' : undefined)
    endpoints[`10.0.${i >> 8}.${i & 255}`] = `u${i}`
  }
  cluster.slice('s', { endpoints })
  let pages = 0
  cluster.api.faults.tooLarge = one => one.path === PODS && one.query.get('resourceVersion') === '0'
  cluster.api.faults.refuse = one => {
    if (one.path === PODS && one.query.has('limit') && ++pages === 3) cluster.api.store.compact()
    return undefined
  }
  const seen = cluster.watch('orders')
  await seen.until(one => one.endpoints.length === 1_200)
  const lists = cluster.api.requests.filter(one => one.path === PODS && !one.query.has('watch'))
  t.strictSame(
    lists.map(({ query }) => `${query.get('resourceVersion')} ${query.get('limit')} ${query.has('continue')}`),
    ['0 null false', 'null 500 false', 'null 500 true', 'null 500 true', 'null null false'],
  )
  t.equal(seen.endpoints.filter(one => one.tags?.includes('gray')).length, 600)
})

t.test('a streaming list that breaks in the middle changes nothing', async t => {
  const cluster = await twoPods(t)
  const seen = cluster.watch('orders')
  await seen.untilTable(BOTH)
  await watching(cluster)
  cluster.api.faults.cutLists = 1
  cluster.api.expireWatches()
  while (cluster.lists(PODS) < 3) await turn()
  t.equal(seen.table, BOTH, 'half a list is no list')
  delete cluster.api.faults.cutLists
  cluster.pod('u1', 'blue')
  await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=gray')
})

t.test('nothing is listed again by itself, and with relistMs it is', async t => {
  const cluster = await twoPods(t)
  const seen = cluster.watch('orders')
  await seen.untilTable(BOTH)
  await watching(cluster)
  cluster.api.endWatches()
  await watching(cluster)
  t.equal(cluster.lists(PODS), 1)
  const other = cluster.watch('orders', { relistMs: 1 })
  await other.untilTable(BOTH)
  await watching(cluster)
  const before = cluster.lists(PODS)
  while (cluster.lists(PODS) === before) {
    cluster.api.endWatches()
    await watching(cluster)
  }
  t.pass('listed again at the end of a watch')
})

t.test('while the server cannot be reached the version is kept: its return is no stampede of lists', async t => {
  const cluster = await twoPods(t)
  const seen = cluster.watch('orders')
  await seen.untilTable(BOTH)
  await watching(cluster)
  let resets = 10
  cluster.api.faults.reset = () => resets-- > 0
  cluster.api.endWatches('reset')
  cluster.pod('u1', 'blue')
  await seen.untilTable('10.0.0.1:80=blue 10.0.0.2:80=gray')
  t.equal(cluster.lists(PODS) + cluster.lists(SLICES), 2)
})

t.test('items are the same however the bytes of a list are cut', async t => {
  const items = [{ a: 'b"{[\\' }, { items: [1, { b: ']' }] }, {}, { name: '泳道', deep: { x: [[], {}] } }]
  const list = { kind: 'List', metadata: { items: '[', resourceVersion: '7', extra: { items: [{ no: 1 }] } }, items }
  for (const text of [
    JSON.stringify(list),
    JSON.stringify(list, null, 2),
    JSON.stringify({ items, metadata: list.metadata, kind: 'List' }),
  ]) {
    const bytes = Buffer.from(text)
    for (const size of [1, 2, 3, 7, bytes.length]) {
      const seen: unknown[] = []
      const splitter = createItemSplitter(json => seen.push(JSON.parse(json)), 10_000)
      for (let at = 0; at < bytes.length; at += size) splitter.write(Buffer.from(bytes.subarray(at, at + size)))
      const rest = splitter.end() as typeof list
      t.strictSame(seen, items, `in parts of ${size}`)
      t.strictSame([rest.metadata, rest.items], [list.metadata, []])
    }
  }
})

t.test('a list without items, one that is cut off, and one that is too long', async t => {
  const splitter = (most: number) => createItemSplitter(() => {}, most)
  for (const text of ['{"items":null,"kind":"List"}', '{"kind":"List"}', '{"items":[]}']) {
    const one = splitter(100)
    one.write(Buffer.from(text))
    t.strictSame(one.end(), JSON.parse(text))
  }
  const cut = splitter(100)
  cut.write(Buffer.from('{"items":[{"a":1},{"b"'))
  t.throws(() => cut.end(), SyntaxError)
  t.throws(() => splitter(10).write(Buffer.from('{"items":[{"a":"12345678901234"}')), RangeError)
  t.throws(() => splitter(10).write(Buffer.from('{"kind":"12345678901234"')), RangeError)
})
