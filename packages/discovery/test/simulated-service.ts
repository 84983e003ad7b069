import { type Choice, createLaneResolver, createStaticSource, type LaneResolverOptions } from '../src/index.js'
import { addressOf } from './one-service.js'
import { seeded } from './seeded.js'

const SLOTS = 3
const SERVICE_MS = 100
/** Requests per second that one warm instance can serve. */
const CAPACITY = (SLOTS * 1000) / SERVICE_MS
const COLD_REQUESTS = 30
const TIMEOUT_MS = 2000

/** Serves a few requests at a time, the others wait. The first requests of a cold one take longer. */
export class SimulatedInstance {
  readonly host = '10.0.0.1'
  readonly port: number
  /** Answers nothing any more. */
  frozen = false
  /** Answers at once, with an error. */
  broken = false
  /** Serves, but the registry calls it unhealthy. */
  lost = false
  readonly #coldFactor: number
  readonly #free = Array.from({ length: SLOTS }, () => 0)
  #served = 0

  constructor(port: number, coldFactor: number) {
    this.port = port
    this.#coldFactor = coldFactor
  }

  /** When the answer comes to a request that arrives now. Those that the caller gives up are served, too. */
  answersAt(now: number): number {
    if (this.frozen) return Number.POSITIVE_INFINITY
    if (this.broken) return now + 1
    const slot = this.#free.indexOf(Math.min(...this.#free))
    const warmth = Math.min(1, this.#served++ / COLD_REQUESTS)
    const takes = SERVICE_MS * (this.#coldFactor - (this.#coldFactor - 1) * warmth)
    this.#free[slot] = Math.max(now, this.#free[slot]!) + takes
    return this.#free[slot]!
  }
}

/** How a caller chooses. */
interface Caller {
  list(instances: readonly SimulatedInstance[]): void
  /** @returns the address, and what is to be called when the request is over */
  send(): [address: string, ended: (status: number | 'timeout') => void]
}

/** Makes a caller. @param now - the simulated time */
export type CallerOf = (now: () => number) => Caller

/** Each instance in turn. */
export const roundRobin: CallerOf = () => {
  let addresses: string[] = []
  let turn = 0
  return {
    list: instances => {
      addresses = instances.filter(({ lost }) => !lost).map(addressOf)
    },
    send: () => [addresses[turn++ % addresses.length]!, () => {}],
  }
}

export function laneway(options: Partial<LaneResolverOptions> = {}): CallerOf {
  return now => {
    const source = createStaticSource({ s: [] })
    const resolver = createLaneResolver({
      sources: [source],
      services: ['s'],
      env: {},
      now,
      random: seeded(7),
      ...options,
    })
    const end = (choice: Choice, status: number | 'timeout') => {
      if (status === 'timeout') resolver.finished(choice, 'timeout')
      else resolver.finished(choice, 'ok', status)
    }
    return {
      list(instances) {
        const health = (lost: boolean) => (lost ? 'unhealthy' : 'healthy')
        source.update({ s: instances.map(({ host, port, lost }) => ({ host, port, health: health(lost) })) })
      },
      send() {
        const choice = resolver.pick('s', undefined)
        resolver.started(choice)
        return [choice.endpoint!.address, status => end(choice, status)]
      },
    }
  }
}

/** What happens to the instances, by milliseconds since the start. */
export type Plan = Readonly<Record<number, (service: SimulatedService) => void>>

/** A service under load from one caller, in simulated time: the same in every run. */
export class SimulatedService {
  instances: SimulatedInstance[]
  errors = 0
  readonly #coldFactor: number
  readonly #times: number[] = []
  #port = 1

  constructor(count: number, coldFactor = 5) {
    this.#coldFactor = coldFactor
    this.instances = Array.from({ length: count }, () => new SimulatedInstance(this.#port++, 1))
  }

  cold(): SimulatedInstance {
    return new SimulatedInstance(this.#port++, this.#coldFactor)
  }

  /** @param load - as a share of the capacity at the start */
  run(callerOf: CallerOf, load: number, forMs: number, plan: Plan): this {
    let now = 0
    const events = new Map<number, (() => void)[]>()
    const at = (ms: number, event: () => void) => {
      const time = Math.ceil(ms)
      events.set(time, [...(events.get(time) ?? []), event])
    }
    const caller = callerOf(() => now)
    caller.list(this.instances)
    for (const [ms, happens] of Object.entries(plan)) {
      at(Number(ms), () => {
        happens(this)
        caller.list(this.instances)
      })
    }
    const random = seeded(1)
    const perMs = (this.instances.length * CAPACITY * load) / 1000
    for (let next = 0; now < forMs + TIMEOUT_MS; now++) {
      for (const event of events.get(now) ?? []) event()
      for (; next <= now && now < forMs; next += (0.5 + random()) / perMs) this.#send(caller, now, at)
    }
    return this
  }

  #send(caller: Caller, now: number, at: (ms: number, event: () => void) => void): void {
    const [address, ended] = caller.send()
    const instance = this.instances.find(one => addressOf(one) === address)!
    const answer = instance.answersAt(now)
    const late = answer > now + TIMEOUT_MS
    at(late ? now + TIMEOUT_MS : answer, () => {
      if (late || instance.broken) this.errors++
      else this.#times.push(answer - now)
      ended(late ? 'timeout' : instance.broken ? 500 : 200)
    })
  }

  /** Of the times of answers, in milliseconds. */
  percentile(share: number): number {
    const times = this.#times.sort((a, b) => a - b)
    return Math.round(times[Math.floor((times.length - 1) * share)] ?? 0)
  }
}

/** Restarts all instances one after the other: the successor comes as the old one leaves. */
export function rollingRestart(count: number, everyMs: number): Plan {
  const restart = (service: SimulatedService) => {
    service.instances = [...service.instances.slice(1), service.cold()]
  }
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [1000 + index * everyMs, restart]))
}

/** The registry loses sight of some instances for three seconds. */
export function lostOf(count: number): Plan {
  const set = (lost: boolean) => (service: SimulatedService) => {
    for (const instance of service.instances.slice(0, count)) instance.lost = lost
  }
  return { 2000: set(true), 5000: set(false) }
}
