import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readmeExample, withConsoleOutputs } from '@laneway/testkit'
import t from 'tap'
import { runCommand } from '../src/command/command.js'
import { SERVICES, World } from './world.js'

t.test('the first example of the README runs as it stands', async t => {
  const world = await World.start(t)
  world.paused('rollout-a')
  world.paused('rollout-c')
  world.prometheus.say(SERVICES, { requests: 400 }, { requests: 4_000 })
  const folder = mkdtempSync(join(tmpdir(), 'laneway-gate-readme-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  writeFileSync(join(folder, 'config'), world.api.kubeconfig('shop'))
  const environment = { KUBECONFIG: join(folder, 'config'), PROMETHEUS: world.prometheus.url }
  const { code, stdout, stderr } = await readmeExample('packages/gate', 0, environment)
  t.equal(code, 0, stderr)
  t.match(stdout, /shop-b {2}good/)
  t.match(stdout, /approved dry run: would approve rollout-c, then rollout-a\n$/)
})

// `--write` as an argument of this file writes the outputs into the README.
t.test('every help and output in the README is that of a run', async t => {
  const world = await World.start(t)
  world.paused('rollout-a')
  world.paused('rollout-c')
  world.prometheus.say(['shop-a', 'shop-c'], { requests: 400 }, { requests: 4_000 })
  world.prometheus.say(['shop-b'], { requests: 380, errors: 19 }, { requests: 3_900 })
  const kubeconfig = join(t.testdir({}), 'config')
  writeFileSync(kubeconfig, world.api.kubeconfig('shop'))
  const file = 'packages/gate/README.md'
  const readme = readFileSync(file, 'utf8')
  const expected = await withConsoleOutputs(readme, async line => {
    const [name, ...args] = line.replace('http://prometheus:9090', world.prometheus.url).split(' ')
    t.equal(name, 'laneway-gate')
    if (!args.includes('--help')) args.push('--kubeconfig', kubeconfig)
    let output = ''
    const write = (text: string) => {
      output += text.endsWith('\n') ? text : `${text}\n`
    }
    const end = { env: {}, signal: new AbortController().signal }
    await runCommand(args, { write, writeError: write, ...end })
    // What differs from one run to another.
    return output.replace(/^\S+T\S+Z /gm, '2026-01-02T03:04:05Z ').replace(/last \d+ s/g, 'last 60 s')
  })
  if (process.argv.includes('--write')) writeFileSync(file, expected)
  t.equal(readme, expected)
  t.match(readme, '$ laneway-gate --help\nlaneway-gate: ')
})
