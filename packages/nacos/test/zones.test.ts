import { createLaneResolver } from '@laneway/discovery'
import t from 'tap'
import { createNacosSource } from '../src/index.js'
import { client, server } from './harness.js'
import { host } from './raw-server.js'

t.test('the cluster of this process is its zone: its instances are preferred as far as they have capacity', async t => {
  const nacos = await server(t, {
    hosts: ['HZ', 'HZ', 'SH', 'SH', 'DEFAULT'].map((clusterName, index) =>
      host(`10.0.0.${index + 1}`, 80, {}, { clusterName }),
    ),
  })
  const zonesFor = async (cluster: string | undefined) => {
    const source = createNacosSource(client(t, nacos), cluster === undefined ? {} : { cluster })
    const resolver = createLaneResolver({ sources: [source], services: ['sc-B'], env: {} })
    t.teardown(() => resolver.close())
    await resolver.ready('sc-B')
    const seen = new Set(Array.from({ length: 300 }, () => String(resolver.pick('sc-B', undefined).endpoint?.zone)))
    return [...seen].sort().join()
  }
  // Of the capacity 40 %, of the callers a half: some requests go to the cluster that nobody calls from.
  t.equal(await zonesFor('HZ'), 'HZ,undefined')
  t.equal(await zonesFor(undefined), 'HZ,SH,undefined')
  t.equal(await zonesFor('DEFAULT'), 'HZ,SH,undefined')
  t.equal(await zonesFor('elsewhere'), 'HZ,SH,undefined')
})

t.test('a cluster that is no text is refused', async t => {
  const nacos = await server(t)
  for (const cluster of ['', 5]) {
    const options = { cluster: cluster as string }
    t.throws(() => createNacosSource(client(t, nacos), options), { code: 'LANEWAY_INVALID_OPTION', message: /cluster/ })
  }
})
