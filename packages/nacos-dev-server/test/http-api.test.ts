import t from 'tap'
import { setUpPeer, startServer } from './fixture.js'
import { deregister, instance, named, register, subscribe } from './peer.js'

t.test('health, lists and configs can be read with curl', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await peer.ask(...register('sc-b', 8001))
  await peer.ask('ConfigPublishRequest', { dataId: 'd', group: 'g', tenant: '', content: 'x' })
  const get = async (path: string): Promise<any> => {
    const response = await fetch(`http://${server.address}/nacos/${path}`)
    const text = await response.text()
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text }
  }
  t.strictSame(await get('actuator/health'), { status: 200, body: { status: 'UP' } })
  t.strictSame(await get('v1/ns/operator/metrics'), { status: 200, body: { status: 'UP' } })
  t.match(await get('v1/ns/instance/list?serviceName=sc-b'), {
    status: 200,
    body: { name: 'DEFAULT_GROUP@@sc-b', hosts: [{ port: 8001 }], allIps: false },
  })
  t.match(await get('v3/client/ns/instance/list?serviceName=sc-b&groupName=DEFAULT_GROUP'), {
    body: { code: 0, message: 'success', data: [{ port: 8001 }] },
  })
  t.strictSame(await get('v1/cs/configs?dataId=d&group=g'), { status: 200, body: 'x' })
  t.strictSame(await get('v1/cs/configs?dataId=nothing&group=g'), { status: 404, body: 'config data not exist\n' })
  t.strictSame(await get('v3/client/cs/config?dataId=nothing&groupName=g'), {
    status: 200,
    body: { code: 20004, message: 'resource not found', data: null },
  })
  t.equal((await get('v2/ns/instance/list?serviceName=sc-b')).status, 410)
  t.equal((await get('nothing')).status, 404)
  t.equal((await get('//')).status, 404)
})

const edits = [
  ['3.1.0', 'v3/admin/ns/instance', 'v3/admin/ns/service'],
  ['2.5.0', 'v1/ns/instance', 'v1/ns/service'],
] as const
for (const [dialect, instancePath, servicePath] of edits) {
  t.test(`an operator's edit on ${dialect} beats what the client registers, key by key, and survives it`, async t => {
    const server = await startServer(t, { dialect })
    const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
    await watcher.ask(...subscribe('sc-b'))
    await watcher.ports('sc-b')
    await provider.ask(...register('sc-b', 8001, { metadata: { lane: 'gray' } }))
    await watcher.ports('sc-b', 8001)
    const query = new URLSearchParams({
      serviceName: 'sc-b',
      groupName: 'DEFAULT_GROUP',
      ip: '10.0.0.1',
      port: '8001',
      clusterName: 'DEFAULT',
      weight: '5',
      metadata: '{"lane":"blue"}',
    })
    const response = await fetch(`http://${server.address}/nacos/${instancePath}?${query}`, { method: 'PUT' })
    t.equal(response.status, 200)
    t.match(await watcher.ports('sc-b', 8001), { hosts: [{ weight: 5, metadata: { lane: 'blue' } }] })
    await provider.ask(...register('sc-b', 8001, { metadata: { lane: 'gray', extra: '1' } }))
    t.match(await watcher.ports('sc-b', 8001), { hosts: [{ weight: 5, metadata: { lane: 'blue', extra: '1' } }] })
    await provider.ask(...deregister('sc-b', 8001))
    await watcher.ports('sc-b')
    const next = await setUpPeer(t, server)
    await next.ask(...register('sc-b', 8001, { metadata: { lane: 'gray' } }))
    t.match(await watcher.ports('sc-b', 8001), { hosts: [{ weight: 5, metadata: { lane: 'blue' } }] })
  })

  t.test(
    `below the protection threshold everyone is declared healthy on ${dialect}, from the next query on`,
    async t => {
      const server = await startServer(t, { dialect })
      const peer = await setUpPeer(t, server)
      await peer.ask('BatchInstanceRequest', {
        ...named('sc-b'),
        type: 'batchRegisterInstance',
        instances: [instance(1, { healthy: false }), instance(2, { healthy: false }), instance(3)],
      })
      const query = async (healthyOnly: boolean): Promise<any> =>
        (await peer.ask('ServiceQueryRequest', { ...named('sc-b'), healthyOnly })).body.serviceInfo
      t.equal((await query(false)).reachProtectionThreshold, false)
      await fetch(`http://${server.address}/nacos/${servicePath}?serviceName=sc-b&protectThreshold=0.5`, {
        method: 'PUT',
      })
      t.match(await query(false), {
        reachProtectionThreshold: true,
        hosts: [{ healthy: true }, { healthy: true }, { healthy: true }],
      })
      t.match(await query(true), { reachProtectionThreshold: false, hosts: [{ port: 3 }] })
    },
  )
}

t.test('metadata that are no JSON object are refused and change nothing', async t => {
  const server = await startServer(t)
  for (const metadata of ['{oops', '[]', '1', 'null']) {
    const query = new URLSearchParams({ serviceName: 'sc-b', ip: '10.0.0.1', port: '1', metadata })
    const response = await fetch(`http://${server.address}/nacos/v3/admin/ns/instance?${query}`, { method: 'PUT' })
    t.equal(response.status, 400, metadata)
  }
})

t.test('with auth an edit needs a token', async t => {
  const server = await startServer(t, { auth: { users: { nacos: 'secret' } } })
  const response = await fetch(`http://${server.address}/nacos/v3/admin/ns/instance?serviceName=sc-b`, {
    method: 'PUT',
  })
  t.equal(response.status, 403)
})
