import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { nodeBinary } from '../../../scripts/node-versions.mjs'

type Traces = Record<string, Record<string, string[]>>

/** What is named otherwise, and why. The README says the same. */
const NAMES = ['pool ']

/** Forms of which a trace may differ, with the reason. Everything that is not here is identical. */
const DIFFERENCES: Record<string, Record<string, string>> = {
  'sc-b refused then answered': Object.fromEntries(
    [
      'keep-alive, three in a row',
      'a queue at maxSockets 1',
      'a queue at maxSockets 1 without keep-alive',
      'given up in the queue',
      'refused and tried again in the error handler',
      'https keep-alive',
    ].map(form => [form, 'each request goes to another endpoint first, and each endpoint has a pool of its own']),
  ),
}

t.setTimeout(300_000)
t.jobs = 2

for (const major of [20, 22, 24, 26]) {
  t.test(`Node ${major}: a caller sees the same events with Laneway and without`, async t => {
    const binary = await nodeBinary(major)
    if (binary === undefined) {
      t.comment(`no binary of Node ${major} for this machine`)
      return
    }
    const traces = await run(binary)
    t.ok(Object.keys(traces['sc-b plain'] ?? {}).length >= 40)
    for (const [name, forms] of Object.entries(traces)) {
      const [host] = name.split(' ')
      for (const [form, trace] of Object.entries(forms)) {
        t.ok(trace.length > 0, `${name}: ${form} was seen`)
        if (DIFFERENCES[name]?.[form] !== undefined) continue
        t.strictSame(unnamed(trace), unnamed(traces[`${host} plain`]?.[form] ?? []), `${name}: ${form}`)
      }
    }
    const pools = traces['sc-b LaneAgent']?.['keep-alive, three in a row']?.filter(line => line.startsWith('pool '))
    t.strictSame([...new Set(pools)], ['pool 127.0.0.1:HTTP:'], 'a pool has the name that its endpoint would give it')
  })
}

function unnamed(trace: readonly string[]): string[] {
  return trace.filter(line => !NAMES.some(name => line.startsWith(name)))
}

function run(binary: string): Promise<Traces> {
  const file = fileURLToPath(new URL('./programs/event-traces.ts', import.meta.url))
  const args = ['--import', 'tsx', '--conditions=@laneway/source', file]
  const env: NodeJS.ProcessEnv = { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' }
  // With these an instance may speak TLS, and a first call waits for its endpoint before it has a socket.
  delete env['NODE_EXTRA_CA_CERTS']
  delete env['NODE_TLS_REJECT_UNAUTHORIZED']
  return new Promise((resolve, reject) => {
    execFile(binary, args, { env, timeout: 300_000, maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error === null) resolve(JSON.parse(stdout) as Traces)
      else reject(new Error(stderr))
    })
  })
}
