import type { Test } from 'tap'
import { one, open, subscribe, three, two } from './instances.js'
import type { SourceAdapter } from './source-adapter.js'
import { eventually, type SourceReports } from './source-reports.js'

export async function emptyAndUnknown(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [], billing: [one] })
  const source = open(t, registry)
  const [orders, unknown, billing] = ['orders', 'unknown', 'billing'].map(name => subscribe(source, name)) as [
    SourceReports,
    SourceReports,
    SourceReports,
  ]
  const absent = adapter.unknownService === 'missing' ? 'missing' : 'snapshot'
  await unknown.until(({ last }) => last !== undefined)
  await billing.untilTable('10.0.0.1:8001=base')
  await orders.untilTable('')
  t.strictSame([unknown.last, unknown.table], [absent, ''])
  t.strictSame([...new Set(orders.kinds)], ['snapshot'], 'a service without instances is not missing')
  await registry.publish({ orders: [], billing: [] })
  await billing.untilTable('')
  await registry.publish({ orders: [two] })
  await billing.until(({ last, table }) => last === absent && table === '')
  await orders.untilTable('10.0.0.2:8002=gray')
  await registry.publish({ unknown: [one], billing: [two] })
  await unknown.untilTable('10.0.0.1:8001=base')
  await billing.untilTable('10.0.0.2:8002=gray')
  t.notOk([...orders.kinds, ...unknown.kinds, ...billing.kinds].includes('stale'))
}

export async function caseOfNames(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one] })
  const source = open(t, registry)
  await subscribe(source, 'orders').untilTable('10.0.0.1:8001=base')
  const other = subscribe(source, 'ORDERS')
  await other.until(({ last }) => last !== undefined)
  if (source.caseInsensitive !== false) await other.untilTable('10.0.0.1:8001=base')
  t.equal(other.table, source.caseInsensitive === false ? '' : '10.0.0.1:8001=base')
}

export async function oddNames(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one] })
  const source = open(t, registry)
  for (const name of ['', ' ', 'not a name!', '../orders', '__proto__', 'constructor', 'ü', 'x'.repeat(300)]) {
    const odd = subscribe(source, name)
    await odd.until(({ last }) => last !== undefined)
    t.equal(odd.table, '', JSON.stringify(name.slice(0, 20)))
  }
}

export async function listing(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one], billing: [two], users: [three] })
  const source = open(t, registry)
  if (source.list === undefined) return t.comment('this source does not list')
  const first: string[] = []
  const second: string[] = []
  const stop = source.list(names => first.push([...names].sort().join()))
  source.list(names => second.push([...names].sort().join()))
  await eventually(() => first.at(-1) === 'billing,orders,users' && second.at(-1) === 'billing,orders,users')
  await registry.publish({ orders: [one], users: [three] })
  await eventually(() => first.at(-1) === 'orders,users' && second.at(-1) === 'orders,users')
  stop()
  stop()
  const heard = first.length
  await registry.publish({ orders: [one], users: [three], carts: [two] })
  await eventually(() => second.at(-1) === 'carts,orders,users')
  t.equal(first.length, heard)
}
