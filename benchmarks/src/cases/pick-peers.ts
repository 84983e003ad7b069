import { createRequire } from 'node:module'
import type { BalancerName, EndpointInput } from '@laneway/discovery'
import { expect, type Row, type Subject } from '../case.js'
import { endpoints, SERVICE, SIZES, type Size } from './services.js'

/** Picks of one call. */
export const OPS = 4096

/** xorshift128, as the resolver uses; `Math.random` would leave 16 bytes a draw. */
function draws(): () => number {
  const state = Int32Array.of(0x2545f491, 0x1b873593, 0x6c078965, 0x5bd1e995)
  return () => {
    let t = state[3]!
    t ^= t << 11
    t ^= t >>> 8
    const s = state[0]!
    state[3] = state[2]!
    state[2] = state[1]!
    state[1] = s
    t ^= s ^ (s >>> 19)
    state[0] = t
    return t >>> 2
  }
}

/** The same algorithm on an array that is at hand: no service to find, no lane, no health. */
function bareDraw(balancer: BalancerName, list: readonly EndpointInput[]): () => EndpointInput {
  const next = draws()
  const { length } = list
  const scale = length / 2 ** 30
  if (balancer === 'round-robin') {
    let position = 0
    return () => {
      const one = list[position]!
      position = position + 1 === length ? 0 : position + 1
      return one
    }
  }
  if (balancer === 'weighted-random') return () => list[(next() * scale) | 0]!
  const loads = list.map(() => ({ inFlight: 0, failures: 0 }))
  const weights = new Float64Array(length).fill(1)
  return () => {
    const first = (next() * scale) | 0
    const { inFlight } = loads[first]!
    if (inFlight === 0) return list[first]!
    const second = (next() * scale) | 0
    return list[loads[second]!.inFlight * weights[first]! < inFlight * weights[second]! ? second : first]!
  }
}

function isBase(result: unknown): void {
  expect((result as EndpointInput | undefined)?.tags?.length === 0, 'no base endpoint')
}

function loop(draw: () => EndpointInput): Subject {
  return {
    ops: OPS,
    run() {
      let one: EndpointInput | undefined
      for (let i = 0; i < OPS; i++) one = draw()
      return one
    },
    check: isBase,
  }
}

export function bare(size: Size, balancer: BalancerName): Row {
  return {
    name: `${size}/bare array`,
    floor: true,
    subject: () => loop(bareDraw(balancer, baseOf(SIZES[size]))),
  }
}

export function bareMap(size: Size, balancer: BalancerName): Row {
  return {
    name: `${size}/bare array behind two Maps`,
    peer: true,
    subject() {
      const draw = bareDraw(balancer, baseOf(SIZES[size]))
      const services = new Map([
        [SERVICE, new Map([['base', draw]])],
        ['sc-a', new Map()],
      ])
      return loop(() => services.get(SERVICE)!.get('base')!())
    },
  }
}

function baseOf(count: number): EndpointInput[] {
  return endpoints(count).filter(one => one.tags!.length === 0)
}

/** What is commonly written: filter by lane, fall back to base, draw. */
export function filterThenRandom(size: Size): Row {
  const count = SIZES[size]
  return {
    name: `${size}/filter, then random`,
    peer: true,
    rounds: 3,
    subject() {
      const list = endpoints(count)
      const ops = Math.max(1, OPS / count)
      return {
        ops,
        run() {
          let one: EndpointInput | undefined
          for (let i = 0; i < ops; i++) {
            const usable = list.filter(each => each.health === 'healthy' && each.enabled !== false)
            const base = usable.filter(each => each.tags!.length === 0)
            one = base[Math.floor(Math.random() * base.length)]
          }
          return one
        },
        check: isBase,
      }
    },
  }
}

/** `selectInstances` of the npm package on a list that it has already, and a weighted draw from what it gives. */
export function nacosClient(size: Size): Row {
  const count = SIZES[size]
  return {
    name: `${size}/nacos selectInstances, then weighted random`,
    peer: true,
    rounds: 2,
    async subject() {
      const { NacosNamingClient } = createRequire(import.meta.url)('nacos')
      const hosts = endpoints(count).map(one => ({ ...one, ip: one.host, healthy: true, enabled: true, weight: 1 }))
      const client = Object.create(NacosNamingClient.prototype)
      client._hostReactor = { getServiceInfo: async () => ({ hosts }) }
      const ops = Math.max(1, OPS / count)
      return {
        ops,
        asynchronous: true,
        async run() {
          let one: EndpointInput | undefined
          for (let i = 0; i < ops; i++) {
            const usable: typeof hosts = await client.selectInstances(SERVICE)
            let left = 0
            for (const each of usable) left += each.weight
            left *= Math.random()
            one = usable.find(each => {
              left -= each.weight
              return left < 0
            })
          }
          return one
        },
        check: result => expect((result as { weight?: number } | undefined)?.weight === 1, 'no endpoint'),
      }
    },
  }
}
