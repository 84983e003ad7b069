import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README prints what the README says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/http')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.strictSame(stdout.split('\n'), ['B, tag undefined', 'Bgray, tag gray', 'B, tag blue', ''])
})
