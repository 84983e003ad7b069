import { logicalService } from '../objects/logical-service.js'
import type { Slice } from '../objects/slice.js'

const NONE: readonly Slice[] = []

/** The slices of a namespace, by uid and by the service they count for. */
export class SliceIndex {
  readonly #perLane: boolean
  readonly #byUid = new Map<string, { service: string; slice: Slice }>()
  readonly #byService = new Map<string, Map<string, Slice>>()
  #names: ReadonlySet<string> | undefined

  /** @param perLane - one Service per lane, see {@link logicalService} */
  constructor(perLane: boolean) {
    this.#perLane = perLane
  }

  /** The services with at least one slice. A new set whenever that changes. */
  get names(): ReadonlySet<string> {
    this.#names ??= new Set(this.#byService.keys())
    return this.#names
  }

  of(service: string): readonly Slice[] {
    const slices = this.#byService.get(service)
    return slices === undefined ? NONE : [...slices.values()]
  }

  /** Takes a slice in, or out. Tells `touched` each service that is concerned: one, or two when a slice changed hands. */
  set(uid: string, slice: Slice | undefined, touched: (service: string) => void): void {
    const before = this.#byUid.get(uid)
    const service = slice === undefined ? '' : logicalService(slice, this.#perLane)
    if (before !== undefined && before.service !== service) this.#remove(uid, before.service)
    if (before !== undefined) touched(before.service)
    if (slice === undefined || service === '') {
      this.#byUid.delete(uid)
      return
    }
    this.#byUid.set(uid, { service, slice })
    let slices = this.#byService.get(service)
    if (slices === undefined) {
      slices = new Map()
      this.#byService.set(service, slices)
      this.#names = undefined
    }
    slices.set(uid, slice)
    if (before?.service !== service) touched(service)
  }

  /** Takes the whole collection in place of what was known. */
  replace(slices: ReadonlyMap<string, Slice>, touched: (service: string) => void): void {
    for (const uid of [...this.#byUid.keys()]) if (!slices.has(uid)) this.set(uid, undefined, touched)
    for (const [uid, slice] of slices) if (this.#byUid.get(uid)?.slice !== slice) this.set(uid, slice, touched)
  }

  #remove(uid: string, service: string): void {
    const slices = this.#byService.get(service)
    slices?.delete(uid)
    if (slices?.size !== 0) return
    this.#byService.delete(service)
    this.#names = undefined
  }
}
