import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import t from 'tap'
import { program } from './start-app.js'

const register = createRequire(import.meta.url).resolve('@laneway/register')

function start(version: string, environment = {}) {
  const args = ['--require', program('pretend-version.cjs'), '--require', register, '-e', 'console.log("started")']
  const env = { ...process.env, NODE_OPTIONS: '', PRETENDED: version, ...environment }
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { env, encoding: 'utf8' })
  return { status, stdout, stderr }
}

t.test('a Node that is too old ends with one sentence', async t => {
  for (const version of ['v20.18.3', 'v18.20.4', 'v16.0.0', 'v0.12.18']) {
    const { status, stdout, stderr } = start(version)
    t.equal(status, 1)
    t.equal(stdout, '')
    t.match(stderr, new RegExp(`^@laneway/register needs Node 20.19 or newer, and this is ${version}: [^\n]+\n$`))
  }
})

t.test('every Node that is new enough starts, and the kill switch works on all', async t => {
  for (const version of ['v20.19.0', 'v20.20.2', 'v21.0.0', 'v22.0.0', 'v100.0.0', 'v24.0.0-nightly']) {
    t.strictSame(start(version), { status: 0, stdout: 'started\n', stderr: '' }, version)
  }
  t.strictSame(start('v18.0.0', { LANEWAY_DISABLE: 'all' }), { status: 0, stdout: 'started\n', stderr: '' })
})
