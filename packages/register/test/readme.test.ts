import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the example of the README serves and ends as it says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/register')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, 'serving\n')
})
