import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README prints what the README says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/messaging')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, "[ 'order 1 in gray', 'order 2 in undefined', 'order 3 in blue' ]\n")
})
