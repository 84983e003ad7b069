import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README prints what it says', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/rules')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.same(stdout.trimEnd().split('\n'), [
    'gray',
    'undefined',
    'tester: no, header user-agent exact "xiaoming" does not hold',
    'share: lane gray, every request, slot 2822 by cookie uid',
  ])
})

t.test('Express, Fastify and http colour by the same rules', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/rules', 1)
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, 'express: gray\nfastify: gray\nhttp: gray\n')
})
