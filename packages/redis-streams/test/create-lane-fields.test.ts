import { runInLane } from '@laneway/core'
import { createLaneFields } from '@laneway/redis-streams'
import t from 'tap'

t.test('fields get the lane of the call; the objects of the caller stay as they are', async t => {
  const withLane = createLaneFields({ header: ['x-mse-tag', 'x-lane'], propagate: stream => stream !== 'partner' })
  const fields = Object.freeze({ body: 'x' })
  t.equal(withLane('orders', fields), fields)
  const added = (stream: string, own: Record<string, unknown> = fields) =>
    runInLane('gray', () => withLane(stream, own))
  t.strictSame(added('orders'), { body: 'x', 'x-mse-tag': 'gray', 'x-lane': 'gray' })
  t.strictSame(added('orders', { 'x-mse-tag': 'red' }), { 'x-mse-tag': 'red', 'x-lane': 'red' })
  t.strictSame(added('orders', { 'x-mse-tag': '-' }), { 'x-mse-tag': 'gray', 'x-lane': 'gray' })
  t.strictSame(added('partner', { body: 'x', 'x-lane': 'red' }), { body: 'x' })
  t.throws(() => createLaneFields({ headers: 'x' } as never), /did you mean "header"/)
})

t.test('LANEWAY_DISABLE leaves fields as they are, whatever the options', async t => {
  t.teardown(() => {
    delete process.env['LANEWAY_DISABLE']
  })
  for (const parts of ['all', 'redis-streams']) {
    process.env['LANEWAY_DISABLE'] = parts
    const fields = { 'x-mse-tag': '-' }
    t.equal(createLaneFields({ wrong: 1 } as never)('orders', fields), fields)
  }
})
