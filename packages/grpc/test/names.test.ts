import dns from 'node:dns'
import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'
import { recorded } from './recorder.js'

/** Programs replace `dns.lookup`, and the name of an endpoint is looked up by it. */
function answerNames(t: { teardown(fn: () => unknown): void }, addresses: Record<string, string>): string[] {
  const { lookup } = dns
  const asked: string[] = []
  dns.lookup = ((name: string, options: unknown, callback: (...args: unknown[]) => void) => {
    const address = addresses[name]
    if (address === undefined) return Reflect.apply(lookup, dns, [name, options, callback])
    asked.push(name)
    process.nextTick(callback, null, [{ address, family: 4 }])
    return undefined
  }) as typeof dns.lookup
  t.teardown(() => {
    dns.lookup = lookup
  })
  return asked
}

t.test('an endpoint that is given by name is looked up once for its connection', async t => {
  const asked = answerNames(t, { 'pod-7.example': '127.0.0.1' })
  const base = await serve(t, echo('base'), { interceptors: [laneInterceptor()] })
  const { resolver } = await resolverOf(t, 'sc-b', [{ host: 'pod-7.example', port: base.port }])
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver }))
  const calls = Array.from({ length: 6 }, () => runInLane('gray', () => c.unary()))
  t.strictSame(await Promise.all(calls), Array(6).fill('gray@base ["gray"]'))
  const before = asked.length
  t.strictSame(await runInLane('gray', () => c.list()), Array(3).fill('gray@base ["gray"]'))
  t.equal(asked.length, before)
  t.equal((c.client.getChannel() as unknown as { endpoints: number }).endpoints, 1)
})

t.test('a name that leads to a metadata service is no endpoint', async t => {
  answerNames(t, { 'evil.example': '169.254.169.254' })
  const base = await serve(t, echo('base'), { interceptors: [laneInterceptor()] })
  const { resolver } = await resolverOf(t, 'sc-b', [
    { port: base.port },
    { host: 'evil.example', port: base.port, tags: ['gray'] },
    { host: 'evil.example', port: base.port + 1, tags: ['only'] },
  ])
  const { resolver: recording, ends } = recorded(resolver)
  const c = client(t, `sc-b:${base.port}`, laneChannel({ resolver: recording }))
  t.equal(await runInLane('gray', () => c.unary()), 'gray@base ["gray"]')
  t.strictSame(ends, ['gray connect-error', 'base ok'])
  const alone = await resolverOf(t, 'sc-c', [{ host: 'evil.example', port: base.port }])
  const d = client(t, `sc-c:${base.port}`, laneChannel({ resolver: alone.resolver }))
  const error = await d.unary().catch(error => error as grpc.ServiceError)
  t.match(error, { code: grpc.status.UNAVAILABLE, details: /169\.254\.169\.254/ })
  t.strictSame((error as grpc.ServiceError).metadata.get('laneway-code'), ['LANEWAY_FORBIDDEN_ADDRESS'])
})

t.test('a name that turns out to be no service goes to DNS, with the tag by its scope', async t => {
  const far = await serve(t, echo('far'), { interceptors: [laneInterceptor()] })
  const { resolver } = await resolverOf(t, 'sc-b', [{ port: 1 }])
  const c = client(t, `localhost:${far.port}`, laneChannel({ resolver }))
  const seen = await Promise.all(['gray', undefined, 'blue'].map(lane => runInLane(lane, () => c.unary())))
  t.strictSame(seen, ['gray@far ["gray"]', '-@far []', 'blue@far ["blue"]'])
})
