import { EventEmitter } from 'node:events'
import { bindEmitter, bindLane, currentLane, detachLane, inLane, parseLane, runInLane } from '@laneway/core'
import t from 'tap'

const lane = () => currentLane()?.header

t.test('outside of any lane there is none', async t => {
  t.equal(currentLane(), undefined)
})

t.test('everything that a function awaits or schedules stays in its lane', async t => {
  await runInLane('gray', async () => {
    t.equal(lane(), 'gray')
    await null
    t.equal(lane(), 'gray')
    await new Promise(resolve => setTimeout(resolve, 1))
    t.equal(lane(), 'gray')
    await new Promise<void>(resolve => process.nextTick(resolve))
    t.equal(lane(), 'gray')
    await new Promise<void>(resolve => queueMicrotask(resolve))
    t.equal(lane(), 'gray')
  })
  t.equal(lane(), undefined)
})

t.test('lanes nest, and an error leaves the lane', async t => {
  runInLane('gray', () => {
    runInLane('blue', () => t.equal(lane(), 'blue'))
    t.equal(lane(), 'gray')
    runInLane(undefined, () => t.equal(lane(), undefined))
    t.equal(lane(), 'gray')
    t.throws(() =>
      runInLane('blue', () => {
        throw new Error('from inside')
      }),
    )
    t.equal(lane(), 'gray')
  })
})

t.test('runInLane passes arguments and result, and takes a lane or its wire form', async t => {
  t.equal(
    runInLane('gray', (a: number, b: number) => a + b, 1, 2),
    3,
  )
  t.equal(
    runInLane(parseLane('a,b'), () => lane()),
    'a,b',
  )
  t.equal(
    runInLane(undefined, () => lane()),
    undefined,
  )
  t.throws(() => runInLane('a b', () => {}), { code: 'LANEWAY_INVALID_TAG', message: /"a b"/ })
  t.throws(() => runInLane('', () => {}), { code: 'LANEWAY_INVALID_TAG' })
})

t.test('concurrent work keeps its own lanes', async t => {
  const names = ['gray', undefined, 'blue', 'gray', undefined]
  let open = () => {}
  const gate = new Promise<void>(resolve => {
    open = resolve
  })
  const all = names.map(name =>
    runInLane(name, async () => {
      await gate
      return lane()
    }),
  )
  open()
  t.strictSame(await Promise.all(all), names)
})

t.test('a bound function runs in the lane of its binding, whoever calls it', async t => {
  const bound = runInLane('gray', () => bindLane(lane))
  t.equal(bound(), 'gray')
  t.equal(runInLane('blue', bound), 'gray')
  const unbound = bindLane(lane)
  t.equal(runInLane('blue', unbound), undefined, 'no lane is remembered as well')
})

t.test('a detached function runs in no lane', async t => {
  await runInLane('gray', async () => {
    t.equal(detachLane(lane)(), undefined)
    t.equal(await detachLane(() => Promise.resolve().then(lane))(), undefined)
    t.equal(lane(), 'gray')
  })
})

t.test('this, arguments, result and number of parameters pass through a bound function', async t => {
  const object = {
    base: 1,
    add: bindLane(function (this: { base: number }, a: number, b: number) {
      return this.base + a + b
    }),
  }
  t.equal(object.add(2, 3), 6)
  t.equal(object.add.length, 2)
  t.equal(detachLane((_a, _b, _c, _d) => {}).length, 4)
  t.throws(
    bindLane(() => {
      throw new Error('from inside')
    }),
    { message: 'from inside' },
  )
})

t.test('listeners run in the lane of the emitting code, of a bound emitter in the lane of the binding', async t => {
  const plain = new EventEmitter()
  const heard: (string | undefined)[] = []
  plain.on('event', () => heard.push(lane()))
  runInLane('blue', () => plain.emit('event'))
  t.strictSame(heard, ['blue'])

  const bound = runInLane('gray', () => bindEmitter(new EventEmitter()))
  const seen: unknown[] = []
  bound.on('event', function (this: unknown, ...args) {
    seen.push(this === bound, args, lane())
  })
  runInLane('blue', () => t.equal(bound.emit('event', 1, 2), true))
  t.strictSame(seen, [true, [1, 2], 'gray'])
  t.equal(bound.emit('nobody listens'), false)
})

t.test('binding an emitter again replaces its lane', async t => {
  const emitter = new EventEmitter()
  t.equal(bindEmitter(emitter, parseLane('gray')), emitter)
  bindEmitter(emitter, parseLane('blue'))
  let heard: string | undefined
  emitter.on('event', () => {
    heard = lane()
  })
  emitter.emit('event')
  t.equal(heard, 'blue')
  runInLane('gray', () => bindEmitter(emitter, undefined))
  runInLane('gray', () => emitter.emit('event'))
  t.equal(heard, undefined)
})

t.test('inLane asks for one tag, whatever stands beside it in the list', async t => {
  const tags = ['gray', 'gray-2', 'base', 'blue', 'GRAY', 'gray-2,gray', '']
  const holds = (lane: string | undefined) => runInLane(lane, () => tags.filter(tag => inLane(tag)))
  t.strictSame(holds('gray-2,gray'), ['gray', 'gray-2'])
  t.strictSame(holds('gray'), ['gray'])
  t.strictSame(holds('base'), ['base'])
  t.strictSame(holds(undefined), ['base'])
})
