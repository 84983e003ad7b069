import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { root } from './command-line.js'
import { type Env, nacosServer, report } from './nacos-world.js'

/** A service of the demo, started as the demo does. */
async function demoService(t: Test, name: string, env: Env): Promise<ChildProcess> {
  const folder = join(root, 'examples/end-to-end-canary')
  const child = spawn(process.execPath, ['--import', '@laneway/register', `services-plain/${name}.js`], {
    cwd: folder,
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGKILL'))
  await new Promise<void>(resolve => {
    child.stdout?.on('data', chunk => {
      if (String(chunk).includes('serving on')) resolve()
    })
  })
  return child
}

t.test('the doctor finds nothing on the services of the demo', async t => {
  const nacos = await nacosServer(t)
  const folder = join(root, 'examples/end-to-end-canary')
  const common = { LANEWAY_NACOS: nacos.address, LANEWAY_SERVICES: 'sc-A,sc-B,sc-C', LANEWAY_SHUTDOWN_MS: '1500' }
  const service = (letter: string, tag = '') => ({
    ...common,
    LANEWAY_SERVICE: `sc-${letter.toUpperCase()}`,
    LANEWAY_TAG: tag,
  })
  for (const [letter, tag] of [['a'], ['b'], ['c'], ['a', 'gray'], ['c', 'gray']] as const) {
    await demoService(t, letter, service(letter, tag))
  }
  await nacos.until(({ instances }) => instances('sc-A').length === 2 && instances('sc-C').length === 2)
  await nacos.until(({ instances }) => instances('sc-B').length === 1)
  const rules = join(root, 'packages/laneway/test/fixtures/rules.yaml')
  const entry = { ...common, LANEWAY_TRUST: 'edge', LANEWAY_RULES: rules }
  for (const env of [service('a'), service('b'), service('c', 'gray'), entry]) {
    const found = await report({ folder, env })
    t.strictSame(found.findings, [], JSON.stringify(env))
    t.equal(found.code, 0)
    t.match(found.facts.services, [/^sc-A: base 1\/1, gray 1\/1$/, /^sc-B: base 1\/1$/, /^sc-C: base 1\/1, gray 1\/1$/])
  }
})
