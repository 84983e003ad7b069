import { createHash } from 'node:crypto'
import t from 'tap'
import type { DialectName } from '../src/index.js'
import { setUpPeer, startServer } from './fixture.js'
import type { Peer } from './peer.js'

const rules = { dataId: 'lane-rules', group: 'DEFAULT_GROUP', tenant: '', module: 'config' }
const md5 = (content: string): string => createHash('md5').update(content).digest('hex')

function publish(peer: Peer, content: string, fields: object = {}): Promise<any> {
  return peer.ask('ConfigPublishRequest', { ...rules, content, ...fields })
}

async function listen(peer: Peer, held: string, fields: object = {}, isOn = true): Promise<any> {
  const context = { dataId: rules.dataId, group: rules.group, tenant: '', md5: held, ...fields }
  const answer = await peer.ask('ConfigBatchListenRequest', {
    listen: isOn,
    module: 'config',
    configListenContexts: [context],
  })
  t.equal(answer.type, 'ConfigChangeBatchListenResponse')
  return answer.body.changedConfigs
}

t.test('what is published is read back with its md5, type and time', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await publish(peer, '{"lane":"grün"}', { additionMap: { type: 'json' } })
  const { body } = await peer.ask('ConfigQueryRequest', rules)
  const { lastModified, ...rest } = body
  t.strictSame(rest, {
    resultCode: 200,
    errorCode: 0,
    content: '{"lane":"grün"}',
    encryptedDataKey: '',
    contentType: 'json',
    md5: md5('{"lane":"grün"}'),
    beta: false,
    success: true,
  })
  t.type(lastModified, 'number')
  await publish(peer, 'plain')
  t.equal((await peer.ask('ConfigQueryRequest', rules)).body.contentType, 'text')
})

t.test('a listener is notified of each change, without the content and without an empty tenant', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  t.strictSame(await listen(watcher, ''), [])
  await publish(provider, 'one')
  const { requestId, ...notification } = await watcher.next('ConfigChangeNotifyRequest')
  t.strictSame(notification, { headers: {}, dataId: 'lane-rules', group: 'DEFAULT_GROUP', module: 'config' })
  await publish(provider, 'two')
  await watcher.next('ConfigChangeNotifyRequest')
  await provider.ask('ConfigRemoveRequest', rules)
  await watcher.next('ConfigChangeNotifyRequest')
  t.equal((await watcher.ask('ConfigQueryRequest', rules)).body.errorCode, 300)
})

t.test('listening answers with what differs from the md5 that the client holds', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await publish(peer, 'one')
  t.strictSame(await listen(peer, ''), [{ group: 'DEFAULT_GROUP', dataId: 'lane-rules', tenant: '' }])
  t.strictSame(await listen(peer, md5('one')), [])
  t.match(server.configListeners(), [{ dataId: 'lane-rules', tenant: '' }])
  t.strictSame(await listen(peer, '', {}, false), [])
  t.same(server.configListeners(), [])
})

t.test(
  'publishing the same content sends no notification, and neither does a change after the listener left',
  async t => {
    const server = await startServer(t)
    const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
    await listen(watcher, '')
    await publish(provider, 'one')
    await watcher.next('ConfigChangeNotifyRequest')
    await listen(watcher, md5('one'))
    await listen(watcher, '', { dataId: 'marker' })
    await publish(provider, 'one')
    await publish(provider, 'x', { dataId: 'marker' })
    await watcher.next('ConfigChangeNotifyRequest', ({ dataId }) => dataId === 'marker')
    await listen(watcher, '', {}, false)
    await publish(provider, 'two')
    await publish(provider, 'y', { dataId: 'marker' })
    await watcher.next('ConfigChangeNotifyRequest', ({ dataId }) => dataId === 'marker')
    t.same(watcher.pushed, [])
  },
)

t.test('the tenants public and "" are one on 3.1.0 and two before', async t => {
  const expected: Record<DialectName, string | undefined> = { '3.1.0': 'one', '2.5.0': undefined, '2.2.3': undefined }
  for (const dialect of Object.keys(expected) as DialectName[]) {
    const server = await startServer(t, { dialect })
    const peer = await setUpPeer(t, server)
    await publish(peer, 'one')
    const { body } = await peer.ask('ConfigQueryRequest', { ...rules, tenant: 'public' })
    t.equal(body.content, expected[dialect], dialect)
  }
})

t.test('3.1.0 notifies with the spelling of the tenant in which the client listened last', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await listen(peer, '')
  await listen(peer, '', { tenant: 'public' })
  await publish(peer, 'one')
  t.equal((await peer.next('ConfigChangeNotifyRequest')).tenant, 'public')
})

t.test('a publication that compares goes through with the right md5', async t => {
  const server = await startServer(t)
  const peer = await setUpPeer(t, server)
  await publish(peer, 'one')
  t.equal((await publish(peer, 'two', { casMd5: md5('other') })).body.success, false)
  t.equal((await publish(peer, 'two', { casMd5: md5('one') })).body.success, true)
  t.equal(server.configs()[0]?.content, 'two')
})
