import * as grpc from '@grpc/grpc-js'
import { runInLane } from '@laneway/core'
import { switchLaneway } from '@laneway/core/internal'
import { laneChannel, laneInterceptor } from '@laneway/grpc'
import t from 'tap'
import { client, echo, resolverOf, serve } from './lane-chain.js'

const TAGGED = new grpc.Metadata()
TAGGED.set('x-mse-tag', 'gray')

async function chain(t: Parameters<typeof serve>[0], options: { header?: readonly string[] } = {}) {
  const interceptors = [laneInterceptor(options)]
  const base = await serve(t, echo('base'), { interceptors })
  const gray = await serve(t, echo('gray'), { interceptors })
  const { resolver } = await resolverOf(t, 'localhost', [{ port: base.port }, { port: gray.port, tags: ['gray'] }])
  return client(t, `localhost:${base.port}`, laneChannel({ resolver, ...options }))
}

t.test('switched off, calls go where they would go without Laneway, and on again all is as before', async t => {
  t.teardown(() => switchLaneway(true))
  const c = await chain(t)
  t.equal(await runInLane('gray', () => c.unary()), 'gray@gray ["gray"]')
  await runInLane('gray', async () => {
    switchLaneway(false)
    // The caller began before; the server gets a new call.
    t.equal(await c.unary(), '-@gray ["gray"]')
  })
  t.equal(await runInLane('gray', () => c.unary()), '-@base []')
  t.equal(await c.unary(TAGGED), '-@base ["gray"]', 'what the caller set stays')
  switchLaneway(true)
  t.equal(await c.unary(TAGGED), 'gray@gray ["gray"]')
})

t.test('LANEWAY_DISABLE switches channels and interceptors off', async t => {
  t.teardown(() => {
    delete process.env['LANEWAY_DISABLE']
  })
  for (const [parts, answer] of [
    ['all', '-@base ["gray"]'],
    ['grpc', 'gray@base ["gray"]'],
    ['ingress', '-@gray ["gray"]'],
  ] as const) {
    process.env['LANEWAY_DISABLE'] = parts
    const c = await chain(t)
    t.equal(await c.unary(TAGGED), answer, parts)
    for (const streamed of await c.chat('1')) t.match(streamed, '@')
  }
})

t.test('of a list of keys the first that is present is read, and all are written', async t => {
  const c = await chain(t, { header: ['x-lane', 'x-mse-tag'] })
  t.equal(await runInLane('gray', () => c.unary()), 'gray@gray ["gray"]')
  t.equal(await c.unary(TAGGED), 'gray@gray ["gray"]')
  const both = TAGGED.clone()
  both.set('x-lane', 'blue')
  t.equal(await c.unary(both), 'blue@base ["blue"]')
  t.throws(() => laneChannel({ header: ['x-lane', 'x-lane-bin'] }), { code: 'LANEWAY_INVALID_OPTION' })
})
