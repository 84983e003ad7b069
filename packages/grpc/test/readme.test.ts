import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the example of the README prints what the README says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/grpc')
  t.equal(code, 0, stderr)
  t.same(stdout.trim().split('\n'), ['B, lane undefined', 'Bgray, lane gray', 'B, lane blue'])
})
