import { parseLane } from '@laneway/core'
import t from 'tap'

t.test('a tag is a lane of one', async t => {
  t.strictSame(parseLane('gray'), { header: 'gray', tags: ['gray'] })
})
