import t from 'tap'
import { setUpPeer, startServer } from './fixture.js'
import { register, subscribe } from './peer.js'

t.test('changes within the delay become one push', async t => {
  const server = await startServer(t, { pushDelayMs: 50 })
  const [watcher, first, second, third] = [
    await setUpPeer(t, server),
    await setUpPeer(t, server),
    await setUpPeer(t, server),
    await setUpPeer(t, server),
  ]
  await watcher.ask(...subscribe('sc-b'))
  await watcher.ports('sc-b')
  await Promise.all([
    first.ask(...register('sc-b', 8001)),
    second.ask(...register('sc-b', 8002)),
    third.ask(...register('sc-b', 8003)),
  ])
  const { serviceInfo } = await watcher.next('NotifySubscriberRequest')
  t.equal(serviceInfo.hosts.length, 3)
  await first.ask(...register('sc-b', 8004))
  await watcher.ports('sc-b', 8002, 8003, 8004)
  t.same(watcher.pushed, [], 'one push for the three')
})

t.test('a push that is not acknowledged, or with a wrong requestId, comes again with the list of then', async t => {
  const server = await startServer(t, { pushAnswerMs: 30, pushRetryMs: 5 })
  for (const answer of [undefined, 'another id']) {
    const service = `sc-${answer ?? 'none'}`
    const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
    watcher.answerPush = () =>
      answer === undefined
        ? undefined
        : { type: 'NotifySubscriberResponse', body: { requestId: answer, resultCode: 200 } }
    await watcher.ask(...subscribe(service))
    const first = await watcher.next('NotifySubscriberRequest')
    const second = await watcher.next('NotifySubscriberRequest')
    t.not(second.requestId, first.requestId)
    t.ok(second.serviceInfo.lastRefTime >= first.serviceInfo.lastRefTime)
    await provider.ask(...register(service, 8001))
    await watcher.ports(service, 8001)
    watcher.close()
  }
})

t.test('a push that is answered with an error comes again until the client unsubscribes', async t => {
  const server = await startServer(t, { pushRetryMs: 5 })
  const watcher = await setUpPeer(t, server)
  watcher.answerPush = ({ body }) => ({
    type: 'ErrorResponse',
    body: { requestId: body.requestId, resultCode: 500, errorCode: 500 },
  })
  await watcher.ask(...subscribe('sc-b'))
  for (let repeat = 0; repeat < 3; repeat++) await watcher.ports('sc-b')
  await watcher.ask(...subscribe('sc-b', false))
  t.same(server.subscriptions(), [])
})

t.test('the push of a list with 5000 hosts arrives whole', async t => {
  const server = await startServer(t)
  const [watcher, provider] = [await setUpPeer(t, server), await setUpPeer(t, server)]
  await watcher.ask(...subscribe('sc-b'))
  const instances = Array.from({ length: 5000 }, (_, index) => ({ ip: '10.0.0.1', port: index + 1 }))
  await provider.ask('BatchInstanceRequest', {
    namespace: 'public',
    serviceName: 'sc-b',
    groupName: 'DEFAULT_GROUP',
    type: 'batchRegisterInstance',
    instances,
  })
  const push = await watcher.next('NotifySubscriberRequest', body => body.serviceInfo.hosts.length > 0)
  t.equal(push.serviceInfo.hosts.length, 5000)
})
