import t from 'tap'

// A file of its own: the own lane is read once, on first use.
process.env['LANEWAY_TAG'] = 'not a tag'
const { laneLogFields, ownLane, runInLane } = await import('@laneway/core')

t.test('an own tag that is no tag stops the start, but never a log line', async t => {
  t.throws(() => ownLane(), { code: 'LANEWAY_INVALID_TAG' })
  t.strictSame(laneLogFields(), {})
  t.strictSame(
    runInLane('gray', () => laneLogFields()),
    { lane: 'gray' },
  )
})
