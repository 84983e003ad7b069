import t from 'tap'
import { failedChild, isControl, resultOfError, settle } from '../src/lane-result.js'

t.test('an error keeps name, message and stack on its way through the value of the child', async t => {
  const error = Object.assign(new TypeError('boom'), { name: 'UnrecoverableError' })
  const sent = JSON.parse(JSON.stringify(resultOfError(error)))
  t.throws(() => settle(sent), { name: 'UnrecoverableError', message: 'boom', stack: error.stack })
  t.throws(() => settle(JSON.parse(JSON.stringify(resultOfError('text')))), { message: 'text' })
  t.equal(settle(JSON.parse(JSON.stringify({ value: undefined }))), undefined)
  t.strictSame(settle({ value: { a: 1 } }), { a: 1 })
  t.match(failedChild('job stalled more than allowable limit'), { name: 'UnrecoverableError' })
})

t.test('what asks BullMQ to run a job later is no result', async t => {
  for (const name of ['DelayedError', 'WaitingError', 'RateLimitError']) {
    t.ok(isControl(Object.assign(new Error('x'), { name })), name)
  }
  t.ok(isControl(new Error('bullmq:rateLimitExceeded')))
  for (const one of [new Error('x'), undefined, null, 'DelayedError']) t.notOk(isControl(one))
})
