import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { bindLane, currentLane, type Lane, runInLane } from '@laneway/core'
import { createIngress, type LaneStorage, runRequest, setLaneStorage } from '@laneway/core/internal'
import t from 'tap'

// A file of its own: the storage belongs to the process.
t.test('an integration can keep the lane elsewhere, and hears when baggage has to be stripped', async t => {
  const calls: string[] = []
  const inner = new AsyncLocalStorage<Lane | undefined>()
  const storage: LaneStorage = {
    getStore: () => inner.getStore(),
    run(lane, fn, ...args) {
      calls.push(`run ${lane?.header}`)
      return inner.run(lane, fn, ...args)
    },
    runStripped(lane, fn, ...args) {
      calls.push(`runStripped ${lane?.header}`)
      return inner.run(lane, fn, ...args)
    },
  }
  const early = bindLane(() => currentLane()?.header)
  setLaneStorage(storage)
  t.equal(
    runInLane('gray', () => currentLane()?.header),
    'gray',
  )
  t.equal(early(), undefined, 'what was bound before uses it too')
  t.strictSame(calls, ['run gray', 'run undefined'])

  const serve = (headers: Record<string, string>, trust: 'internal' | 'edge', rules?: () => Lane | undefined) => {
    calls.length = 0
    const request = Object.assign(new EventEmitter(), { headers })
    const decision = createIngress('test', { trust, ...(rules === undefined ? {} : { rules }) })(request)
    const lane = runRequest(decision, request, new EventEmitter(), () => currentLane()?.header)
    return [lane, ...calls]
  }
  t.strictSame(serve({}, 'internal'), [undefined], 'untagged: nothing is entered')
  t.strictSame(serve({ 'x-mse-tag': 'gray' }, 'internal'), ['gray', 'run gray'])
  t.strictSame(serve({ 'x-mse-tag': 'gray' }, 'edge'), [undefined, 'runStripped undefined'])
  t.strictSame(serve({ 'x-mse-tag': '-' }, 'internal'), [undefined, 'runStripped undefined'])
  const blue = { header: 'blue', tags: ['blue'] }
  t.strictSame(
    serve({ 'x-mse-tag': 'gray' }, 'edge', () => blue),
    ['blue', 'runStripped blue'],
  )
})
