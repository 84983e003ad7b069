import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { channels, parseLane, type SourceEvent } from '@laneway/core'
import { createFileSource, createLaneResolver, createStaticSource, type EndpointInput } from '@laneway/discovery'
import { SourceReports } from '@laneway/testkit'
import t from 'tap'

const SERVICES = 300
const names = Array.from({ length: SERVICES }, (_, index) => `s${index}`)
const list = (service: number, moved = 0): EndpointInput[] =>
  Array.from({ length: 40 }, (_, index) => ({
    host: `10.${service >> 8}.${service & 255}.${index}`,
    port: 80 + (index === 0 ? moved : 0),
    tags: index === 1 ? ['gray'] : [],
  }))
const all = () => Object.fromEntries(names.map((name, index) => [name, list(index)]))
const turn = () => new Promise(resolve => setImmediate(resolve))

t.test('the first snapshots of many services are taken over in many turns of the event loop', async t => {
  const perTurn: number[] = [0]
  const heard = (event: unknown) => {
    perTurn[perTurn.length - 1]! += (event as SourceEvent).endpoints ?? 0
  }
  channels.source.subscribe(heard)
  t.teardown(() => channels.source.unsubscribe(heard))
  const resolver = createLaneResolver({ sources: [createStaticSource(all())], services: names, env: {} })
  t.teardown(() => resolver.close())
  t.equal(resolver.pick('s0', undefined).outcome, 'base', 'a few services are there at once')
  t.equal(resolver.pick('s299', undefined).outcome, 'not-ready')
  const ready = Promise.all(names.map(name => resolver.ready(name)))
  while (resolver.pick('s299', undefined).outcome === 'not-ready') {
    perTurn.push(0)
    await turn()
  }
  await ready
  t.equal(
    perTurn.reduce((sum, count) => sum + count, 0),
    SERVICES * 40,
  )
  // A turn here may hold the end of one and the beginning of another there.
  t.ok(Math.max(...perTurn) <= 2 * 1_024, `at most ${Math.max(...perTurn)} endpoints in a turn`)
  t.equal(resolver.pick('s299', parseLane('gray')).endpoint?.address, '10.1.43.1:80')
})

t.test('a service that waits for its turn takes over the newest list', async t => {
  const source = createStaticSource(all())
  const resolver = createLaneResolver({ sources: [source], services: names, env: {} })
  t.teardown(() => resolver.close())
  source.update({ ...all(), s299: [{ host: '10.9.9.9', port: 1 }] })
  await resolver.ready('s299')
  t.equal(resolver.pick('s299', undefined).endpoint?.address, '10.9.9.9:1')
  for (let i = 0; i < 50; i++) await turn()
  t.equal(resolver.pick('s299', undefined).endpoint?.address, '10.9.9.9:1')
})

t.test('a change of one service is reported to it alone: a fixed list', async t => {
  const source = createStaticSource(all())
  const reports = names.map(name => {
    const seen = new SourceReports()
    source.subscribe(name, seen.listener)
    return seen
  })
  const told = () => reports.flatMap(({ kinds }, index) => (kinds.length > 1 ? [names[index]] : []))
  source.update({ ...all(), s7: list(7, 1) })
  t.strictSame(told(), ['s7'])
  const changing = all()
  source.update({ ...changing, s7: list(7, 1) })
  t.strictSame(told(), ['s7'])
  Object.assign(changing['s8']![0]!, { weight: 5 })
  source.update({ ...changing, s7: list(7, 1) })
  t.strictSame(told(), ['s7', 's8'], 'an object that the program changes is a change')
  const { s9: _, ...fewer } = changing
  source.update({ ...fewer, s7: list(7, 1) })
  t.equal(reports[9]!.last, 'missing')
  t.throws(() => source.update({ ...fewer, s7: [{ host: '', port: 0 }] }), { code: 'LANEWAY_INVALID_ENDPOINT' })
  source.update({ ...fewer, s7: list(7, 1) })
  t.strictSame(told(), ['s7', 's8', 's9'], 'what was refused has changed nothing')
})

t.test('a change of one service is reported to it alone: a file, also after it was lost', async t => {
  const file = join(t.testdir({ 'endpoints.json': JSON.stringify({ services: all() }) }), 'endpoints.json')
  const source = createFileSource(file, { pollMs: 5, warn: () => {} })
  t.teardown(() => source.close())
  const [changed, other] = [new SourceReports(), new SourceReports()]
  source.subscribe('s7', changed.listener)
  source.subscribe('s8', other.listener)
  writeFileSync(file, JSON.stringify({ services: { ...all(), s7: list(7, 1) } }))
  await changed.until(seen => seen.kinds.length > 1)
  t.strictSame(other.kinds, ['snapshot'])
  rmSync(file)
  await other.until(seen => seen.last === 'stale')
  writeFileSync(file, JSON.stringify({ services: { ...all(), s7: list(7, 1) } }))
  await other.until(seen => seen.last === 'snapshot')
  t.strictSame(other.kinds, ['snapshot', 'stale', 'snapshot'])
})
