import t from 'tap'
import { parseLane } from '@laneway/core'

t.test('a tag is a lane of one', async t => {
  t.strictSame(parseLane('gray'), { header: 'gray', tags: ['gray'] })
})
