import { getEventListeners } from 'node:events'
import { tracePath } from '@laneway/core'
import t from 'tap'

t.test('a request that cannot be made leaves nothing on the signal of its caller', async t => {
  const { signal } = new AbortController()
  const headers: [string, Record<string, string>][] = [
    ['a name that is none', { 'not a name': 'x' }],
    ['a value that is none', { 'x-own': 'a\nb' }],
  ]
  for (const [what, wrong] of headers) {
    await t.rejects(tracePath('http://127.0.0.1:1/', { headers: wrong, signal }), TypeError, what)
    t.equal(getEventListeners(signal, 'abort').length, 0, what)
  }
  await t.rejects(tracePath('http://127.0.0.1:1/', { signal }), { code: 'ECONNREFUSED' })
  await new Promise(setImmediate)
  t.equal(getEventListeners(signal, 'abort').length, 0)
})
