import t from 'tap'
import { setUpPeer, startServer } from './fixture.js'
import { deregister, instance, named, portsOf, register, subscribe } from './peer.js'

t.test('a subscription is answered with the list and followed by a push of the same list', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  await provider.ask(...register('sc-b', 8001, { metadata: { 'alicloud.service.tag': 'gray' } }))
  const answer = await watcher.ask(...subscribe('sc-b'))
  t.equal(answer.type, 'SubscribeServiceResponse')
  const pushed = await watcher.ports('sc-b', 8001)
  t.same(pushed.hosts, answer.body.serviceInfo.hosts)
  t.same(pushed.hosts[0].metadata, { 'alicloud.service.tag': 'gray' })
})

t.test('a second register on a connection replaces the first', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  await watcher.ask(...subscribe('sc-b'))
  await watcher.ports('sc-b')
  await provider.ask(...register('sc-b', 8001))
  await watcher.ports('sc-b', 8001)
  await provider.ask(...register('sc-b', 8002))
  await watcher.ports('sc-b', 8002)
  t.equal(server.instances('sc-b').length, 1)
})

t.test('a batch is the whole list each time, and an empty one removes it', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  const batch = (...ports: number[]): Promise<unknown> =>
    provider.ask('BatchInstanceRequest', {
      ...named('sc-b'),
      type: 'batchRegisterInstance',
      instances: ports.map(port => instance(port)),
    })
  await watcher.ask(...subscribe('sc-b'))
  await watcher.ports('sc-b')
  await batch(8001, 8002, 8003)
  await watcher.ports('sc-b', 8001, 8002, 8003)
  await batch(8001, 8003)
  await watcher.ports('sc-b', 8001, 8003)
  await batch()
  const last = await watcher.ports('sc-b')
  t.same(last.hosts, [])
})

t.test('deregistering removes whatever the connection registered, by whichever address', async t => {
  const server = await startServer(t)
  const provider = await setUpPeer(t, server)
  await provider.ask(...register('sc-b', 8001))
  const answer = await provider.ask(...deregister('sc-b', 9999))
  t.match(answer, { type: 'InstanceResponse', body: { resultCode: 200, type: 'deregisterInstance' } })
  t.same(server.instances(), [])
})

t.test('instances go with their connection', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  await watcher.ask(...subscribe('sc-b'))
  await watcher.ports('sc-b')
  await provider.ask(...register('sc-b', 8001))
  await watcher.ports('sc-b', 8001)
  provider.close()
  const list = await watcher.ports('sc-b')
  t.same(list.hosts, [])
  t.equal(server.sessions().length, 1)
})

t.test('one address from two connections is listed once when equal and twice when the metadata differ', async t => {
  const server = await startServer(t)
  const [first, second, third] = [await setUpPeer(t, server), await setUpPeer(t, server), await setUpPeer(t, server)]
  const list = async (): Promise<string> =>
    portsOf((await third.ask('ServiceQueryRequest', named('sc-b'))).body.serviceInfo)
  await first.ask(...register('sc-b', 8001, { metadata: { lane: 'gray' } }))
  await second.ask(...register('sc-b', 8001, { metadata: { lane: 'gray' } }))
  t.equal(await list(), '8001')
  await second.ask(...register('sc-b', 8001, { metadata: { lane: 'blue' } }))
  t.equal(await list(), '8001,8001')
})

t.test('after unsubscribing nothing is pushed', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  await watcher.ask(...subscribe('sc-b'))
  await watcher.ports('sc-b')
  await watcher.ask(...subscribe('other'))
  await watcher.ports('other')
  await watcher.ask(...subscribe('sc-b', false))
  t.same(
    server.subscriptions().map(({ service }) => service),
    ['other'],
  )
  await provider.ask(...register('sc-b', 8001))
  await provider.ask(...register('other', 8002))
  await watcher.ports('other', 8002)
  t.same(watcher.pushed, [])
})
