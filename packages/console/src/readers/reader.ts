import type { Flow, Judged, MessageReading, Rollout, Routing } from '../wire.js'

/** An instance as the registries list it. */
export interface RegisteredInstance {
  readonly service: string
  readonly host: string
  readonly port: number
}

/** Where the console reads the calls between services. */
export interface FlowReader {
  /** For people, without secrets, e.g. `Prometheus http://prometheus:9090`. */
  readonly name: string
  /** @param instances - what the registries list at this moment */
  read(instances: () => Iterable<RegisteredInstance>): Promise<readonly Flow[]>
}

/** Where the console reads releases. */
export interface ReleaseReader {
  readonly name: string
  read(): Promise<{ readonly rollouts: readonly Rollout[]; readonly routings: readonly Routing[] }>
}

/** One judgement of the gate. */
export interface GateReading {
  readonly lane: string
  readonly verdict: Judged['verdict']
  readonly services: readonly {
    readonly service: string
    readonly rollout?: string
    readonly verdict: Judged['verdict']
    readonly reasons: readonly string[]
    /** Numbers of now, by name. */
    readonly numbers: readonly {
      readonly name: string
      readonly unit: string
      readonly lane: number
      readonly base: number
    }[]
  }[]
}

/** Where the console reads the queues of brokers. */
export interface MessageReader {
  readonly name: string
  read(): Promise<MessageReading>
  /** Ends its connections; called when the console closes. */
  close?(): Promise<void>
}
