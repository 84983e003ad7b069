import type { EndpointInput, SourceListener } from '@laneway/discovery'
import type { Pod } from '../objects/pod.js'
import { choosePort, type ServicePorts } from '../objects/service-ports.js'
import type { Slice } from '../objects/slice.js'
import { type HeldEndpoint, type JoinedSlice, joinSlice, mergeSlices } from './join.js'

/** What a service is made of at this moment. */
export interface ServiceParts {
  readonly slices: readonly Slice[]
  /** `undefined`: the lane is on the slices. */
  readonly pods: ReadonlyMap<string, Pod> | undefined
  readonly servicePorts: ReadonlyMap<string, ServicePorts> | undefined
}

/** How a service is put together. */
export interface ServiceViewOptions {
  readonly port: string | number | undefined
  readonly addressFamily: 'IPv4' | 'IPv6' | undefined
  /** The slices have several ports, and no option says which one to use. Called at most once. */
  readonly onAmbiguousPort: (ports: readonly string[], chosen: number) => void
  /** No slice has the port that was asked for. Called at most once. */
  readonly onMissingPort: (ports: readonly string[]) => void
}

/** One service with its subscribers, its slices joined and cached. */
export class ServiceView {
  readonly listeners = new Set<SourceListener>()
  readonly #options: ServiceViewOptions
  readonly #joined = new Map<Slice, JoinedSlice>()
  #last: readonly EndpointInput[] | undefined
  #hasWarned = false

  constructor(options: ServiceViewOptions) {
    this.#options = options
  }

  /** The last snapshot that was reported. */
  get last(): readonly EndpointInput[] | undefined {
    return this.#last
  }

  /** A pod changed: the slices that hold it are joined anew. Returns whether there are such. */
  forgetPod(uid: string): boolean {
    let found = false
    for (const slice of this.#joined.keys()) {
      if (!slice.pods.has(uid)) continue
      this.#joined.delete(slice)
      found = true
    }
    return found
  }

  forgetAll(): void {
    this.#joined.clear()
  }

  /**
   * Joins at most `count` slices that are not joined yet: thousands of endpoints at once would hold up the event loop.
   * @returns whether all are joined
   */
  prepare({ slices, pods, servicePorts }: ServiceParts, count: number): boolean {
    let left = count
    for (const slice of this.#oneFamily(slices)) {
      if (this.#joined.has(slice)) continue
      const port = choosePort(slice.ports, this.#options.port, servicePorts?.get(slice.service))
      if (port === undefined) continue
      if (left-- === 0) return false
      this.#joined.set(slice, joinSlice(slice, port, pods))
    }
    return true
  }

  /** Joins the remaining slices, and merges all of them. */
  build({ slices, pods, servicePorts }: ServiceParts): { endpoints: EndpointInput[]; held: HeldEndpoint[] } {
    const held: HeldEndpoint[] = []
    const current = new Set<Slice>(this.#oneFamily(slices))
    for (const slice of this.#joined.keys()) if (!current.has(slice)) this.#joined.delete(slice)
    let portFound = current.size === 0
    for (const slice of current) {
      const port = choosePort(slice.ports, this.#options.port, servicePorts?.get(slice.service))
      if (port === undefined) {
        this.#joined.delete(slice)
        portFound ||= slice.endpoints.length === 0
        continue
      }
      portFound = true
      this.#checkAmbiguous(slice, port)
      let joined = this.#joined.get(slice)
      if (joined === undefined) {
        joined = joinSlice(slice, port, pods)
        this.#joined.set(slice, joined)
      }
      for (const one of joined.held) held.push(one)
    }
    if (!portFound) this.#warnOnce(() => this.#options.onMissingPort(names(slices)))
    return { endpoints: mergeSlices(this.#joined.values()), held }
  }

  /** Reports that there is no such service. */
  reportMissing(): void {
    this.#last = undefined
    for (const listener of this.listeners) listener.missing()
  }

  /** Reports a snapshot to all subscribers. */
  report(endpoints: readonly EndpointInput[]): void {
    this.#last = endpoints
    for (const listener of this.listeners) listener.snapshot(endpoints)
  }

  /** A dual-stack Service has each pod twice, once a family; counting it twice would change its share. */
  #oneFamily(slices: readonly Slice[]): readonly Slice[] {
    const filled = (family: string) => slices.some(slice => slice.family === family && slice.endpoints.length > 0)
    const family = this.#options.addressFamily ?? ['IPv4', 'IPv6', 'FQDN'].find(filled)
    return family === undefined ? slices : slices.filter(slice => slice.family === family)
  }

  #checkAmbiguous(slice: Slice, port: number): void {
    if (this.#options.port !== undefined || slice.ports.length < 2 || slice.ports.some(one => one.name === 'http'))
      return
    this.#warnOnce(() => this.#options.onAmbiguousPort(names([slice]), port))
  }

  #warnOnce(warn: () => void): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    warn()
  }
}

function names(slices: readonly Slice[]): string[] {
  return [...new Set(slices.flatMap(slice => slice.ports.map(one => one.name || String(one.port))))]
}
