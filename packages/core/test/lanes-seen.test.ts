import { parseLane } from '@laneway/core'
import { createIngress, lanesSeen } from '@laneway/core/internal'
import t from 'tap'

t.test('a process has met a lane from the first value that is one', async t => {
  t.equal(lanesSeen(), false)
  createIngress('test')({ headers: { 'x-mse-tag': 'no/tag' } })
  parseLane('')
  t.equal(lanesSeen(), false, 'what is no lane does not count')
  parseLane('gray')
  t.equal(lanesSeen(), true)
  for (let index = 0; index < 5000; index++) parseLane(`lane-${index}`)
  t.equal(lanesSeen(), true, 'and it stays so')
})
