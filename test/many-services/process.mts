// The process under measure: process.mts KIND [PLACE]
import { setTimeout as sleep } from 'node:timers/promises'
import { createFileSource, createHttpSource, createLaneResolver, createStaticSource } from '@laneway/discovery'
import { createKubernetesSource } from '@laneway/kubernetes'
import { SERVICES, servicesOf } from './services.mjs'

const PHASE_MS = 5_000
const [kind = '', place = ''] = process.argv.slice(2)
const names = Array.from({ length: SERVICES }, (_, index) => `service-${index}`)

// Processor time between two turns of the loop: on a busy machine the clock also counts the turns of others.
let longest = 0
let last = 0
let sampling = true
function sample(): void {
  const { user, system } = process.cpuUsage()
  longest = Math.max(longest, user + system - last)
  last = user + system
  if (sampling) setImmediate(sample)
}
function begin(): void {
  const { user, system } = process.cpuUsage()
  last = user + system
  longest = 0
}
const heap = () => {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage().heapUsed / 2 ** 20
}
const share = async () => {
  const before = process.cpuUsage()
  const began = performance.now()
  await sleep(PHASE_MS)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / 1000 / (performance.now() - began)
}

if (kind === 'static') servicesOf(0)
await sleep(200)
const heapBefore = heap()
sample()
await sleep(1_000)
begin()
const began = performance.now()
const fixed = kind === 'static' ? createStaticSource(servicesOf(0)) : undefined
const source =
  fixed ??
  (kind === 'file'
    ? createFileSource(place)
    : kind === 'http'
      ? createHttpSource(place)
      : createKubernetesSource({ kubeconfig: place, namespace: 'shop' }))
const resolver = createLaneResolver({ sources: [source], services: names, readyTimeoutMs: 120_000 })
await Promise.all(names.map(name => resolver.ready(name)))
const startMs = performance.now() - began
await sleep(300)
const turns: [number, number, number] = [longest / 1000, 0, 0]
const heapMiB = heap() - heapBefore

// The frozen choices of a table are made with it.
const choicesOf = (name: string) => new Set(Array.from({ length: 1_000 }, () => resolver.pick(name, undefined)))

begin()
await sleep(PHASE_MS)
turns[1] = longest / 1000

let count = 0
let timer: NodeJS.Timeout | undefined
function changes(go: boolean): void {
  if (fixed === undefined) process.send?.(go ? 'change' : 'rest')
  else if (go) timer = setInterval(() => fixed.update(servicesOf(++count)), 100)
  else clearInterval(timer)
}
await sleep(300)
begin()
changes(true)
await sleep(PHASE_MS)
changes(false)
turns[2] = longest / 1000
sampling = false
await sleep(2_500)
const idle = await share()
changes(true)
await sleep(300)
const changing = await share()
changes(false)
await sleep(1_000)
const choices = names.map(choicesOf)
changes(true)
await sleep(1_000)
changes(false)
await sleep(1_000)
const rebuilt = names.filter((name, index) => [...choicesOf(name)].some(one => !choices[index]!.has(one))).length
process.send?.({ startMs, heapMiB, idle, changing, turns, rebuilt })
await resolver.close()
process.disconnect?.()
