import t from 'tap'
import { doctorTests } from './broken-set-ups.js'
import { application, laneway } from './command-line.js'
import type { Env } from './nacos-world.js'

// Each runs a program and waits for it.
t.jobs = 2
doctorTests(t, 0, 10)

t.test('the doctor says in words what it saw, and colours them only where asked', async t => {
  const folder = application(t)
  const { stdout, code } = await laneway(['doctor'], { folder, env: { LANEWAY_TURST: 'edge' } })
  t.equal(code, 1)
  t.match(
    stdout,
    /^1\. error settings {2}there is no variable LANEWAY_TURST, did you mean LANEWAY_TRUST\?\n {3}fix {2}write LANEWAY_TRUST\n/,
  )
  t.match(stdout, /✓ node +v\d+/)
  t.match(stdout, /\n1 finding\n$/)
  const coloured = await laneway(['doctor'], { folder, env: { FORCE_COLOR: '1' } })
  t.match(coloured.stdout, '\u001b[32m')
  for (const env of [{}, { FORCE_COLOR: '1', NO_COLOR: '1' }] as Env[]) {
    t.notMatch((await laneway(['doctor'], { folder, env })).stdout, '\u001b', JSON.stringify(env))
  }
})
