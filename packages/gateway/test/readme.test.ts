import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { readmeExample, withConsoleOutputs } from '@laneway/testkit'
import t from 'tap'
import { runCommand } from '../src/command/command.js'
import { loadConfig } from '../src/config/load-config.js'
import { resolveGatewayOptions } from '../src/resolve-options.js'

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
  const keys = Object.keys(resolveGatewayOptions({ resolver: { pick() {} } as never, routes: [] }))
  t.ok(keys.length > 15)
  for (const key of keys.filter(key => key !== 'resolver')) t.match(table, `\`${key}\``, key)
})

/** The first configuration of the README, and the same with three slips of the pen. */
function configurations(readme: string): Record<string, string> {
  const good = /^```yaml\n([\s\S]*?)^```$/m.exec(readme)![1]!
  const misspelt = good.replace('exact:', 'exat:').replace('service: sc-A }', 'servce: sc-A }').replace('8080', '80800')
  return { 'gateway.yaml': good, 'misspelt.yaml': misspelt }
}

// `--write` as an argument of this file writes the outputs into the README.
t.test('every help and output in the README is that of a run', async t => {
  const file = 'packages/gateway/README.md'
  const readme = readFileSync(file, 'utf8')
  const place = t.testdir(configurations(readme))
  const expected = await withConsoleOutputs(readme, async line => {
    const [name, ...args] = line.split(' ')
    t.equal(name, 'laneway-gateway')
    const at = args.indexOf('--config')
    if (at !== -1) args[at + 1] = join(place, args[at + 1]!)
    let output = ''
    const code = await runCommand(args, {
      out: { write: (text: string) => (output += text) },
      writeError: text => (output += `${text}\n`),
      onSignal: () => {},
    })
    t.equal(code, line.includes('misspelt') ? 1 : 0, line)
    return output.replaceAll(`${place}/`, '')
  })
  if (process.argv.includes('--write')) writeFileSync(file, expected)
  t.equal(readme, expected)
  t.match(readme, '$ laneway-gateway --help\nlaneway-gateway: ')
})
