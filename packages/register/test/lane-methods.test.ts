import { currentLane, parseLane, runInLane } from '@laneway/core'
import t from 'tap'
import { createGuard } from '../src/guard.js'
import { createLaneMethods } from '../src/libraries/lane-methods.js'

const gray = parseLane('gray')!
type Callback = (...args: unknown[]) => unknown

function bound(owner: object): object {
  createLaneMethods('test', createGuard(t.fail)).callbacks(owner, ...Object.keys(owner))
  return owner
}

t.test('a callback runs in the lane of its caller; a class among the arguments stays that class', t => {
  class Response {
    static make = () => new Response()
    readonly status = 200
  }
  const seen: unknown[] = []
  const owner = bound({
    command: (response: typeof Response, callback: Callback) => {
      seen.push(response, response.make() instanceof Response)
      runInLane(undefined, callback)
    },
  }) as { command(response: typeof Response, callback: Callback): void }
  runInLane(gray, () => owner.command(Response, () => seen.push(currentLane())))
  t.strictSame(seen, [Response, true, gray])
  t.end()
})

t.test('a callback keeps what hangs on it', t => {
  const owner = bound({ command: (callback: Callback & { tries?: number }) => callback.tries }) as {
    command(callback: Callback): unknown
  }
  t.equal(owner.command(Object.assign(() => {}, { tries: 3 })), 3)
  t.end()
})

t.test('an async method gets its arguments as they are', async t => {
  const owner = { command: async (type: unknown) => type }
  const { command } = owner
  bound(owner)
  t.equal(owner.command, command)
  const select = () => true
  t.equal(await owner.command(select), select)
})
