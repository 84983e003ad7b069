import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the example of the README prints what the README says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/undici')
  t.equal(code, 0, stderr)
  t.same(stdout.trim().split('\n'), [
    'B, tag undefined',
    'B, tag undefined',
    'Bgray, tag gray',
    'Bgray, tag gray',
    'B, tag blue',
    'B, tag blue',
  ])
})
