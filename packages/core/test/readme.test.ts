import { readFileSync } from 'node:fs'
import * as core from '@laneway/core'
import { readmeExample } from '@laneway/testkit'
import t from 'tap'

t.test('the first example of the README runs as it stands', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/core', 0, { LANEWAY_TAG: 'green' })
  t.equal(stderr, '')
  t.equal(code, 0)
  t.strictSame(stdout.split('\n'), [
    "[ 'gray-2', 'gray' ]",
    'undefined',
    "gray true @gray:user:7 { lane: 'gray', ownLane: 'green' }",
    'undefined user:7',
    '',
  ])
})

t.test('the example of the log prints what the README shows', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/core', 1)
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(readFileSync('packages/core/README.md', 'utf8'), `\`\`\`\n${stdout}\`\`\``)
  t.match(stdout, /^laneway: in .*id=r-1 lane=gray/)
})

t.test('every export is in the README', async t => {
  const readme = readFileSync('packages/core/README.md', 'utf8')
  for (const name of Object.keys(core)) t.match(readme, `\`${name}`, name)
})
