import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readmeExample } from '@laneway/testkit'
import t from 'tap'
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
