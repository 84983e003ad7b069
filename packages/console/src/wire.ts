// What the server tells the page. The page imports these types and nothing else of the server.

/** One lane of one service. */
export interface Cell {
  readonly instances: number
  readonly healthy: number
  readonly weight: number
  readonly versions: readonly string[]
}

/** One service of the matrix. */
export interface Row {
  readonly service: string
  /** Name of the registry. */
  readonly source: string
  /** `waiting`: not answered yet; `missing`: the registry has no such service; `stale`: its last list, the registry is lost. */
  readonly state: 'ok' | 'waiting' | 'missing' | 'stale'
  readonly error?: string
  /** When its list last changed while the console looked, in milliseconds since 1970. */
  readonly changedAt: number
  /** By lane; `base` is one. */
  readonly cells: Readonly<Record<string, Cell>>
  /** Instances with a key of metadata that was probably meant to name a lane. */
  readonly nearMisses: number
}

/** One registry. */
export interface Registry {
  readonly name: string
  readonly where: string
  /** `undefined` while nothing is known. */
  readonly connected?: boolean
  readonly error?: string
}

/** Calls from one service to another, of one lane. */
export interface Flow {
  readonly from: string
  readonly to: string
  /** `base` for calls without a lane. */
  readonly lane: string
  /** Who served: a lane, `base`, or `none`. */
  readonly served: string
  /** As in `laneway.decisions`. */
  readonly outcome: string
  readonly perSecond: number
}

/** One service on the map; the middle of its box. */
export interface Place {
  readonly name: string
  readonly x: number
  readonly y: number
}

/** The map. */
export interface Traffic {
  /** What it was read from. */
  readonly from: string
  readonly flows: readonly Flow[]
  readonly places: readonly Place[]
  readonly width: number
  readonly height: number
  readonly error?: string
}

/** Numbers of a lane and of base at one moment; `NaN` is sent as `null`. */
export interface Point {
  readonly lane: number | null
  readonly base: number | null
}

/** One service of a release, as the gate judges it. */
export interface Judged {
  readonly service: string
  readonly rollout?: string
  readonly verdict: 'good' | 'bad' | 'wait'
  readonly reasons: readonly string[]
  /** Plots, oldest first. */
  readonly plots: readonly { readonly name: string; readonly unit: string; readonly points: readonly Point[] }[]
}

/** One Rollout of OpenKruise. */
export interface Rollout {
  readonly name: string
  readonly workload: string
  readonly phase: string
  /** 1 is the first; 0 before the first release. */
  readonly step: number
  readonly steps: readonly string[]
  readonly stepState: string
  readonly message: string
  readonly stage: 'paused' | 'working' | 'cancelled' | 'done'
}

/** One TrafficRouting of OpenKruise. */
export interface Routing {
  readonly name: string
  readonly phase: string
  readonly message: string
  /** Whom it colours, in words. */
  readonly colours: string
  readonly target: string
}

/** The view Release. */
export interface Releases {
  readonly from: string
  readonly rollouts: readonly Rollout[]
  readonly routings: readonly Routing[]
  /** The gate's verdict on the lane; left out when the console does not ask the gate. */
  readonly gate?: { readonly lane: string; readonly verdict: Judged['verdict']; readonly services: readonly Judged[] }
  readonly error?: string
}

/** One queue, or one lane of a consumer group. */
export interface Queue {
  /** `amqp`, `bullmq`, `kafka`, `redis`. */
  readonly system: string
  readonly name: string
  /** The queue or group of base that it belongs to; itself for base. */
  readonly group: string
  readonly lane: string
  /** Who handles its messages now. */
  readonly owner: string
  /** `null`: the broker does not say. */
  readonly consumers: number | null
  /** Messages that wait; `null`: the broker does not say. */
  readonly lag: number | null
  /** Of a lane that a ledger knows. */
  readonly state?: 'begins' | 'open' | 'ends' | 'ended'
  /** When the lane began, or ended, in milliseconds since 1970. */
  readonly sinceMs?: number
}

/** What a reading of a broker says. */
export interface MessageReading {
  readonly queues: readonly Queue[]
  /** What is wrong, in words. */
  readonly conflicts?: readonly string[]
  /** Where the broker keeps which lane owned what; `lastMs` is the time of its last record. */
  readonly ledger?: { readonly name: string; readonly records: number; readonly lastMs?: number }
}

/** One broker of the view Messages. */
export interface Broker extends MessageReading {
  readonly from: string
  readonly error?: string
}

/** Everything, as the event `all`; the event `some` holds what changed. */
export interface Everything {
  readonly rows: readonly Row[]
  readonly registries: readonly Registry[]
  /** `null`: the console was not told where to read it. */
  readonly traffic: Traffic | null
  readonly releases: Releases | null
  readonly messages: readonly Broker[] | null
  /** What Ask can do, and whether nobody serves a lane that a service does not have. */
  readonly can: {
    readonly explain: boolean
    readonly rules: string | null
    readonly entrances: readonly string[]
    readonly gapsFail: boolean
  }
}

export interface Some extends Partial<Omit<Everything, 'can'>> {
  /** Services that are gone. */
  readonly gone?: readonly string[]
}

/** One instance, for the details of a service. */
export interface InstanceView {
  readonly address: string
  readonly lanes: readonly string[]
  readonly weight: number
  readonly health: 'healthy' | 'unhealthy' | 'unknown' | 'disabled'
  readonly zone?: string
  readonly registeredAt?: number
  /** `meant`: the key of a lane that this key was probably meant to be. */
  readonly metadata: readonly { readonly key: string; readonly value: string; readonly meant?: string }[]
}

/** The answer of `/api/service`. */
export interface ServiceDetails {
  readonly service: string
  readonly instances: readonly InstanceView[]
  /** Instances that the answer leaves out. */
  readonly more: number
}

/** The answer of `/api/ask`. */
export interface Asked {
  /** Which rule colours the request; left out when no request was asked about. */
  readonly rule?: { readonly lane: string; readonly by: string; readonly lines: readonly string[] }
  readonly lane: string
  readonly outcome: string
  readonly served: string
  readonly reason: string
  readonly steps: readonly { readonly lane: string; readonly words: string; readonly verdict: string }[]
  readonly candidates: readonly string[]
  readonly candidateCount: number
  /** One draw of the balancer. */
  readonly picked?: string
  readonly error?: string
}
