import https, { type AgentOptions } from 'node:https'
import { runInLane } from '@laneway/core'
import { LaneHttpsAgent } from '@laneway/http'
import { cert } from '@laneway/testkit/certificate'
import { type FakeResolver, fakeResolver } from '@laneway/testkit/egress'
import t, { type Test } from 'tap'
import { closedPort, farServer, send } from './far-server.js'

function agentFor(t: Test, resolver: FakeResolver, options: AgentOptions = {}): LaneHttpsAgent {
  const agent = new LaneHttpsAgent({ resolver, warn() {} }, { ca: cert, ...options })
  t.teardown(() => agent.destroy())
  return agent
}

for (const keepAlive of [true, false]) {
  t.test(`https, keepAlive ${keepAlive}: two connections are refused, the third makes its handshake`, async t => {
    const far = await farServer(t, undefined, true)
    const port = await closedPort()
    const resolver = fakeResolver({ 'sc-b': [] })
    const { pick } = resolver
    resolver.pick = (service, lane, tried) => {
      resolver.services[service] = [[{ port }], [{ host: '127.0.0.2', port }], [{ port: far.port }]][tried?.size ?? 0]
      return pick(service, lane, tried)
    }
    const answer = await runInLane('gray', send, 'https://sc-b/', { agent: agentFor(t, resolver, { keepAlive }) })
    t.equal(answer.status, 200)
    t.match(far.seen, [{ tags: ['gray'], servername: 'sc-b' }])
    while (resolver.ends.length < 3) await new Promise(setImmediate)
    t.strictSame(
      resolver.ends.map(({ end }) => end),
      ['connect-error', 'connect-error', 'ok'],
    )
  })
}

t.test(
  'https: a tag that is set by hand later moves the request, on a new connection and on one kept alive',
  async t => {
    const base = await farServer(t, undefined, true)
    const gray = await farServer(t, undefined, true)
    const resolver = fakeResolver({ 'sc-b': [{ port: base.port }, { port: gray.port, tag: 'gray' }] })
    const agent = agentFor(t, resolver, { keepAlive: true })
    const sent = (when: 'tick' | 'socket' | 'secureConnect', tag: string, body: string) =>
      new Promise<void>((resolve, reject) => {
        const request = https.request('https://sc-b/', { agent, method: 'POST' }, response =>
          response.on('end', resolve).resume(),
        )
        request.on('error', reject)
        const go = () => {
          request.setHeader('x-mse-tag', tag)
          request.end(body)
        }
        if (when === 'tick') go()
        else if (when === 'socket') request.on('socket', go)
        else request.on('socket', socket => (socket.connecting ? socket.once('secureConnect', go) : go()))
      })
    for (let round = 0; round < 3; round++) {
      for (const when of ['tick', 'socket', 'secureConnect'] as const) {
        await send('https://sc-b/warm', { agent })
        base.seen.pop()
        await sent(when, 'gray', `${when} ${round}`)
        const seen = gray.seen.pop()
        t.match(seen, { tags: ['gray'], body: `${when} ${round}`, servername: 'sc-b' }, `${when}, round ${round}`)
        agent.destroy()
        await sent(when, 'gray', `${when} ${round}, first`)
        t.match(gray.seen.pop(), { tags: ['gray'], body: `${when} ${round}, first` }, `${when}, new connection`)
      }
    }
    t.equal(base.seen.length + gray.seen.length, 0)
    t.equal(resolver.starts.length, resolver.ends.length)
  },
)

t.test('https: a certificate that does not fit is refused on a connection that was led elsewhere', async t => {
  const far = await farServer(t, undefined, true)
  const resolver = fakeResolver({ 'sc-c': [{ port: await closedPort() }, { port: far.port }] })
  await t.rejects(send('https://sc-c/', { agent: agentFor(t, resolver) }), { code: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  t.equal(far.seen.length, 0)
})
