import t from 'tap'
import { CallWait } from '../src/call/call-wait.js'

t.test('a timer that is early by the clock does not lose the deadline', async t => {
  const { now } = Date
  let behind = 0
  Date.now = () => now() - behind
  t.teardown(() => {
    Date.now = now
  })
  const details = await new Promise<string>(resolve => {
    const call = { deadlineExceeded: resolve, parentCancelled: () => {} }
    const wait = new CallWait(call, ['/echo/unary', Date.now() + 20, null, null, null])
    behind = 10
    t.teardown(() => wait.end())
  })
  t.match(details, /^Deadline exceeded after .*,waiting for an endpoint$/)
})
