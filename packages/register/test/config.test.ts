import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { readConfig } from '../src/config.js'

function folderWith(file: string, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'laneway-config-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, file), text)
  return folder
}

for (const [file, text] of [
  ['laneway.config.json', '{ "service": "sc-a", "services": ["sc-b"], "port": 8080 }'],
  ['laneway.config.js', 'module.exports = { service: "sc-a", services: ["sc-b"], port: 8080 }'],
  ['laneway.config.cjs', 'module.exports = { service: "sc-a", services: ["sc-b"], port: 8080 }'],
  ['laneway.config.mjs', 'export default { service: "sc-a", services: ["sc-b"], port: 8080 }'],
] as const) {
  t.test(`${file} says it, the environment comes first`, async t => {
    const folder = folderWith(file, text)
    t.match(readConfig({}, folder), { service: 'sc-a', services: ['sc-b'], port: 8080, file: join(folder, file) })
    t.match(readConfig({ LANEWAY_SERVICE: 'sc-z', LANEWAY_PORT: '' }, folder), { service: 'sc-z', port: 8080 })
  })
}

t.test('what is wrong is refused, with what was meant', async t => {
  for (const [env, file, said] of [
    [{}, '{ "servcie": "sc-a" }', /no option "servcie", did you mean "service"\?/],
    [{}, 'null', /takes an options object, received null/],
    [{}, '{ "port": "8080" }', /port is a whole number from 0, received "8080"/],
    [{}, '{ "trust": "all" }', /trust is one of private, internal, edge, received "all"/],
    [{}, '[]', /takes an options object/],
    [{}, '{', /laneway.config.json cannot be read/],
    [{ LANEWAY_PORT: '80a' }, '{}', /LANEWAY_PORT is a whole number from 0/],
    [{ LANEWAY_PORT: '-1' }, '{}', /LANEWAY_PORT is a whole number from 0/],
    [{ LANEWAY_KUBERNETES: 'yes' }, '{}', /LANEWAY_KUBERNETES is 1 or 0/],
    [{ LANEWAY_DISABLE: 'http,htpt' }, '{}', /received "htpt"/],
  ] as const) {
    t.throws(() => readConfig(env, folderWith('laneway.config.json', file)), {
      code: 'LANEWAY_INVALID_OPTION',
      message: said,
    })
  }
})
