import { parseLane, runInLane } from '@laneway/core'
import { switchLaneway } from '@laneway/core/internal'
import { eachInLane, messageLane } from '@laneway/messaging'
import { createMessageLanes } from '@laneway/messaging/internal'
import t from 'tap'

t.test('switched off, messages are neither read, written nor changed', async t => {
  t.teardown(() => switchLaneway(true))
  const lanes = createMessageLanes('test', 'test', { trust: 'edge' })
  const sent = Object.freeze({ 'x-mse-tag': 'no tag' })
  switchLaneway(false)
  const received = { 'x-mse-tag': 'gray' }
  t.match(lanes.incoming(received, {}), { lane: undefined, stripped: false })
  t.strictSame(received, { 'x-mse-tag': 'gray' })
  t.equal(lanes.tagged('mail', sent), sent)
  t.equal(messageLane({ headers: received }), undefined)
  t.strictSame(await eachInLane([{ headers: received }], () => lanes.tagged('mail', undefined)), [undefined])
  runInLane(parseLane('gray'), () =>
    t.strictSame(lanes.tagged('mail', undefined), received, 'a message under way goes on'),
  )
})

t.test('of a list of headers the first that is present is read, and all are written', async t => {
  const names = ['x-lane', 'x-mse-tag', 'x-old']
  const lanes = createMessageLanes('test', 'test', { header: names })
  const read = (headers: object) => lanes.incoming(headers, {}).lane?.header
  for (const name of names) t.equal(read({ [name]: 'gray' }), 'gray')
  t.equal(read({ 'x-old': 'blue', 'x-mse-tag': 'gray' }), 'gray')
  const wrong = { a: 1, 'x-mse-tag': '-', 'x-old': 'gray' }
  t.equal(read(wrong), undefined)
  t.strictSame(wrong, { a: 1 }, 'what is refused is removed under all names')
  const all = (tag: string) => Object.fromEntries(names.map(name => [name, tag]))
  runInLane('gray', () => t.strictSame(lanes.tagged('mail', { a: 1 }), { a: 1, ...all('gray') }))
  t.strictSame(lanes.tagged('mail', { 'x-old': 'blue' }), all('blue'))
  t.strictSame(lanes.tagged('mail', { 'x-old': '-', 'x-lane': '-' }), {})
  for (const header of [[], ['x', ''], ['a', 'b', 'c', 'd', 'e'], ['baggage'], [1]]) {
    t.throws(() => createMessageLanes('test', 'test', { header: header as never }), { code: 'LANEWAY_INVALID_OPTION' })
  }
})
