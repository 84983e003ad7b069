import { once } from 'node:events'
import * as grpc from '@grpc/grpc-js'
import { channels, type IngressEvent, type RequestView } from '@laneway/core'
import { laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, now, serve } from './lane-chain.js'

const tagged = (values: string[], baggage?: string) => {
  const metadata = new grpc.Metadata()
  for (const value of values) metadata.add('x-mse-tag', value)
  if (baggage !== undefined) metadata.set('baggage', baggage)
  return metadata
}

const MSE = `__microservice_tag__=${encodeURIComponent('[{"tag":"gray"}]')}`

const CASES: [name: string, metadata: grpc.Metadata, answer: string][] = [
  ['no tag', tagged([]), '-@s []'],
  ['a tag', tagged(['gray']), 'gray@s ["gray"]'],
  ['a list', tagged(['gray-2,gray']), 'gray-2,gray@s ["gray-2,gray"]'],
  ['base', tagged(['base']), 'base@s ["base"]'],
  ['two equal values', tagged(['gray', 'gray']), 'gray@s ["gray, gray"]'],
  ['two different values', tagged(['gray', 'blue']), '-@s []'],
  ['an invalid tag', tagged(['gray!']), '-@s []'],
  ['five tags', tagged(['a,b,c,d,e']), '-@s []'],
  ['__proto__', tagged(['__proto__']), '-@s []'],
  ['over 255 bytes', tagged(['g'.repeat(256)]), '-@s []'],
  ['W3C baggage', tagged([], 'user=7,x-mse-tag=gray'), 'gray@s []'],
  ['baggage of MSE', tagged([], MSE), 'gray@s []'],
  ['the key before baggage', tagged(['blue'], MSE), 'blue@s ["blue"]'],
]

for (const [name, metadata, answer] of CASES) {
  t.test(`the lane of a call with ${name}`, async t => {
    const { port } = await serve(t, echo('s'), { interceptors: [laneInterceptor()] })
    const c = client(t, `127.0.0.1:${port}`, {})
    t.equal(await c.unary(metadata), answer)
  })
}

t.test('metadata may have any key', async t => {
  const { port } = await serve(t, echo('s'), { interceptors: [laneInterceptor()] })
  const c = client(t, `127.0.0.1:${port}`, {})
  const metadata = tagged(['gray'])
  for (const key of ['__proto__', 'constructor', 'toString']) metadata.set(key, '{"x-mse-tag":"blue"}')
  t.equal(await c.unary(metadata), 'gray@s ["gray"]')
})

t.test('the handler does not see a tag of an untrusted sender in the metadata', async t => {
  const seen: unknown[] = []
  const { port } = await serve(
    t,
    {
      ...echo('s'),
      unary: (call: grpc.ServerUnaryCall<string, string>, callback: grpc.sendUnaryData<string>) => {
        seen.push(call.metadata.toJSON())
        callback(null, now())
      },
    },
    { interceptors: [laneInterceptor({ trust: 'edge' })] },
  )
  const c = client(t, `127.0.0.1:${port}`, {})
  const metadata = tagged(['gray'], `user=7,${MSE}`)
  metadata.set('x_mse_tag', 'gray')
  metadata.set('other', '7')
  t.equal(await c.unary(metadata), '-')
  const [kept] = seen as Record<string, unknown>[]
  t.strictSame(kept?.['other'], ['7'])
  t.strictSame(kept?.['baggage'], ['user=7'])
  t.notOk(Object.keys(kept ?? {}).some(key => /mse/.test(key)))
})

t.test('a call is counted once, and rules see its method and metadata', async t => {
  const events: IngressEvent[] = []
  const note = (event: unknown) => events.push(event as IngressEvent)
  channels.ingress.subscribe(note)
  t.teardown(() => channels.ingress.unsubscribe(note))
  const rules = (request: RequestView) =>
    request.url === '/test.Echo/unary' && request.headers['user'] === '7'
      ? { header: 'gray', tags: ['gray'] }
      : undefined
  const twice = [laneInterceptor({ trust: 'edge', rules })]
  const { port } = await serve(t, echo('s'), { interceptors: twice })
  const c = client(t, `127.0.0.1:${port}`, {})
  const metadata = tagged(['blue'])
  metadata.set('user', '7')
  t.equal(await c.unary(metadata), 'gray@s []')
  t.match(events, [{ source: 'rule', stripped: true }])
  t.equal(events.length, 1)
})

t.test('interceptors behind it run in the lane, and so does what a cancellation sets off', async t => {
  const seen: string[] = []
  let cancelled: Promise<unknown> | undefined
  const behind: grpc.ServerInterceptor = (_method, call) =>
    new grpc.ServerInterceptingCall(call, {
      start: next =>
        next({
          onReceiveMetadata(metadata, done) {
            seen.push(now())
            done(metadata)
          },
        }),
    })
  const began = new Promise<void>(resolve => {
    void serve(
      t,
      {
        ...echo('s'),
        list: (call: grpc.ServerWritableStream<string, string>) => {
          cancelled = once(call, 'cancelled').then(() => seen.push(`cancelled in ${now()}`))
          call.on('cancelled', () => seen.push(now()))
          call.write('first')
        },
      },
      { interceptors: [laneInterceptor(), behind] },
    ).then(({ port }) => {
      const c = client(t, `127.0.0.1:${port}`, {})
      const call = c.client['list']!('x', tagged(['gray'])) as grpc.ClientReadableStream<string>
      call.on('error', () => {})
      call.once('data', () => {
        call.cancel()
        resolve()
      })
    })
  })
  await began
  await cancelled
  t.strictSame(seen, ['gray', 'gray', 'cancelled in gray'])
})
