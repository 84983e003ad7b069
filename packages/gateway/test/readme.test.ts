import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readmeExample } from '@laneway/testkit'
import t from 'tap'
import { loadConfig } from '../src/load-config.js'

t.test('the first example of the README runs as it stands', async t => {
  const { code, stdout, stderr } = await readmeExample('packages/gateway')
  t.equal(stderr, '')
  t.equal(code, 0)
  t.equal(stdout, 'gray sees gray\nbase sees undefined\n')
})

t.test('its configuration and its manifest are read as they stand', async t => {
  const blocks = [...readFileSync('packages/gateway/README.md', 'utf8').matchAll(/^```yaml\n([\s\S]*?)^```$/gm)]
  const [config, , route] = blocks.map(([, text]) => text!)
  const place = t.testdir({})
  writeFileSync(join(place, 'gateway.yaml'), `${config}routesFrom: [route.yaml]\n`)
  writeFileSync(join(place, 'route.yaml'), route!)
  const { routes, notes } = loadConfig(join(place, 'gateway.yaml'))
  t.equal(routes.length, 2)
  t.same(notes, [])
})

t.test('its table of options has them all', async t => {
  const text = readFileSync('packages/gateway/README.md', 'utf8')
  const table = /## Options\n([\s\S]*?)\n## /.exec(text)![1]!
  const source = readFileSync('packages/gateway/src/options.ts', 'utf8')
  const keys = /const KEYS[^=]*= \[([^\]]*)\]/.exec(source)![1]!.matchAll(/'(\w+)'/g)
  for (const [, key] of keys) t.match(table, `\`${key}\``, String(key))
})
