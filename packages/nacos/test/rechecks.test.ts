import t, { type Test } from 'tap'
import type { NacosClientOptions } from '../src/index.js'
import { client, server } from './harness.js'
import { host, ok, type RawServer, serviceInfo } from './raw-server.js'

const none = { info: () => {}, lost: () => {} }

function asked(nacos: RawServer): string[] {
  return nacos.received.filter(({ type }) => type === 'SubscribeServiceRequest').map(({ body }) => body.serviceName)
}

/** Lists by service name, as the server has them at this moment; each answer is newer than the last. */
function serve(nacos: RawServer): Map<string, object[]> {
  const lists = new Map<string, object[]>()
  let time = 1
  nacos.handlers['SubscribeServiceRequest'] = ({ body: { serviceName } }) => {
    const info = serviceInfo(serviceName, lists.get(serviceName) ?? [], { lastRefTime: ++time })
    return ok('SubscribeServiceResponse', { serviceInfo: info })
  }
  return lists
}

function push(nacos: RawServer, name: string, hosts: object[]): void {
  const info = serviceInfo(name, hosts, { lastRefTime: 9e12 })
  for (const one of nacos.open) one.push('NotifySubscriberRequest', { requestId: 'p', serviceInfo: info })
}

function after(name: string): string {
  return name === 'a' ? 'b' : name === 'b' ? 'c' : 'a'
}

async function following(t: Test, nacos: RawServer, options: Partial<NacosClientOptions>) {
  const made = client(t, nacos, options)
  const lists: Record<string, number[]> = {}
  for (const service of ['a', 'b', 'c']) {
    made.naming.subscribe(
      { service },
      { info: info => (lists[service] = info.instances.map(({ port }) => port)), lost: () => {} },
    )
  }
  await nacos.until(() => asked(nacos).length === 3)
  return { made, lists }
}

t.test('subscriptions are asked for again one at a time, in turn, and a lost push is made up for', async t => {
  const nacos = await server(t)
  const current = serve(nacos)
  const { lists } = await following(t, nacos, { recheckIntervalMs: 80 })
  current.set('b', [host('10.0.0.1', 7)])
  await nacos.until(() => lists['b']?.[0] === 7)
  await nacos.until(() => asked(nacos).length >= 9)
  const turns = asked(nacos).slice(3, 9)
  for (const [index, name] of turns.slice(1).entries()) t.equal(name, after(turns[index]!), turns.join())
})

t.test('the pause between two is the interval and up to half as much', async t => {
  const nacos = await server(t)
  serve(nacos)
  const draws: number[] = []
  const random = () => draws.push(0) * 0
  await following(t, nacos, { recheckIntervalMs: 60_000, random })
  t.ok(draws.length >= 1, 'a random part')
  await new Promise(resolve => setTimeout(resolve, 100))
  t.equal(asked(nacos).length, 3, 'nothing is asked before')
})

t.test('a change that was not pushed: pushes have stopped, and everything is asked for at each turn', async t => {
  const nacos = await server(t)
  const current = serve(nacos)
  const { lists } = await following(t, nacos, { recheckIntervalMs: 1_500, random: () => 0 })
  const all = ['a', 'b', 'c']
  for (const name of all) current.set(name, [host('10.0.0.1', 8)])
  // The first turn finds the change of `a`; some seconds later the others are asked for, long before their turns.
  await nacos.until(() => all.every(name => lists[name]?.[0] === 8))
  const before = asked(nacos).length
  await nacos.until(() => asked(nacos).length >= before + 3)
  t.same(asked(nacos).slice(before, before + 3), ['a', 'b', 'c'], 'at the next turn again')
  push(nacos, 'a', [host('10.0.0.1', 9)])
  await nacos.until(() => lists['a']?.[0] === 9)
  const since = asked(nacos).length
  await nacos.until(() => asked(nacos).length >= since + 2)
  t.not(asked(nacos)[since], asked(nacos)[since + 1], 'a push ends it: one at a time')
})

t.test('the same instances in another order, and metadata in another, are no change', async t => {
  const nacos = await server(t)
  const current = serve(nacos)
  const [one, two] = [host('10.0.0.1', 1, { a: '1', b: '2' }), host('10.0.0.2', 2)]
  for (const name of ['a', 'b', 'c']) current.set(name, [one, two])
  await following(t, nacos, { recheckIntervalMs: 700, random: () => 0 })
  for (const name of ['a', 'b', 'c']) current.set(name, [two, host('10.0.0.1', 1, { b: '2', a: '1' })])
  // Ten turns, which is longer than a push may take.
  await nacos.until(() => asked(nacos).length >= 13)
  const turns = asked(nacos).slice(3, 13)
  for (const [index, name] of turns.slice(1).entries()) t.equal(name, after(turns[index]!), turns.join())
})

t.test('what is not followed any more is not asked for; configurations have turns, too', async t => {
  const nacos = await server(t)
  serve(nacos)
  const made = client(t, nacos, { recheckIntervalMs: 30 })
  const stop = made.naming.subscribe({ service: 'a' }, none)
  made.naming.subscribe({ service: 'b' }, none)
  made.config.listen('c', {}, { value: () => {}, lost: () => {} })
  const compared = () => nacos.received.filter(({ type }) => type === 'ConfigBatchListenRequest').length
  await nacos.until(() => asked(nacos).length === 2 && compared() >= 1)
  stop()
  // The end of the subscription is a request of the same type.
  const ended = await nacos.until(() => nacos.received.findIndex(({ body }) => body?.subscribe === false) + 1)
  const since = () => nacos.received.slice(ended).filter(({ type }) => type === 'SubscribeServiceRequest')
  await nacos.until(() => since().length === 3)
  t.ok(since().every(({ body }) => body.serviceName === 'b'))
  t.ok(compared() >= 3)
})

t.test('a push that cannot be read is made up for by asking for everything', async t => {
  const nacos = await server(t)
  serve(nacos)
  await following(t, nacos, { recheckIntervalMs: 60_000 })
  for (const one of nacos.open) one.push('NotifySubscriberRequest', { requestId: 'x', serviceInfo: { hosts: 5 } })
  await nacos.until(() => asked(nacos).length === 6)
})
