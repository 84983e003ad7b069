import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README runs as it stands', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/discovery')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.strictSame(stdout.split('\n'), [
    "undefined -> base [ '10.0.0.1:8080' ]",
    "gray -> lane [ '10.0.0.2:8080' ]",
    "blue -> fallback-missing [ '10.0.0.1:8080' ]",
    '',
  ])
})
