import t from 'tap'
import type { DialectName } from '../src/index.js'
import { setUpPeer, startServer } from './fixture.js'
import { named, register } from './peer.js'
import { recordedFacts, recordedHost } from './recorded-facts.js'

const dialects: readonly DialectName[] = ['3.1.0', '2.5.0', '2.2.3']

/** The moments differ from run to run; everything else is compared. */
function withoutMoments(body: any): any {
  return body.serviceInfo === undefined ? body : { ...body, serviceInfo: { ...body.serviceInfo, lastRefTime: 0 } }
}

for (const dialect of dialects) {
  t.test(`the ${dialect} dialect answers as recorded`, async t => {
    const server = await startServer(t, { dialect })
    const peer = await setUpPeer(t, server)
    for (const fact of recordedFacts) {
      const { type, body } = await peer.ask(...fact.ask)
      const [expectedType, expectedBody] = fact.answers[dialect]
      t.equal(type, expectedType, `${fact.name}: type`)
      t.strictSame(withoutMoments(body), expectedBody, `${fact.name}: body`)
    }
  })

  t.test(`the ${dialect} dialect lists a host as recorded`, async t => {
    const server = await startServer(t, { dialect })
    const peer = await setUpPeer(t, server)
    await peer.ask(...register('sc-b', 8001, { metadata: { 'alicloud.service.tag': 'gray' } }))
    const { body } = await peer.ask('ServiceQueryRequest', named('sc-b'))
    const { instanceId, ...withoutId } = recordedHost
    t.strictSame(body.serviceInfo.hosts, [dialect === '2.2.3' ? withoutId : { instanceId, ...withoutId }])
  })
}

t.test(
  'an instance with ip and port alone gets the defaults, and a host without metadata names the id generator',
  async t => {
    const server = await startServer(t)
    const peer = await setUpPeer(t, server)
    await peer.ask('InstanceRequest', {
      ...named('sc-b'),
      type: 'registerInstance',
      instance: { ip: '10.0.0.1', port: 8001 },
    })
    const { body } = await peer.ask('ServiceQueryRequest', named('sc-b'))
    t.strictSame(body.serviceInfo.hosts, [
      {
        ...recordedHost,
        instanceId: '10.0.0.1#8001#null#DEFAULT_GROUP@@sc-b',
        metadata: {},
        instanceIdGenerator: 'simple',
      },
    ])
  },
)

t.test('lists leave out disabled instances and show unhealthy and weightless ones', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await peer.ask('BatchInstanceRequest', {
    ...named('sc-b'),
    type: 'batchRegisterInstance',
    instances: [
      { ip: '10.0.0.1', port: 1, healthy: false },
      { ip: '10.0.0.1', port: 2, weight: 0 },
      { ip: '10.0.0.1', port: 3, enabled: false },
    ],
  })
  const { body } = await peer.ask('ServiceQueryRequest', named('sc-b'))
  t.match(body.serviceInfo.hosts, [
    { port: 1, healthy: false },
    { port: 2, weight: 0 },
  ])
  t.equal(body.serviceInfo.hosts.length, 2)
  t.equal(server.instances('sc-b').length, 3)
})

t.test('the namespaces "" and public are two, in every dialect', async t => {
  for (const dialect of dialects) {
    const server = await startServer(t, { dialect })
    const peer = await setUpPeer(t, server)
    await peer.ask(...register('sc-b', 8001))
    const { body } = await peer.ask('ServiceQueryRequest', named('sc-b', 'DEFAULT_GROUP', ''))
    t.same(body.serviceInfo.hosts, [], dialect)
  }
})

t.test('services are listed by namespace and group, page by page, while they have instances', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  for (const service of ['sc-a', 'sc-b', 'sc-c']) await peer.ask(...register(service, 8001))
  await peer.ask('InstanceRequest', {
    ...named('sc-d', 'OTHER'),
    type: 'registerInstance',
    instance: { ip: '10.0.0.1', port: 1 },
  })
  const list = async (pageNo: number, pageSize: number): Promise<any> =>
    (await peer.ask('ServiceListRequest', { namespace: 'public', groupName: 'DEFAULT_GROUP', pageNo, pageSize })).body
  t.match(await list(1, 10), { count: 3, serviceNames: ['sc-a', 'sc-b', 'sc-c'] })
  t.strictSame((await list(2, 2)).serviceNames, ['sc-c'])
  await peer.ask('InstanceRequest', { ...named('sc-b'), type: 'deregisterInstance', instance: { ip: '', port: 0 } })
  t.strictSame((await list(1, 10)).serviceNames, ['sc-a', 'sc-c'])
})
