import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the example of the README runs', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/nacos-dev-server')
  t.equal(stderr, '')
  t.match(stdout, /^clients connect to 127\.0\.0\.1:\d+, which implies gRPC on 1000 above\n$/)
  t.equal(code, 0)
})
