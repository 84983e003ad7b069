import { SERVICE_NAME } from '../objects/slice.js'

/** Services that were asked for, while they are few. A name stays: asking for it again costs nothing. */
export class AskedServices {
  readonly #most: number
  readonly #names = new Set<string>()
  #all = false

  /** @param most - with more services the whole namespace is followed */
  constructor(most: number) {
    this.#most = most
    this.#all = most === 0
  }

  /** `undefined`: all services of the namespace. */
  get names(): ReadonlySet<string> | undefined {
    return this.#all ? undefined : new Set(this.#names)
  }

  /** @returns whether more has to be followed */
  add(service: string): boolean {
    if (this.#all || this.#names.has(service)) return false
    this.#names.add(service)
    if (this.#names.size > this.#most) this.addAll()
    return true
  }

  /** @returns whether more has to be followed */
  addAll(): boolean {
    const before = this.#all
    this.#all = true
    this.#names.clear()
    return !before
  }
}

/** Selects the slices of the services; without any service, none. */
export function sliceSelector(services: ReadonlySet<string> | undefined, own: string | undefined): string {
  const which = services === undefined ? SERVICE_NAME : `${SERVICE_NAME} in (${[...services].sort().join(',')})`
  return both(services?.size === 0 ? `${SERVICE_NAME},!${SERVICE_NAME}` : which, own)!
}

/** A selector for what both select. */
export function both(one: string | undefined, other: string | undefined): string | undefined {
  const parts = [one, other].filter(part => part !== undefined && part !== '')
  return parts.length === 0 ? undefined : parts.join(',')
}
