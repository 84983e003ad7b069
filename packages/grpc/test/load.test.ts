import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import type { LaneResolverOptions } from '@laneway/discovery'
import { laneChannel } from '@laneway/grpc'
import t from 'tap'
import { responseStatus } from '../src/call/call-end.js'
import { httpStatusOf } from '../src/http-status.js'
import { client, echo, resolverOf, serve } from './lane-chain.js'

const gray = ['gray']

/** A server that counts its calls and answers each with a status. */
function failing(code: grpc.status) {
  const counted = { calls: 0 }
  const handlers: grpc.UntypedServiceImplementation = {
    ...echo('bad'),
    unary: (_: unknown, callback: grpc.sendUnaryData<string>) => {
      counted.calls++
      callback({ code, details: 'as told' })
    },
  }
  return { counted, handlers }
}

t.test('statuses of servers count as their HTTP statuses do', async t => {
  const cases: [code: grpc.status, options: Partial<LaneResolverOptions>, calls: number][] = [
    [grpc.status.UNAVAILABLE, { outlier: { consecutiveGatewayErrors: 3, ejectionMs: 60_000 } }, 3],
    [grpc.status.INTERNAL, { outlier: { consecutive5xx: 3, ejectionMs: 60_000 } }, 3],
    [grpc.status.INTERNAL, { outlier: { consecutiveGatewayErrors: 3, ejectionMs: 60_000 } }, 10],
    [grpc.status.NOT_FOUND, { outlier: { consecutive5xx: 3, ejectionMs: 60_000 } }, 10],
    [grpc.status.UNAVAILABLE, {}, 10],
  ]
  for (const [code, options, calls] of cases) {
    const { counted, handlers } = failing(code)
    const bad = await serve(t, handlers)
    const good = await serve(t, echo('good'))
    const endpoints = [bad, good].map(({ port }) => ({ port, tags: gray }))
    const { resolver } = await resolverOf(t, 'sc-b', endpoints, { balancer: 'round-robin', ...options })
    const c = client(t, 'sc-b', laneChannel({ resolver }))
    for (let i = 0; i < 20; i++) await runInLane('gray', () => c.unary()).catch(() => {})
    t.equal(counted.calls, calls, `${grpc.status[code]} with ${JSON.stringify(options)}`)
  }
})

t.test('when all endpoints of a lane are full, a call ends with UNAVAILABLE and LANEWAY_OVERLOADED', async t => {
  const waiting: (() => void)[] = []
  let arrived: () => void = () => {}
  const slow = await serve(t, {
    ...echo('gray'),
    unary: (_: unknown, callback: grpc.sendUnaryData<string>) => {
      waiting.push(() => callback(null, 'done'))
      arrived()
    },
  })
  const base = await serve(t, echo('base'))
  const endpoints = [{ port: slow.port, tags: gray }, { port: base.port }]
  const { resolver } = await resolverOf(t, 'sc-b', endpoints, { maxInFlight: 1 })
  const c = client(t, 'sc-b', laneChannel({ resolver }))
  const call = () => {
    const seen = new Promise<void>(resolve => {
      arrived = resolve
    })
    return { seen, answer: runInLane('gray', () => c.unary()) }
  }
  const first = call()
  await first.seen
  const refused = await runInLane('gray', () => c.unary()).then(
    () => undefined,
    (error: grpc.ServiceError) => error,
  )
  t.equal(refused?.code, grpc.status.UNAVAILABLE)
  t.strictSame(refused?.metadata.get('laneway-code'), ['LANEWAY_OVERLOADED'])
  waiting.shift()!()
  t.equal(await first.answer, 'done')
  const next = call()
  await next.seen
  waiting.shift()!()
  t.equal(await next.answer, 'done')
})

t.test('each status of gRPC stands for one of HTTP, and one made here for none', async t => {
  const codes = Object.values(grpc.status).filter(code => typeof code === 'number')
  t.strictSame(
    codes.map(httpStatusOf),
    [200, 499, 500, 400, 504, 404, 409, 403, 429, 400, 409, 400, 501, 500, 503, 500, 401],
  )
  t.equal(httpStatusOf(99), 500)
  const metadata = new grpc.Metadata()
  t.equal(responseStatus({ code: grpc.status.UNAVAILABLE, details: '', metadata } as never), 0)
  metadata.set('content-type', 'application/grpc')
  t.equal(responseStatus({ code: grpc.status.UNAVAILABLE, details: '', metadata } as never), 503)
})
