import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const skip = process.env['LANEWAY_TEST_API_SERVER_PID'] === undefined && 'not our own API server'

t.test('processes of this machine stand in for pods, in a network namespace of their own', { skip }, async t => {
  const args = ['--import', 'tsx', '--conditions=@laneway/source', 'test/kubernetes/registry-inside.mts']
  const { stdout } = await promisify(execFile)(process.execPath, args)
  const answer = JSON.parse(stdout)
  if (answer.problem !== undefined) return t.skip(answer.problem)
  t.strictSame(answer, { told: 0 })
})
