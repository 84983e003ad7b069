import type { Test } from 'tap'
import { ORDERS, one, open, subscribe, TABLE } from './instances.js'
import type { SourceAdapter } from './source-adapter.js'
import { eventually } from './source-reports.js'

export async function unreachable(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one] })
  await registry.lose!()
  const source = open(t, registry)
  const [orders, unknown] = [subscribe(source, 'orders'), subscribe(source, 'unknown')]
  for (const reports of [orders, unknown]) {
    await reports.until(({ last }) => last !== undefined)
    t.strictSame([...new Set(reports.kinds)], ['stale'])
    t.ok(reports.errors[0] instanceof Error)
  }
  const connection = source.connection?.()
  if (connection !== undefined) t.match(connection, { connected: false, error: Error })
  await registry.restore!()
  await orders.untilTable('10.0.0.1:8001=base')
  await unknown.until(({ last }) => last === (adapter.unknownService === 'missing' ? 'missing' : 'snapshot'))
}

export async function lost(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: ORDERS })
  const source = open(t, registry)
  const orders = subscribe(source, 'orders')
  await orders.untilTable(TABLE)
  await registry.lose!()
  await orders.until(({ last }) => last === 'stale')
  t.equal(orders.table, TABLE)
  t.match(orders.errors[0], { message: /./ })
  if (source.connection !== undefined) await eventually(() => source.connection?.()?.connected === false)
  const heard = orders.kinds.length
  await registry.restore!()
  await orders.until(({ last, kinds }) => kinds.length > heard && last === 'snapshot')
  t.equal(orders.table, TABLE)
  t.notOk(orders.kinds.includes('missing'))
  t.strictSame([...new Set(orders.snapshots.map(({ length }) => length))], [3], 'never less than before')
  if (source.connection !== undefined) await eventually(() => source.connection?.()?.connected === true)
}

export async function lateSubscriber(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one] })
  const source = open(t, registry)
  const orders = subscribe(source, 'orders')
  await orders.untilTable('10.0.0.1:8001=base')
  await registry.lose!()
  await orders.until(({ last }) => last === 'stale')
  const late = subscribe(source, 'orders')
  await late.until(({ last }) => last === 'stale')
  t.notOk(late.kinds.includes('missing'))
  t.notOk(
    late.snapshots.some(({ length }) => length === 0),
    'a lost service is not an empty one',
  )
  await registry.restore!()
  await late.untilTable('10.0.0.1:8001=base')
}
