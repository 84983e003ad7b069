import { laneKey, parseLane, runInLane } from '@laneway/core'
import fc from 'fast-check'
import t from 'tap'

t.test('keys of base stay as they are, keys of a lane name it', async t => {
  t.equal(laneKey('user:7'), 'user:7')
  t.equal(
    runInLane('base', () => laneKey('user:7')),
    'user:7',
  )
  t.equal(
    runInLane('gray', () => laneKey('user:7')),
    '@gray:user:7',
  )
  t.equal(
    runInLane('gray-2,gray', () => laneKey('')),
    '@gray-2,gray:',
  )
})

t.test('no two lanes, and no key of base, can collide', async t => {
  t.not(
    laneKey('@gray:k'),
    runInLane('gray', () => laneKey('k')),
  )
  const lane = fc.constantFrom(undefined, 'a', 'b', 'a,b', 'b,a', 'a.b')
  const key = fc.oneof(fc.constantFrom('', '@', '@:', '@a:', '@a:k', ':k', 'k', '@:@a:k', 'b:k'), fc.string())
  const pair = fc.tuple(lane, key)
  fc.assert(
    fc.property(pair, pair, ([laneA, keyA], [laneB, keyB]) => {
      const a = runInLane(laneA && parseLane(laneA), () => laneKey(keyA))
      const b = runInLane(laneB && parseLane(laneB), () => laneKey(keyB))
      return (a === b) === (laneA === laneB && keyA === keyB)
    }),
    { numRuns: 2000 },
  )
})
