import { currentLane, runInLane } from '@laneway/core'
import type { Test } from 'tap'
import { BLUE, byHost, GRAY, instances, ORDERS, one, open, subscribe, TABLE, three, two } from './instances.js'
import type { SourceAdapter } from './source-adapter.js'
import { eventually, SourceReports, tableOf } from './source-reports.js'

export async function firstSnapshot(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: ORDERS, billing: [one] })
  const orders = subscribe(open(t, registry), 'orders')
  await orders.untilTable(TABLE)
  const found = byHost(orders.endpoints)
  t.notOk(orders.kinds.includes('missing'))
  t.not(found['10.0.0.1']?.health, 'unhealthy')
  t.equal(found['10.0.0.3']?.health, 'unhealthy')
  t.strictSame([found['10.0.0.1']?.zone, found['10.0.0.2']?.zone], [undefined, 'hangzhou'])
  t.equal(found['10.0.0.1']?.metadata?.['app'], 'orders')
  t.not(found['10.0.0.1']?.enabled, false)
}

export async function changes(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: ORDERS })
  const orders = subscribe(open(t, registry), 'orders')
  await orders.untilTable(TABLE)
  await registry.publish({ orders: [one, three] })
  await orders.untilTable('10.0.0.1:8001=base 10.0.0.3:8003=blue+gray')
  await registry.publish({ orders: [one, three, { host: '10.0.0.4', port: 8004, labels: BLUE }] })
  await orders.untilTable('10.0.0.1:8001=base 10.0.0.3:8003=blue+gray 10.0.0.4:8004=blue')
  await registry.publish({
    orders: [
      { ...one, labels: GRAY },
      { ...three, labels: {} },
    ],
  })
  await orders.untilTable('10.0.0.1:8001=gray 10.0.0.3:8003=base')
  await registry.publish({
    orders: [
      { ...one, labels: GRAY, healthy: false },
      { ...three, labels: {}, healthy: true },
    ],
  })
  await orders.until(({ endpoints }) => byHost(endpoints)['10.0.0.1']?.health === 'unhealthy')
  await orders.until(({ endpoints }) => byHost(endpoints)['10.0.0.3']?.health !== 'unhealthy')
  t.notOk(orders.kinds.includes('missing'))
  t.notOk(orders.kinds.includes('stale'))
}

export async function order(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  const at = (step: number) => [{ ...one, zone: `zone-${step}` }]
  await registry.publish({ orders: at(0) })
  const orders = subscribe(open(t, registry), 'orders')
  for (let step = 1; step <= 25; step++) await registry.publish({ orders: at(step) })
  await orders.until(({ endpoints }) => endpoints[0]?.zone === 'zone-25')
  const steps = orders.snapshots.map(([endpoint]) => Number(endpoint?.zone?.slice(5)))
  t.strictSame(
    steps,
    [...steps].sort((a, b) => a - b),
  )
}

export async function unchangedSnapshot(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: ORDERS })
  const orders = subscribe(open(t, registry), 'orders')
  await orders.untilTable(TABLE)
  const reported = orders.endpoints
  const copy = structuredClone([...reported])
  await registry.publish({ orders: [{ ...one, labels: BLUE, zone: 'beijing' }] })
  await orders.untilTable('10.0.0.1:8001=blue')
  t.strictSame([...reported], copy)
}

export async function manyInstances(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: instances(2_000) })
  const orders = subscribe(open(t, registry), 'orders')
  await orders.until(({ endpoints }) => endpoints.length === 2_000)
  t.equal(new Set(orders.endpoints.map(({ host }) => host)).size, 2_000)
}

export async function subscribers(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one] })
  const source = open(t, registry)
  const [first, second, third] = [new SourceReports(), new SourceReports(), new SourceReports()]
  const stop = source.subscribe('orders', first.listener)
  source.subscribe('orders', second.listener)
  await Promise.all([first.untilTable('10.0.0.1:8001=base'), second.untilTable('10.0.0.1:8001=base')])
  source.subscribe('orders', third.listener)
  await third.untilTable('10.0.0.1:8001=base')
  stop()
  stop()
  const heard = first.kinds.length
  await registry.publish({ orders: [two] })
  await Promise.all([second.untilTable('10.0.0.2:8002=gray'), third.untilTable('10.0.0.2:8002=gray')])
  t.equal(first.kinds.length, heard)
}

export async function sharedListener(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one], billing: [two] })
  const source = open(t, registry)
  const both = new SourceReports()
  // A source may repeat what it has reported, so the last report is of either service.
  const heard = (table: string) => both.until(({ snapshots }) => snapshots.some(one => tableOf(one) === table))
  const stop = source.subscribe('orders', both.listener)
  await heard('10.0.0.1:8001=base')
  source.subscribe('billing', both.listener)
  await heard('10.0.0.2:8002=gray')
  await registry.publish({ orders: [three], billing: [two] })
  await heard('10.0.0.3:8003=blue+gray')
  stop()
  await registry.publish({ orders: [three], billing: [{ ...one, port: 8004 }] })
  await heard('10.0.0.1:8004=base')
}

export async function lanes(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one] })
  const source = open(t, registry)
  const orders = new SourceReports()
  const found: (string | undefined)[] = []
  let isLater = false
  const note = () => {
    if (isLater) found.push(currentLane()?.header)
  }
  runInLane('gray', () =>
    source.subscribe('orders', {
      snapshot(endpoints) {
        note()
        orders.listener.snapshot(endpoints)
      },
      missing: note,
      stale: note,
    }),
  )
  isLater = true
  await orders.untilTable('10.0.0.1:8001=base')
  await registry.publish({ orders: [two] })
  await orders.untilTable('10.0.0.2:8002=gray')
  t.strictSame([...new Set(found)], [undefined])
}

export async function closing(t: Test, adapter: SourceAdapter): Promise<void> {
  const registry = await adapter.start(t)
  await registry.publish({ orders: [one], billing: [two] })
  const before = openHandles()
  const source = registry.open()
  const [orders, billing] = [subscribe(source, 'orders'), subscribe(source, 'billing')]
  const lists: number[] = []
  source.list?.(names => lists.push(names.size))
  await Promise.all([orders.untilTable('10.0.0.1:8001=base'), billing.untilTable('10.0.0.2:8002=gray')])
  if (source.list !== undefined) await eventually(() => lists.length > 0)
  await source.close()
  await source.close()
  const heard = [orders.kinds.length, billing.kinds.length, lists.length]
  await registry.publish({ orders: [three], carts: [one] })
  const late = subscribe(source, 'orders')
  await eventually(() => openHandles() <= before)
  t.strictSame([orders.kinds.length, billing.kinds.length, lists.length], heard)
  t.notOk(late.kinds.includes('missing'), 'a closed source says nothing of a service')
}

/** What keeps this process alive. Timers are left out: those of the test itself come and go. */
function openHandles(): number {
  return process.getActiveResourcesInfo().filter(kind => kind !== 'Timeout' && kind !== 'Immediate').length
}
