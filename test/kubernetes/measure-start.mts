// Measures one source in a process of its own: node measure-start.mts KUBECONFIG NAMESPACE ENDPOINTS
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'

const [kubeconfig = '', namespace = '', wanted = '0'] = process.argv.slice(2)
const megabytes = () => {
  globalThis.gc?.()
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed / 2 ** 20, rss: rss / 2 ** 20 }
}

// Two views of a stall: the wall clock, which on a busy machine also counts the turns of others, and the CPU time that
// this process used between two turns of its loop.
const stalls = monitorEventLoopDelay({ resolution: 1 })
let turnCpu = 0
let lastCpu = 0
let sampling = true
function sample(): void {
  const { user, system } = process.cpuUsage()
  turnCpu = Math.max(turnCpu, user + system - lastCpu)
  lastCpu = user + system
  if (sampling) setImmediate(sample)
}
const stall = () => ({ wallMs: stalls.max / 1e6, cpuMs: turnCpu / 1e3 })
function reset(): void {
  stalls.reset()
  const { user, system } = process.cpuUsage()
  lastCpu = user + system
  turnCpu = 0
}

await sleep(200)
const before = megabytes()
stalls.enable()
reset()
sample()
await sleep(1_500)
const idle = stall()

// Reading a kubeconfig is a thing of the start, and of laptops.
const source = createKubernetesSource({ kubeconfig, namespace })
const second = createKubernetesSource({ kubeconfig, namespace })
await sleep(50)
let endpoints = 0
let snapshots = 0
let wake = () => {}
reset()
const cpu = process.cpuUsage()
const began = performance.now()
const stop = source.subscribe('orders', {
  snapshot(list) {
    endpoints = list.length
    snapshots++
    wake()
  },
  missing() {},
  stale: error => console.error(error),
})
while (endpoints < Number(wanted)) await new Promise<void>(resolve => (wake = resolve))
const firstSnapshotMs = performance.now() - began
await sleep(300)
const loading = stall()
const { user, system } = process.cpuUsage(cpu)
const after = megabytes()

// The whole of it: the resolver's table as well.
reset()
const resolver = createLaneResolver({ sources: [source] })
const at = performance.now()
await resolver.ready('orders')
const tableMs = performance.now() - at
await sleep(300)
const table = stall()

// From nothing to a table, as a process starts.
reset()
const fresh = performance.now()
const whole = createLaneResolver({ sources: [second] })
await whole.ready('orders')
const firstTableMs = performance.now() - fresh
await sleep(300)
const whollyStalled = stall()

sampling = false
console.log(
  JSON.stringify({
    node: process.version,
    endpoints,
    snapshots,
    firstSnapshotMs,
    firstTableMs,
    tableMs,
    cpuMs: (user + system) / 1_000,
    heapMiB: after.heap - before.heap,
    rssMiB: after.rss - before.rss,
    longestTurn: { idle, source: loading, table, sourceAndTable: whollyStalled },
  }),
)
stop()
await resolver.close()
await whole.close()
