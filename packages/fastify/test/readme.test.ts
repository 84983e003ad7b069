import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README runs as it stands', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/fastify')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, "{ lane: 'gray', current: 'gray' }\n")
})
