import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README prints what it says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/rules')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, 'gray\nundefined\nshare: lane gray, every request, slot 2822 by cookie uid\n')
})
