import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the example of the README prints what the README says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/otel')
  t.equal(code, 0, stderr)
  t.strictSame(stdout.trim().split('\n'), ["work { 'laneway.lane': 'gray' }", 'gray x-mse-tag=gray'])
})
