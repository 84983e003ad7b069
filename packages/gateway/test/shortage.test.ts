import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'

const PROGRAM = 'packages/gateway/test/programs/shortage.ts'

t.test('a process without file descriptors blames no endpoint and leaves no lane', async t => {
  const command = `ulimit -n 128 && exec "$0" --import tsx --conditions=@laneway/source ${PROGRAM}`
  const { stdout } = await promisify(execFile)('sh', ['-c', command, process.execPath])
  const calls = { short: Array(7).fill('EMFILE'), after: 'gray', ejected: 0 }
  t.strictSame(JSON.parse(stdout), { http: calls, undici: calls })
})
