import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, now, resolverOf, serve } from './lane-chain.js'

async function pair(t: Parameters<typeof serve>[0], options: Parameters<typeof resolverOf>[3] = {}) {
  const interceptors = [laneInterceptor()]
  const base = await serve(t, echo('base'), { interceptors })
  const gray = await serve(t, echo('gray'), { interceptors })
  const { resolver, source } = await resolverOf(
    t,
    'sc-b',
    [{ port: base.port }, { port: gray.port, tags: ['gray'] }],
    options,
  )
  return { base, gray, resolver, source }
}

const target = (port: number) => `sc-b:${port}`

t.test('each kind of call goes to the endpoint of its lane and carries the tag', async t => {
  const { base, resolver } = await pair(t)
  const c = client(t, target(base.port), laneChannel({ resolver }))
  const rows: [string | undefined, string, string][] = [
    ['gray', 'gray', '["gray"]'],
    ['blue', 'base', '["blue"]'],
    [undefined, 'base', '[]'],
  ]
  for (const [lane, at, tag] of rows) {
    const said = `${lane ?? '-'}@${at} ${tag}`
    await runInLane(lane, async () => {
      t.equal(await c.unary(), said)
      t.equal(await c.collect('1', '2', '3'), `${[lane, lane, lane].map(one => one ?? '-').join()} ${said}`)
      t.strictSame(await c.list(), [said, said, said])
      t.strictSame(await c.chat('1', '2', '3'), [said, said, said])
    })
  }
})

t.test('64 calls that queue while one client connects keep their lanes, and so do their callbacks', async t => {
  const { base, resolver } = await pair(t)
  const c = client(t, target(base.port), laneChannel({ resolver }))
  const lanes = ['gray', 'blue', undefined]
  const seen = await Promise.all(
    Array.from({ length: 64 }, (_, i) => {
      const lane = lanes[i % 3]
      return runInLane(
        lane,
        () =>
          new Promise<string>(resolve => {
            c.client['unary']!('x', (_error: unknown, value: string) => resolve(`${now()}<${value}`))
          }),
      )
    }),
  )
  for (const [i, value] of seen.entries()) {
    const lane = lanes[i % 3]
    const tag = lane === undefined ? '[]' : `["${lane}"]`
    t.equal(value, `${lane ?? '-'}<${lane ?? '-'}@${lane === 'gray' ? 'gray' : 'base'} ${tag}`)
  }
})

t.test('callbacks of calls to what is no service, which queue in grpc-js, run in the lane of their caller', async t => {
  const far = await serve(t, echo('far'), { interceptors: [laneInterceptor()] })
  const c = client(t, `127.0.0.1:${far.port}`, laneChannel())
  const lanes = ['gray', 'blue', undefined]
  const seen = await Promise.all(
    Array.from({ length: 64 }, (_, i) =>
      runInLane(
        lanes[i % 3],
        () =>
          new Promise<string>(resolve => {
            c.client['unary']!('x', (_error: unknown, value: string) => resolve(`${now()}<${value}`))
          }),
      ),
    ),
  )
  for (const [i, value] of seen.entries()) {
    const lane = lanes[i % 3]
    t.equal(value, `${lane ?? '-'}<${lane ?? '-'}@far ${lane === undefined ? '[]' : `["${lane}"]`}`)
  }
})

t.test('a tag in the metadata is the lane of that call, for the pick too', async t => {
  const { base, resolver } = await pair(t)
  const c = client(t, target(base.port), laneChannel({ resolver }))
  const metadata = new grpc.Metadata()
  metadata.set('x-mse-tag', 'gray')
  t.equal(await c.unary(metadata), 'gray@gray ["gray"]')
  t.equal(await runInLane('blue', () => c.unary(metadata)), 'gray@gray ["gray"]')
  metadata.add('x-mse-tag', 'blue')
  t.equal(await runInLane('gray', () => c.unary(metadata)), 'gray@gray ["gray"]', 'two values: the lane of the caller')
  t.equal(await c.unary(metadata), '-@base []')
  metadata.set('x-mse-tag', '__proto__ ?')
  t.equal(await c.unary(metadata), '-@base []', 'an invalid tag is removed')
  t.strictSame(metadata.get('x-mse-tag'), ['__proto__ ?'], "the caller's metadata stays as it was")
})

t.test('the gray endpoint that cannot be connected is answered for by base', async t => {
  const { base, gray, resolver } = await pair(t)
  gray.server.forceShutdown()
  const c = client(t, target(base.port), laneChannel({ resolver }))
  for (let call = 0; call < 5; call++) t.equal(await runInLane('gray', () => c.unary()), 'gray@base ["gray"]')
  t.strictSame(await runInLane('gray', () => c.list()), Array(3).fill('gray@base ["gray"]'))
})

t.test('a call without an endpoint ends with UNAVAILABLE and the code of Laneway', async t => {
  const { base, resolver } = await pair(t, { whenLaneMissing: 'fail' })
  const c = client(t, target(base.port), laneChannel({ resolver }))
  const error = await runInLane('blue', () => c.unary()).catch(error => error as grpc.ServiceError)
  t.match(error, { code: grpc.status.UNAVAILABLE, details: /sc-b/ })
  t.strictSame((error as grpc.ServiceError).metadata.get('laneway-code'), ['LANEWAY_LANE_REQUIRED'])
})
