import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nodeMatrix } from '@laneway/testkit'
import t from 'tap'
import { nodeBinary } from '../../../scripts/node-versions.mjs'

// What leans on the inside of Node's agents and requests: whole test files.
const FILES = [
  'egress-suite',
  'env-proxy',
  'forwarding',
  'rendered-head',
  'retries',
  'pools',
  'clients',
  'lane-server',
  'mocks',
  'queued-events',
  'secure-connections',
]
await nodeMatrix(
  t,
  FILES.map(name => `packages/http/test/${name}.test.ts`),
)

for (const major of [20, 22, 24, 26]) {
  t.test(`Node ${major}`, async t => {
    const binary = await nodeBinary(major)
    if (binary === undefined) {
      t.comment(`no binary of Node ${major} for this machine`)
      return
    }

    await t.test('server: requests of a connection keep their lanes in every listener, pipelined ones too', async t => {
      const reports = await run(binary, 'server-context.ts')
      for (const [name, { places, wrong }] of Object.entries(reports)) {
        t.ok(places > 0, `${name}: looked at ${places} places`)
        if (name.startsWith('bare')) t.not(Object.keys(wrong).length, 0, `${name} is the control and must be wrong`)
        else t.strictSame(wrong, {}, name)
      }
    })

    await t.test('client: every request goes out in its own lane, and its answer is handled there', async t => {
      const { control, ...reports } = await run(binary, 'client-context.ts')
      t.ok(control.wrong > 0, `the control must be wrong, and is ${control.wrong} times of ${control.sent}`)
      for (const [name, { sent, ...faults }] of Object.entries(reports)) {
        t.ok(sent > 0)
        t.strictSame(faults, { wrong: 0, doubled: 0, failed: 0, context: 0 }, `${name}: ${sent} requests`)
      }
    })
  })
}

function run(binary: string, program: string): Promise<Record<string, any>> {
  const file = fileURLToPath(new URL(`./programs/${program}`, import.meta.url))
  const args = ['--import', 'tsx', '--conditions=@laneway/source', file]
  const env = { ...process.env, NODE_OPTIONS: '', ROUNDS: '12', COUNT: '45' }
  return new Promise((resolve, reject) => {
    execFile(binary, args, { env, timeout: 300_000 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout))
      else reject(new Error(`${program}: ${stderr}`))
    })
  })
}
