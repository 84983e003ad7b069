import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'
import { recorded } from './recorder.js'

const interceptors = () => ({ interceptors: [laneInterceptor()] })
const gray = <R>(fn: () => R) => runInLane('gray', fn)

function config(policy: object) {
  return { 'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{ service: 'test.Echo' }], ...policy }] }) }
}

const RETRY = config({
  retryPolicy: {
    maxAttempts: 3,
    initialBackoff: '0.1s',
    maxBackoff: '0.1s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  },
})

t.test('a retry policy repeats the call and its tag at the endpoint of the lane', async t => {
  const tags: unknown[] = []
  let seenByBase = 0
  const base = await serve(t, { ...echo('base'), unary: () => seenByBase++ }, interceptors())
  const flaky = await serve(
    t,
    {
      ...echo('gray'),
      unary: (call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) => {
        tags.push(call.metadata.get('x-mse-tag').join())
        if (tags.length < 3) callback({ code: grpc.status.UNAVAILABLE, details: 'not yet' })
        else callback(null, 'at last')
      },
    },
    interceptors(),
  )
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: flaky.port, tags: ['gray'] }])
  const { resolver: recording, ends, inFlight } = recorded(resolver)
  const c = client(t, `sc-b:${base.port}`, { ...laneChannel({ resolver: recording }), ...RETRY })
  t.equal(await gray(() => c.unary()), 'at last')
  t.strictSame(tags, ['gray', 'gray', 'gray'])
  t.equal(seenByBase, 0)
  t.strictSame(ends, ['gray ok'], 'one call, one choice')
  t.equal(inFlight(), 0)
})

t.test('a call whose first attempt was seen is not moved when its endpoint is gone at the second', async t => {
  let seenByBase = 0
  const base = await serve(t, { ...echo('base'), unary: () => seenByBase++ }, interceptors())
  const dying = await serve(
    t,
    {
      ...echo('gray'),
      unary: (_call: unknown, callback: grpc.sendUnaryData<string>) => {
        callback({ code: grpc.status.UNAVAILABLE, details: 'not yet' })
        setTimeout(() => dying.server.forceShutdown(), 20)
      },
    },
    interceptors(),
  )
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: dying.port, tags: ['gray'] }])
  const c = client(t, `sc-b:${base.port}`, { ...laneChannel({ resolver }), ...RETRY })
  await t.rejects(
    gray(() => c.unary()),
    { code: grpc.status.UNAVAILABLE },
  )
  t.equal(seenByBase, 0)
})

t.test('a call that loses its connection at the second attempt counts as reset', async t => {
  let attempts = 0
  const dying = await serve(
    t,
    {
      ...echo('base'),
      unary: (_call: unknown, callback: grpc.sendUnaryData<string>) => {
        if (++attempts === 1) callback({ code: grpc.status.UNAVAILABLE, details: 'not yet' })
        else dying.server.forceShutdown()
      },
    },
    interceptors(),
  )
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: dying.port }])
  const { resolver: recording, ends } = recorded(resolver)
  const c = client(t, 'sc-b', { ...laneChannel({ resolver: recording }), ...RETRY })
  const error = await c.unary().catch(error => error as grpc.ServiceError)
  t.equal(attempts, 2)
  t.strictSame((error as grpc.ServiceError).metadata.get('grpc-previous-rpc-attempts'), ['1'], 'as grpc-js says')
  t.strictSame(ends, ['base reset'])
})

t.test('hedged attempts stay at the endpoint of the lane and carry its tag', async t => {
  const tags: string[] = []
  const base = await serve(t, echo('base'), interceptors())
  const slow = await serve(
    t,
    {
      ...echo('gray'),
      unary: (call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) => {
        tags.push(call.metadata.get('x-mse-tag').join())
        if (tags.length === 2) callback(null, 'the second')
      },
    },
    interceptors(),
  )
  const hedging = config({ hedgingPolicy: { maxAttempts: 2, hedgingDelay: '0.01s', nonFatalStatusCodes: [] } })
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: slow.port, tags: ['gray'] }])
  const c = client(t, `sc-b:${base.port}`, { ...laneChannel({ resolver }), ...hedging })
  t.equal(await gray(() => c.unary()), 'the second')
  t.strictSame(tags, ['gray', 'gray'])
})

t.test('a call that waits for a connection waits for the first instance, too', async t => {
  const back = await serve(t, echo('back'), interceptors())
  const { resolver, source } = await resolverOf(t, 'sc-b', [{ port: back.port, tags: ['gray'] }])
  const c = client(t, `sc-b:${back.port}`, laneChannel({ resolver }))
  const error = await c.unary().catch(error => error as grpc.ServiceError)
  t.strictSame((error as grpc.ServiceError).metadata.get('laneway-code'), ['LANEWAY_NO_BASE'])
  const waiting = c.unary(new grpc.Metadata({ waitForReady: true }))
  const late = c.unary(new grpc.Metadata({ waitForReady: true }), { deadline: Date.now() + 20 })
  await t.rejects(late, { code: grpc.status.DEADLINE_EXCEEDED })
  source.update({ 'sc-b': [{ host: '127.0.0.1', port: back.port }] })
  t.equal(await waiting, '-@back []')
})

t.test('keep-alive finds an endpoint that has gone silent, and later calls go to base', async t => {
  const base = await serve(t, echo('base'), interceptors())
  let arrive = () => {}
  const arrival = new Promise<void>(resolve => {
    arrive = resolve
  })
  const hanging = await serve(t, { ...echo('gray'), unary: () => arrive() }, interceptors())
  const sockets: net.Socket[] = []
  const between = net.createServer(socket => {
    const far = net.connect(hanging.port, '127.0.0.1')
    for (const one of [socket, far]) one.on('error', () => {})
    sockets.push(socket, far)
    socket.pipe(far).pipe(socket)
  })
  between.listen(0, '127.0.0.1')
  await once(between, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    between.close()
  })
  const { port } = between.address() as AddressInfo
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port, tags: ['gray'] }])
  const { resolver: recording, ends } = recorded(resolver)
  const c = client(t, `sc-b:${base.port}`, {
    ...laneChannel({ resolver: recording }),
    'grpc.keepalive_time_ms': 200,
    'grpc.keepalive_timeout_ms': 2000,
  })
  const call = gray(() => c.unary()).catch(error => error as grpc.ServiceError)
  await arrival
  for (const socket of sockets) socket.unpipe()
  between.close()
  t.equal(((await call) as grpc.ServiceError).code, grpc.status.UNAVAILABLE)
  t.strictSame(ends, ['gray reset'])
  t.equal(await gray(() => c.unary()), 'gray@base ["gray"]')
})

t.test('an endpoint with a link-local address is refused as for HTTP', async t => {
  const base = await serve(t, echo('base'), interceptors())
  const { resolver } = await resolverOf(t, 'sc-b', [
    { port: base.port },
    { host: '169.254.169.254', port: base.port, tags: ['gray'] },
    { host: 'fd00:ec2::254', port: base.port, tags: ['gray'] },
  ])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }))
  t.equal(await gray(() => c.unary()), 'gray@base ["gray"]')
  t.equal((c.client.getChannel() as unknown as { endpoints: number }).endpoints, 1, 'no channel leads there')
})

t.test('what is in use and what is ejected show in the pool', async t => {
  const base = await serve(t, echo('base'), interceptors())
  const dead = await serve(t, echo('gray'), interceptors())
  dead.server.forceShutdown()
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: base.port }, { port: dead.port, tags: ['gray'] }])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }))
  for (let call = 0; call < 20; call++) t.equal(await gray(() => c.unary()), 'gray@base ["gray"]')
  const { outcome, steps } = resolver.explain('sc-b', 'gray')
  t.equal(outcome, 'fallback-unavailable', JSON.stringify(steps))
})
