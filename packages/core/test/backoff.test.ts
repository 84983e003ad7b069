import { backoffMs } from '@laneway/core/internal'
import t from 'tap'

t.test('delays grow up to the limit', async t => {
  const turns = [0, 1, 2, 3, 4, 100]
  t.strictSame(
    turns.map(turn => backoffMs(turn, 100, 1000)),
    [100, 200, 400, 800, 1000, 1000],
  )
  t.strictSame(
    turns.map(turn => backoffMs(turn, 100, 1000, undefined, 'linear')),
    [100, 200, 300, 400, 500, 1000],
  )
})

t.test('with a random number the delay lies in the upper half', async t => {
  t.equal(
    backoffMs(1, 100, 1000, () => 0),
    100,
  )
  t.equal(
    backoffMs(1, 100, 1000, () => 0.5),
    150,
  )
  t.equal(
    backoffMs(9, 100, 1000, () => 0),
    500,
  )
})
