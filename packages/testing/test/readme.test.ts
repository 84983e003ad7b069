import { readFileSync } from 'node:fs'
import * as testing from '@laneway/testing'
import { readmeExample } from '@laneway/testkit'
import t from 'tap'

const readme = readFileSync('packages/testing/README.md', 'utf8')

t.test('the first example of the README runs as it stands, and prints what stands there', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/testing')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.match(stdout, /^gray <- /m)
  t.match(stdout, readme.split('```')[5]?.trim() ?? 'no output in the README')
})

t.test('every export is in the README', async t => {
  for (const name of Object.keys(testing)) t.match(readme, new RegExp(`\\b${name}\\(`), name)
})
