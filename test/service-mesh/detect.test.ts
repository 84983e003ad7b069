// A process in a network of its own, with the ports of a sidecar, is warned.
import { spawnSync } from 'node:child_process'
import t from 'tap'

const IN_NAMESPACE = ['--net', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh']
const can = spawnSync('unshare', [...IN_NAMESPACE, 'true']).status === 0
const skip = !can && 'no network namespace can be made here'

const PROGRAM = `
import { createServer } from 'node:net'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'
import { LaneAgent } from '@laneway/http'
const ports = JSON.parse(process.argv[1])
const servers = ports.map(port => createServer().listen(port, '0.0.0.0'))
await Promise.all(servers.map(server => new Promise(resolve => server.once('listening', resolve))))
const warnings = []
const resolver = createLaneResolver({ sources: [createStaticSource({})] })
const options = { resolver, resolve: process.argv[2] !== 'tag only', warn: message => warnings.push(message) }
for (const _ of [1, 2, 3]) new LaneAgent(options)
const end = Date.now() + 1000
while (warnings.length === 0 && Date.now() < end) await new Promise(resolve => setTimeout(resolve, 10))
console.log(JSON.stringify(warnings))
await resolver.close()
for (const server of servers) server.close()
`

function warningsWith(ports: number[], mode = ''): string[] {
  const node = [process.execPath, '--import', 'tsx', '--conditions=@laneway/source', '--input-type=module']
  const args = [...IN_NAMESPACE, ...node, '--eval', PROGRAM, JSON.stringify(ports), mode]
  const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', timeout: 60_000 })
  if (stdout === '') throw new Error(stderr)
  return JSON.parse(stdout)
}

for (const [mesh, ports] of Object.entries({ Istio: [15_001, 15_006], Linkerd: [4_140, 4_143] })) {
  t.test(`beside a sidecar of ${mesh} there is one warning, with the remedy`, { skip }, async t => {
    const warnings = warningsWith(ports)
    t.equal(warnings.length, 1)
    t.match(warnings[0], new RegExp(`sidecar of ${mesh} .* resolve: false \\(LANEWAY_RESOLVE=0\\)`))
  })
}

t.test('there is none for calls that are not resolved, and none without a sidecar', { skip }, async t => {
  t.strictSame(warningsWith([15_001, 15_006], 'tag only'), [])
  t.strictSame(warningsWith([15_001, 8080]), [])
})
