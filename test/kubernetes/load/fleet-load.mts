// Measures what a fleet costs a real API server, in the server's own counters:
//
//   node --import tsx --conditions=@laneway/source test/kubernetes/load/fleet-load.mts CLIENTS SERVICES PODS_EACH IDLE_SECONDS
//
// Each client stands for one process: a source, a resolver, connections of its own, and two services that it calls.
import { setTimeout as sleep } from 'node:timers/promises'
import { createLaneResolver } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
// @ts-expect-error a script without types
import { startControlPlane } from '../../servers/kubernetes/start.mjs'
import { Kube } from '../kube.js'
import { readCounters, since } from './api-counters.js'
import { fillShop } from './shop.js'

const [clients = 20, services = 30, podsEach = 5, idleSeconds = 5] = process.argv.slice(2).map(Number)
const plane = await startControlPlane()
process.env['KUBECONFIG'] = plane.kubeconfig
const ends: (() => unknown)[] = []
const kube = await Kube.start({ teardown: end => ends.unshift(end) })
const shop = await fillShop(kube, services, podsEach)
const report = (step: string, counts: object) => console.log(JSON.stringify({ step, ...counts }))

let before = await readCounters(kube)
const began = performance.now()
const resolvers = Array.from({ length: clients }, (_, index) => {
  const source = createKubernetesSource({ kubeconfig: kube.kubeconfig, namespace: kube.namespace })
  const own = [0, 1].map(i => shop.services[(index * 2 + i) % services]!)
  return createLaneResolver({ sources: [source], services: own, readyTimeoutMs: 300_000 })
})
await Promise.all(resolvers.flatMap((resolver, index) => ready(resolver, index)))
const seconds = (performance.now() - began) / 1000
report('start', { ...since(before, await readCounters(kube)), seconds: round(seconds) })

await sleep(2_000)
before = await readCounters(kube)
await sleep(idleSeconds * 1_000)
report('idle', { ...since(before, await readCounters(kube)), seconds: idleSeconds })

before = await readCounters(kube)
const replaced = await shop.rollOut()
await sleep(2_000)
report('roll-out', { ...since(before, await readCounters(kube)), pods: replaced })

if (plane.restartApiServer !== undefined) {
  await plane.restartApiServer()
  const connected = () => resolvers.filter(one => one.health().sources[0]?.connected === true).length
  const watches = async () => (await readCounters(kube)).requests.get('WATCH pods') ?? 0
  const until = performance.now() + 120_000
  while ((connected() < clients || (await watches()) < clients) && performance.now() < until) await sleep(1_000)
  await sleep(5_000)
  report('restart of the API server', { ...since(undefined, await readCounters(kube)), connected: connected() })
}
report('process', {
  rssMiB: round(process.memoryUsage().rss / 2 ** 20),
  cpuSeconds: round(process.cpuUsage().user / 1e6),
})
await Promise.all(resolvers.map(one => one.close()))
for (const end of ends) await end()
await plane.stop()

function ready(resolver: ReturnType<typeof createLaneResolver>, index: number): Promise<unknown>[] {
  return [0, 1].map(i => resolver.ready(shop.services[(index * 2 + i) % services]!))
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
