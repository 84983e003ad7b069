import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { nodeBinary } from '../../../scripts/node-versions.mjs'

/** What leans on the inside of Node's agents and requests: whole test files, run by the other Node versions. */
const FILES = [
  'egress-suite',
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

t.jobs = 3
for (const major of [22, 24, 26]) {
  t.test(`Node ${major}`, { buffered: true }, async t => {
    const binary = await nodeBinary(major)
    if (binary === undefined) {
      t.comment(`no binary of Node ${major} for this machine`)
      return
    }
    for (const file of FILES) t.equal(await failures(binary, file), '', file)
  })
}

function failures(binary: string, name: string): Promise<string> {
  const file = fileURLToPath(new URL(`./${name}.test.ts`, import.meta.url))
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '' }
  for (const key of Object.keys(env)) if (key.startsWith('TAP')) delete env[key]
  // In seconds: a busy machine takes long, and that says nothing about the file.
  env['TAP_TIMEOUT'] = '300'
  const args = ['--import', 'tsx', '--conditions=@laneway/source', file]
  return new Promise(resolve => {
    execFile(binary, args, { env, timeout: 300_000, maxBuffer: 1e8 }, (error, stdout, stderr) => {
      const lines = stdout.split('\n').filter(line => line.trimStart().startsWith('not ok'))
      resolve(error === null ? lines.join('\n') : `${error.message}\n${lines.join('\n')}\n${stderr}`)
    })
  })
}
