import * as grpc from '@grpc/grpc-js'
import { readPath } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'

t.test('a callback runs in the trace of its own request, also when another one of that lane causes it', async t => {
  const named = (name: string) => ({ interceptors: [laneInterceptor({ trace: { name } })] })
  const c = await serve(t, echo('c'), named('C'))
  const silent = await serve(t, { ...echo('silent'), unary() {} })
  const { resolver } = await resolverOf(t, 'sc-c', [{ port: c.port }])
  const toC = client(t, 'sc-c', laneChannel({ resolver }))
  const toSilent = client(t, `127.0.0.1:${silent.port}`, laneChannel())
  let held: grpc.ClientUnaryCall | undefined
  let waiting = () => {}
  const waits = new Promise<void>(resolve => {
    waiting = resolve
  })
  const b = await serve(
    t,
    {
      ...echo('b'),
      unary: ({ metadata }: grpc.ServerUnaryCall<string, string>, done: grpc.sendUnaryData<string>) => {
        if (metadata.get('x-second').length > 0) {
          held!.cancel()
          done(null, 'second')
          return
        }
        held = toSilent.client['unary']!('x', () => {
          void toC.unary().then(() => done(null, 'first'))
        }) as grpc.ClientUnaryCall
        waiting()
      },
    },
    named('B'),
  )
  const user = client(t, `127.0.0.1:${b.port}`, {})
  const call = (more: object) => {
    const metadata = new grpc.Metadata()
    for (const [name, value] of Object.entries({ 'x-laneway-trace': '1', 'x-mse-tag': 'gray', ...more })) {
      metadata.set(name, value)
    }
    return new Promise<string>((resolve, reject) => {
      const made = user.client['unary']!('x', metadata, (error: Error | null) => {
        if (error !== null) reject(error)
      }) as grpc.ClientUnaryCall
      made.on('status', ({ metadata }) => resolve(String(metadata.get('x-laneway-path')[0])))
    })
  }
  const first = call({})
  await waits
  t.strictSame(readPath(await call({ 'x-second': '1' }))?.calls, [], 'the second request has called nothing')
  t.match(readPath(await first)?.calls, [
    { status: 'aborted' },
    { target: 'sc-c', status: 'grpc 0', path: { service: 'C' } },
  ])
})

t.test('a caller sees no path in the metadata, also of calls that a path has no room for', async t => {
  const named = (name: string) => ({ interceptors: [laneInterceptor({ trace: { name } })] })
  const c = await serve(t, echo('c'), named('C'))
  const { resolver } = await resolverOf(t, 'sc-c', [{ port: c.port }])
  const toC = client(t, 'sc-c', laneChannel({ resolver }))
  const seen: unknown[] = []
  const one = () =>
    new Promise<void>(resolve => {
      const made = toC.client['unary']!('x', () => {}) as grpc.ClientUnaryCall
      made.on('status', ({ metadata }) => {
        seen.push(...metadata.get('x-laneway-path'))
        resolve()
      })
    })
  const b = await serve(
    t,
    {
      ...echo('b'),
      unary: (_call: unknown, done: grpc.sendUnaryData<string>) => {
        void Promise.all(Array.from({ length: 260 }, one)).then(() => done(null, 'all'))
      },
    },
    named('B'),
  )
  const metadata = new grpc.Metadata()
  metadata.set('x-laneway-trace', '1')
  await client(t, `127.0.0.1:${b.port}`, {}).unary(metadata)
  t.strictSame(seen, [])
})
