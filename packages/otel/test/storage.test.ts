import { bindLane, currentLane, detachLane, parseLane, runInLane } from '@laneway/core'
import { context, propagation, ROOT_CONTEXT } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import t from 'tap'
import { contextInLane } from '../src/context/lane-context.js'
import { createOtelLaneStorage, laneOf, useOtelContext } from '../src/index.js'

const lane = () => currentLane()?.header
const inContext = () => laneOf(context.active())?.header
const gray = contextInLane(ROOT_CONTEXT, parseLane('gray'))
const baggage = (entries: Record<string, string>) =>
  propagation.setBaggage(
    ROOT_CONTEXT,
    propagation.createBaggage(Object.fromEntries(Object.entries(entries).map(([key, value]) => [key, { value }]))),
  )
const active = () =>
  propagation
    .getActiveBaggage()
    ?.getAllEntries()
    .map(([key, { value }]) => `${key}=${value}`) ?? []

t.test('before a context manager exists the lane is kept all the same', async t => {
  useOtelContext()
  await runInLane('gray', async () => {
    await null
    t.equal(lane(), 'gray')
    t.equal(
      runInLane('blue', () => lane()),
      'blue',
    )
    t.equal(
      runInLane(undefined, () => lane()),
      undefined,
    )
  })
  t.equal(lane(), undefined)
})

t.test('with a context manager, registered later, the lane is in the OpenTelemetry context', async t => {
  t.ok(context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable()))
  await runInLane('gray', async () => {
    await null
    t.equal(inContext(), 'gray')
    t.equal(lane(), 'gray')
  })
  t.equal(inContext(), undefined)
})

t.test('context.with and runInLane agree in every nesting', async t => {
  const both = () => [lane(), inContext()]
  context.with(gray, () => {
    t.strictSame(both(), ['gray', 'gray'])
    runInLane('blue', () => {
      t.strictSame(both(), ['blue', 'blue'])
      context.with(gray, () => {
        t.strictSame(both(), ['gray', 'gray'])
        runInLane(undefined, () => {
          t.strictSame(both(), [undefined, undefined])
          runInLane('green', () => t.strictSame(both(), ['green', 'green']))
        })
        t.strictSame(both(), ['gray', 'gray'])
      })
      context.with(ROOT_CONTEXT, () => t.strictSame(both(), [undefined, undefined]))
    })
  })
  t.strictSame(both(), [undefined, undefined])
})

t.test('bindLane and detachLane keep the rest of the context that calls', async t => {
  const bound = context.with(gray, () => bindLane(() => [lane(), ...active()]))
  const detached = context.with(gray, () => detachLane(() => lane()))
  t.strictSame(
    context.with(baggage({ a: '1' }), () => bound()),
    ['gray', 'a=1'],
  )
  t.equal(
    context.with(gray, () => detached()),
    undefined,
  )
})

t.test('arguments, results and errors pass through', async t => {
  const storage = createOtelLaneStorage()
  t.equal(
    storage.run(parseLane('gray'), (a: number, b: number) => a + b, 1, 2),
    3,
  )
  t.throws(
    () =>
      storage.run(undefined, () => {
        throw new Error('mine')
      }),
    /mine/,
  )
})

t.test('what an ingress refused is taken out of the active baggage, foreign entries stay', async t => {
  const storage = createOtelLaneStorage()
  const spoofed = baggage({ a: '1', 'x-mse-tag': 'gray', __microservice_tag__: '[]', b: '2' })
  context.with(spoofed, () => {
    t.strictSame(storage.run(undefined, active).length, 4, 'run leaves baggage alone')
    t.strictSame(storage.runStripped?.(undefined, active), ['a=1', 'b=2'])
    t.strictSame(
      storage.runStripped?.(parseLane('blue'), () => [laneOf(context.active())?.header, ...active()]),
      ['blue', 'a=1', 'b=2'],
    )
  })
})

t.test('baggage: true shows the lane as the first entry, and no other lane', async t => {
  const storage = createOtelLaneStorage({ baggage: true })
  const outer = baggage({ a: '1', 'x-mse-tag': 'old', __microservice_tag__: '[]' })
  context.with(outer, () => {
    t.strictSame(storage.run(parseLane('gray-2,gray'), active), ['x-mse-tag=gray-2,gray', 'a=1'])
    t.strictSame(storage.run(undefined, active), ['a=1'])
  })
  context.with(baggage({ 7: 'seven', __proto__x: '1' }), () => {
    t.strictSame(storage.run(parseLane('gray'), active), ['x-mse-tag=gray', '7=seven', '__proto__x=1'])
  })
  t.strictSame(storage.run(parseLane('gray'), active), ['x-mse-tag=gray'])
})

t.test('an entry that other code sets is no lane: one way', async t => {
  context.with(baggage({ 'x-mse-tag': 'gray' }), () => t.equal(lane(), undefined))
})

t.test('an unknown option is refused', async t => {
  t.throws(() => createOtelLaneStorage({ bagage: true } as never), {
    code: 'LANEWAY_INVALID_OPTION',
    message: /did you mean "baggage"/,
  })
  t.throws(() => createOtelLaneStorage({ baggage: 'yes' as never }), { code: 'LANEWAY_INVALID_OPTION' })
})
