import t from 'tap'
import { addressOf, endpoint, oneService } from './one-service.js'

const many = (count: number, more = {}) => Array.from({ length: count }, () => endpoint(more))
const chosen = (pick: () => { endpoint?: { address: string } | undefined }, draws = 2000) => {
  const addresses = new Set<string>()
  for (let i = 0; i < draws; i++) addresses.add(pick().endpoint!.address)
  return addresses
}

t.test('a process sends to so many endpoints of base and of each lane, with each balancer', async t => {
  const gray = many(30, { tags: ['gray'] })
  const blue = many(3, { tags: ['blue'] })
  for (const balancer of ['least-request', 'round-robin', 'weighted-random'] as const) {
    const { pick, resolver } = oneService(t, [...many(200), ...gray, ...blue], { subsetSize: 20, balancer })
    await resolver.ready('sc-B')
    t.equal(chosen(() => pick()).size, 20)
    const ofGray = chosen(() => pick('gray'))
    t.equal(ofGray.size, 20)
    t.ok([...ofGray].every(address => gray.some(one => addressOf(one) === address)))
    t.equal(chosen(() => pick('blue')).size, 3, 'a small lane keeps all')
    t.equal(pick('red').outcome, 'fallback-missing')
  }
})

t.test('the subset stays while endpoints come and go, and changes one place for each', async t => {
  const endpoints = many(100)
  const { pick, update } = oneService(t, endpoints, { subsetSize: 10 })
  const before = chosen(() => pick())
  update(endpoints.map(one => ({ ...one, metadata: { version: '2' } })))
  t.strictSame(
    chosen(() => pick()),
    before,
  )
  const gone = [...before][0]!
  update(endpoints.filter(one => addressOf(one) !== gone))
  const after = chosen(() => pick())
  t.equal(after.size, 10)
  t.equal([...before].filter(address => after.has(address)).length, 9)
  update([...endpoints, ...many(1)])
  t.ok([...before].filter(address => chosen(() => pick()).has(address)).length >= 9)
})

t.test('an endpoint that is not usable leaves its place to another; the lane is never left', async t => {
  const gray = many(40, { tags: ['gray'] })
  const { pick, update } = oneService(t, [...many(40), ...gray], { subsetSize: 5 })
  const before = chosen(() => pick('gray'))
  const sick = gray.map(one => (before.has(addressOf(one)) ? { ...one, health: 'unhealthy' as const } : one))
  update([...many(40), ...sick])
  const after = chosen(() => pick('gray'))
  t.equal(after.size, 5)
  for (const address of after) {
    t.notOk(before.has(address))
    t.ok(gray.some(one => addressOf(one) === address))
  }
})

t.test('where the whole subset was tried, another endpoint of the lane serves', async t => {
  const gray = many(10, { tags: ['gray'] })
  const { pick } = oneService(t, [...many(10), ...gray], { subsetSize: 2 })
  const subset = chosen(() => pick('gray'))
  const choice = pick('gray', subset)
  t.equal(choice.outcome, 'lane')
  t.notOk(subset.has(choice.endpoint!.address))
})

t.test('processes have different subsets, and so each endpoint has its share of them', async t => {
  const endpoints = many(50)
  const callers = new Map(endpoints.map(one => [addressOf(one), 0]))
  const processes = 400
  for (let i = 0; i < processes; i++) {
    const { pick } = oneService(t, endpoints, { subsetSize: 10, balancer: 'round-robin' })
    for (const address of chosen(() => pick(), 10)) callers.set(address, callers.get(address)! + 1)
  }
  const mean = (processes * 10) / 50
  const counts = [...callers.values()]
  const deviation = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length)
  // By chance alone it is 8.
  t.ok(deviation < 12, `${deviation}`)
})

t.test('the size can be given and taken back while requests run', async t => {
  const { pick, resolver } = oneService(t, many(60))
  t.equal(chosen(() => pick()).size, 60)
  resolver.update({ subsetSize: 7 })
  const first = chosen(() => pick())
  t.equal(first.size, 7)
  resolver.update({})
  t.equal(chosen(() => pick()).size, 60)
  resolver.update({ subsetSize: 7 })
  t.strictSame(
    chosen(() => pick()),
    first,
  )
})
