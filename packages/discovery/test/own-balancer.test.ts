import { AsyncLocalStorage } from 'node:async_hooks'
import { createHash } from 'node:crypto'
import { currentLane, runInLane } from '@laneway/core'
import t from 'tap'
import { type Balancer, createLaneResolver, createStaticSource, type EndpointInput } from '../src/index.js'
import { addressOf, endpoint, oneService } from './one-service.js'

const hash = (text: string) => createHash('md5').update(text).digest().readUInt32BE(0)

/** A ring hash: requests of one key go to one endpoint, and few keys move when an endpoint comes or goes. */
function ringHash(keyOf: () => string): Balancer {
  return {
    name: 'ring-hash',
    balance(endpoints) {
      const ring = endpoints
        .flatMap(({ endpoint }, position) =>
          Array.from({ length: 100 }, (_, point) => ({ at: hash(`${endpoint.address}#${point}`), position })),
        )
        .sort((a, b) => a.at - b.at)
      return attempt => {
        const at = hash(keyOf())
        const start = ring.findIndex(point => point.at >= at)
        const order = [...ring.slice(start), ...ring.slice(0, start)].map(({ position }) => position)
        return [...new Set(order)][attempt % endpoints.length]!
      }
    },
  }
}

const users = new AsyncLocalStorage<string>()
const keys = Array.from({ length: 200 }, (_, index) => `user ${index}`)
const balancer = ringHash(() => users.getStore() ?? '')

t.test('a ring hash sends each key to one endpoint, and few keys move with an endpoint', async t => {
  const all = Array.from({ length: 5 }, () => endpoint())
  const { pick, update } = oneService(t, all, { balancer })
  const where = () => new Map(keys.map(key => [key, users.run(key, () => pick().endpoint!.address)]))
  const before = where()
  t.strictSame(where(), before, 'the same again')
  t.equal(new Set(before.values()).size, 5, 'all endpoints serve')
  const gone = addressOf(all[2]!)
  update(all.filter(one => addressOf(one) !== gone))
  const after = where()
  for (const key of keys) {
    if (before.get(key) === gone) t.not(after.get(key), gone)
    else t.equal(after.get(key), before.get(key), `${key} stays`)
  }
})

t.test('a key moves to the next endpoint of its ring when its own was tried or is ejected, and comes back', async t => {
  const { pick, resolver } = oneService(t, [endpoint(), endpoint(), endpoint()], {
    balancer,
    now: () => 0,
    outlier: { consecutiveFailures: 1, ejectionMs: 1000 },
  })
  const of = (tried?: string[]) => users.run('user 7', () => pick(undefined, tried))
  const first = of().endpoint!.address
  const second = of([first]).endpoint!.address
  t.not(second, first)
  const third = of([first, second]).endpoint!.address
  t.equal(new Set([first, second, third]).size, 3)
  t.equal(of([first]).endpoint!.address, second, 'the order is that of the ring')
  const choice = of()
  resolver.started(choice)
  resolver.finished(choice, 'connect-error')
  t.equal(of().endpoint!.address, second, 'while it is ejected')
})

t.test('no balancer sends a request out of its lane', async t => {
  const gray = endpoint({ tags: ['gray'] })
  const lists: string[][] = []
  const spy: Balancer = {
    name: 'spy',
    balance(endpoints) {
      lists.push(endpoints.map(one => one.endpoint.address))
      return () => 0
    },
  }
  const { outcome } = oneService(t, [endpoint(), gray, endpoint(), endpoint({ weight: 0 })], { balancer: spy })
  t.equal(outcome('gray'), 'lane of gray at 1')
  t.equal(outcome(), 'base at 0')
  t.strictSame(lists.map(list => list.length).sort(), [1, 2], 'one list for each lane, without weight 0')
  t.ok(lists.some(list => list.length === 1 && list[0] === addressOf(gray)))
})

t.test('it sees how many requests each endpoint is serving', async t => {
  const least: Balancer = {
    name: 'least',
    balance: endpoints => () =>
      endpoints.reduce((best, { inFlight }, index) => (inFlight < endpoints[best]!.inFlight ? index : best), 0),
  }
  const { pick, resolver } = oneService(t, [endpoint(), endpoint(), endpoint()], { balancer: least })
  const seen = keys.slice(0, 9).map(() => {
    const choice = pick()
    resolver.started(choice)
    return choice.endpoint!.address
  })
  t.equal(new Set(seen.slice(0, 3)).size, 3)
  t.strictSame(seen.slice(3, 6), seen.slice(0, 3))
})

const broken: Record<string, Balancer['balance']> = {
  'balance() throws': () => {
    throw new Error('a bug')
  },
  'the choice throws': () => () => {
    throw new Error('a bug')
  },
  'the position is not in the list': () => () => 3,
  'the position is negative': () => () => -1,
  'the position is no number': () => () => '0' as never,
  'the position is NaN': () => () => Number.NaN,
}
for (const [name, balance] of Object.entries(broken)) {
  t.test(`a balancer with a bug chooses by weight, with one warning: ${name}`, async t => {
    const warnings = t.capture(process, 'emitWarning')
    const { pick } = oneService(t, [endpoint(), endpoint(), endpoint()], { balancer: { name: 'mine', balance } })
    const seen = new Set(keys.map(() => pick().endpoint?.address))
    t.equal(seen.size, 3)
    t.notOk(seen.has(undefined))
    t.strictSame(
      warnings().map(({ args }) => args[1]),
      ['LanewayWarning'],
    )
  })
}

t.test('a value that is no balancer is refused', async t => {
  const sources = [createStaticSource()]
  for (const balancer of [{}, { name: 'x' }, 7, 'ring-hash', []] as never[]) {
    t.throws(() => createLaneResolver({ sources, balancer }), {
      code: 'LANEWAY_INVALID_OPTION',
      message: /balancer is/,
    })
  }
})

t.test('the choice runs in the context of the request that asks', async t => {
  const lanes: (string | undefined)[] = []
  const spy: Balancer = {
    name: 'spy',
    balance: () => () => {
      lanes.push(currentLane()?.header)
      return 0
    },
  }
  const { pick } = oneService(t, [endpoint({ tags: ['gray'] } satisfies Partial<EndpointInput>)], { balancer: spy })
  runInLane('gray', () => pick('gray'))
  t.strictSame(lanes, ['gray'])
})
