import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the example of the README runs', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/console', 0)
  t.equal(stderr, '')
  t.equal(stdout, '200 text/html; charset=utf-8\n')
  t.equal(code, 0)
})
