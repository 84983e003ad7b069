// Run by memory-cases.ts: prints by how many MB the resident memory grew.
import { currentLane, laneKey, parseLane, runInLane } from '@laneway/core'
import { createEgressScope, createIngress } from '@laneway/core/internal'
import { createLaneResolver, createStaticSource } from '@laneway/discovery'

const [, , kind = '', count = '0'] = process.argv
const ingress = createIngress('grow', { trust: 'internal' })
const scope = createEgressScope('grow', { warn() {} })
const resolver = createLaneResolver({
  sources: [createStaticSource({ 'sc-b': [{ host: '10.0.0.1', port: 80 }] })],
  services: ['sc-b'],
  env: {},
})
const gray = parseLane('gray')!
let picked = 0

function one(index: number): void {
  if (kind === 'tag') {
    const tag = `tag-${index}`
    const { lane } = ingress({ headers: { 'x-mse-tag': tag } })
    if (lane?.header !== tag) throw new Error(`${tag} was not read`)
    if (index % 16 === 0) runInLane(lane, () => (picked += Number(laneKey('k') !== 'k' && currentLane() === lane)))
    if (resolver.pick('sc-b', lane).endpoint !== undefined) picked++
    return
  }
  const host = `h${index}.${'x'.repeat(200)}.example.com`
  if (scope.includes(host)) throw new Error(`${host} is in scope`)
  scope.blocked(host, gray)
  scope.includes('y'.repeat(index % 512 === 0 ? 16_000 : 10) + index)
  if (resolver.match(host, undefined, false) !== undefined) throw new Error(`${host} is a service`)
}

function resident(): number {
  globalThis.gc?.()
  globalThis.gc?.()
  return process.memoryUsage.rss() / 2 ** 20
}

const warmUp = 200_000
for (let index = 0; index < warmUp; index++) one(index)
const before = resident()
for (let index = warmUp; index < warmUp + Number(count); index++) one(index)
console.log(resident() - before)
if (kind === 'tag' && picked === 0) throw new Error('nothing was picked')
await resolver.close()
