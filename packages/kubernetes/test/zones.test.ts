import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLaneResolver, type Source } from '@laneway/discovery'
import t from 'tap'
import { readOwnZone } from '../src/access/own-zone.js'
import { readSlice } from '../src/objects/slice.js'
import { Cluster } from './cluster.js'

const hinted = (uid: string, zone: string, ...forZones: string[]) => ({
  targetRef: { kind: 'Pod', uid },
  zone,
  hints: { forZones: forZones.map(name => ({ name })) },
})

t.test('zone and hints of a slice reach the endpoints', async t => {
  const cluster = await Cluster.start(t)
  cluster.pod('u1')
  cluster.pod('u2')
  cluster.slice('s', {
    endpoints: { '10.0.0.1': hinted('u1', 'a', 'a'), '10.0.0.2': { targetRef: { kind: 'Pod', uid: 'u2' }, zone: 'b' } },
  })
  const seen = cluster.watch('orders')
  await seen.untilTable('10.0.0.1:80=base 10.0.0.2:80=base')
  t.match(seen.endpoints, [{ zone: 'a', forZones: ['a'] }, { zone: 'b' }])
  t.notOk('forZones' in seen.endpoints[1]!)
  for (const hints of [null, {}, { forZones: null }]) {
    const slice = { metadata: {}, endpoints: [{ addresses: ['10.0.0.1'], hints }] }
    t.equal(readSlice(slice, { of: () => ({ tags: [], labels: {} }) } as never).endpoints[0]?.forZones, undefined)
  }
})

t.test('with a zone, callers keep to the endpoints that are set aside for it, as kube-proxy does', async t => {
  const endpoints = [
    { host: '10.0.0.1', port: 80, zone: 'a', forZones: ['a'] },
    { host: '10.0.0.2', port: 80, zone: 'b', forZones: ['b'] },
    { host: '10.0.0.3', port: 80, zone: 'b', tags: ['gray'], forZones: ['b'] },
  ]
  // What `createKubernetesSource({ zone: 'a' })` says of zones, over a list of our own.
  const source: Source = {
    name: 'kubernetes',
    subscribe(_, listener) {
      listener.snapshot(endpoints)
      return () => {}
    },
    zone: () => ({ name: 'a', prefer: 'hints' }),
    close: async () => {},
  }
  const resolver = createLaneResolver({ sources: [source], services: ['orders'], env: {} })
  t.teardown(() => resolver.close())
  for (let i = 0; i < 100; i++) {
    t.equal(resolver.pick('orders', undefined).endpoint?.host, '10.0.0.1')
    t.equal(resolver.pick('orders', { header: 'gray', tags: ['gray'] }).endpoint?.host, '10.0.0.3', 'the lane first')
  }
})

t.test('the own zone is read from the labels of the pod', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-zone-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const cases: [text: string, zone: string | undefined][] = [
    ['app="orders"\ntopology.kubernetes.io/zone="cn-hangzhou-a"\n', 'cn-hangzhou-a'],
    ['topology.kubernetes.io/zone=""', undefined],
    ['topology.kubernetes.io/zone-of-something="x"', undefined],
    ['app="orders"', undefined],
    ['', undefined],
  ]
  for (const [text, zone] of cases) {
    writeFileSync(join(folder, 'labels'), text)
    t.equal(readOwnZone(join(folder, 'labels')), zone, text)
  }
  t.equal(readOwnZone(join(folder, 'none')), undefined)
})
