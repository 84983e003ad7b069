import { channels, type IngressEvent, type IngressOptions, parseLane } from '@laneway/core'
import { createIngress } from '@laneway/core/internal'
import t from 'tap'

interface Case {
  readonly title: string
  readonly outer: IngressOptions
  readonly inner: IngressOptions
  readonly sent: string | undefined
  /** What counts in the end. */
  readonly lane: string | undefined
  readonly header: string | undefined
  /** How often a lane or its refusal was told. */
  readonly told: number
}

const rule = (tag: string) => ({ rules: () => parseLane(tag) })

const CASES: readonly Case[] = [
  { title: 'agrees', outer: {}, inner: {}, sent: 'gray', lane: 'gray', header: 'gray', told: 1 },
  {
    title: 'believes nobody',
    outer: {},
    inner: { trust: 'edge' },
    sent: 'gray',
    lane: undefined,
    header: undefined,
    told: 2,
  },
  {
    title: 'cannot bring back what was refused before',
    outer: { trust: 'edge' },
    inner: { trust: 'internal' },
    sent: 'gray',
    lane: undefined,
    header: undefined,
    told: 1,
  },
  {
    title: 'keeps the lane of a rule before it',
    outer: rule('blue'),
    inner: { trust: 'edge' },
    sent: undefined,
    lane: 'blue',
    header: undefined,
    told: 1,
  },
  {
    title: 'has a rule of its own',
    outer: rule('blue'),
    inner: rule('green'),
    sent: undefined,
    lane: 'green',
    header: undefined,
    told: 2,
  },
  {
    title: 'has a rule where the outer one was told a lane it does not believe',
    outer: {},
    inner: { trust: 'edge', ...rule('green') },
    sent: 'gray',
    lane: 'green',
    header: undefined,
    told: 2,
  },
  {
    title: 'keeps the own lane of the instance',
    outer: { tag: 'gray', ownLane: 'colour' },
    inner: { trust: 'edge' },
    sent: undefined,
    lane: 'gray',
    header: undefined,
    told: 1,
  },
  { title: 'has nothing to add', outer: {}, inner: {}, sent: undefined, lane: undefined, header: undefined, told: 0 },
  { title: 'meets no lane', outer: {}, inner: {}, sent: 'no/tag', lane: undefined, header: undefined, told: 1 },
]

for (const { title, outer, inner, sent, lane, header, told } of CASES) {
  t.test(`after a provisional decision the ingress further in ${title}`, async t => {
    const events: IngressEvent[] = []
    const collect = (event: unknown) => {
      const one = event as IngressEvent
      if (one.lane !== undefined || one.problem !== undefined || one.stripped) events.push(one)
    }
    channels.ingress.subscribe(collect)
    t.teardown(() => channels.ingress.unsubscribe(collect))
    const request = { headers: sent === undefined ? {} : ({ 'x-mse-tag': sent } as Record<string, string>) }
    const preload = createIngress('preload', { trust: 'internal', ...outer, provisional: true })
    const adapter = createIngress('adapter', { trust: 'internal', ...inner })
    preload(request)
    const decision = adapter(request)
    t.equal(decision.lane?.header, lane)
    t.equal((request.headers as Record<string, string>)['x-mse-tag'], header)
    t.equal(events.length, told, JSON.stringify(events))
    t.equal(adapter(request), decision, 'which is final')
    t.equal(createIngress('third', { trust: 'edge' })(request), decision, 'for everybody')
    t.equal(preload(request), decision, 'the preload included')
  })
}

t.test('two provisional ingresses do not decide against each other', async t => {
  const request = { headers: { 'x-mse-tag': 'gray' } }
  const first = createIngress('first', { trust: 'internal', provisional: true })(request)
  t.equal(createIngress('second', { trust: 'edge', provisional: true })(request), first)
})

t.test('a later decision still reports an earlier refusal', async t => {
  const request = { headers: { 'x-mse-tag': 'gray' } }
  createIngress('preload', { trust: 'edge', provisional: true })(request)
  const decision = createIngress('adapter', { trust: 'internal', rules: () => parseLane('green') })(request)
  t.match(decision, { lane: { header: 'green' }, stripped: true })
})

t.test('provisional is true or false', async t => {
  t.throws(() => createIngress('preload', { provisional: 1 as never }), {
    code: 'LANEWAY_INVALID_OPTION',
    message: /provisional is true or false, received 1/,
  })
})
