import type { Anchor, CompiledCondition } from '../condition/condition.js'
import {
  cookiesOf,
  decodedCookiesOf,
  headerOf,
  hostOf,
  parametersOf,
  pathOf,
  type RulesRequest,
} from '../condition/request.js'

/** The result of the search; `position` is its place in the order of evaluation, from 0. */
export interface Positioned {
  readonly position: number
}

/** One candidate of the search. */
export interface Entry<T extends Positioned> {
  readonly condition: CompiledCondition
  /** Called when the condition holds; `undefined` goes on to the next entry. */
  readonly outcome: (request: RulesRequest) => T | undefined
  /** Its outcome may be asked only once per request: such an entry is not in the index, which may find an entry twice. */
  readonly once?: boolean
}

type Positions = readonly number[]
type ByValue = Map<string, number[]>

/** Up to so many indexed names, each is looked up in the request; with more, the request's names are looked up in the index. */
const FEW_NAMES = 16

/**
 * Finds the first entry, in list order, that gives an outcome. It indexes each entry by values that a matching request must
 * have (the rarest ones of its condition), so that the cost of a request does not grow with the number of entries. Entries
 * without such values are tried one by one.
 */
export class FirstMatch<T extends Positioned> {
  readonly #entries: readonly Entry<T>[]
  readonly #rest: Positions
  readonly #paths: ByValue = new Map()
  readonly #prefixes: ByValue = new Map()
  readonly #hosts: ByValue = new Map()
  readonly #methods: ByValue = new Map()
  readonly #headers = new Map<string, ByValue>()
  readonly #parameters = new Map<string, ByValue>()
  readonly #cookies = new Map<string, ByValue>()
  #longestPrefix = 0

  constructor(entries: readonly Entry<T>[]) {
    this.#entries = entries
    const counts = new Map<string, number>()
    for (const { condition } of entries) {
      for (const anchor of condition.allAnchors) counts.set(idOf(anchor), (counts.get(idOf(anchor)) ?? 0) + 1)
    }
    const cost = (anchor: Anchor): number => counts.get(idOf(anchor)) ?? 0
    const rest: number[] = []
    entries.forEach((entry, position) => {
      const anchors = entry.once === true ? undefined : entry.condition.anchors(cost)
      if (anchors === undefined) rest.push(position)
      else for (const anchor of anchors) this.#file(anchor, position)
    })
    this.#rest = rest
  }

  /** Never throws. */
  find(request: RulesRequest): T | undefined {
    let best: T | undefined
    if (this.#paths.size > 0 || this.#prefixes.size > 0) best = this.#byPath(request)
    if (this.#headers.size > 0) best = this.#byHeaders(request, best)
    if (this.#cookies.size > 0) {
      best = this.#byNames(this.#cookies, cookiesOf(request), request, best)
      best = this.#byNames(this.#cookies, decodedCookiesOf(request), request, best)
    }
    if (this.#parameters.size > 0) best = this.#byNames(this.#parameters, parametersOf(request), request, best)
    if (this.#hosts.size > 0) {
      const host = hostOf(request)
      if (host !== undefined) best = this.#scan(this.#hosts.get(host), request, best)
    }
    if (this.#methods.size > 0 && typeof request.method === 'string') {
      best = this.#scan(this.#methods.get(request.method), request, best)
    }
    return this.#scan(this.#rest, request, best)
  }

  #scan(positions: Positions | undefined, request: RulesRequest, best: T | undefined): T | undefined {
    if (positions === undefined) return best
    const end = best === undefined ? this.#entries.length : best.position
    for (const position of positions) {
      if (position >= end) break
      const entry = this.#entries[position]!
      if (!entry.condition.test(request)) continue
      const outcome = entry.outcome(request)
      if (outcome !== undefined) return outcome
    }
    return best
  }

  #byPath(request: RulesRequest): T | undefined {
    const path = pathOf(request)
    if (path === undefined) return undefined
    let best = this.#scan(this.#paths.get(path), request, undefined)
    if (this.#prefixes.size === 0) return best
    let slash = path.indexOf('/', 1)
    while (slash !== -1 && slash <= this.#longestPrefix) {
      best = this.#scan(this.#prefixes.get(path.slice(0, slash)), request, best)
      slash = path.indexOf('/', slash + 1)
    }
    return path.length <= this.#longestPrefix ? this.#scan(this.#prefixes.get(path), request, best) : best
  }

  #byHeaders(request: RulesRequest, before: T | undefined): T | undefined {
    let best = before
    if (this.#headers.size <= FEW_NAMES) {
      for (const [name, values] of this.#headers) {
        const value = headerOf(request, name)
        if (value !== undefined) best = this.#scan(values.get(value), request, best)
      }
      return best
    }
    for (const name in request.headers) {
      const values = this.#headers.get(name)
      const value = values === undefined ? undefined : headerOf(request, name)
      if (value !== undefined) best = this.#scan(values?.get(value), request, best)
    }
    return best
  }

  #byNames(
    index: Map<string, ByValue>,
    sent: ReadonlyMap<string, string> | undefined,
    request: RulesRequest,
    before: T | undefined,
  ): T | undefined {
    if (sent === undefined) return before
    let best = before
    if (index.size <= sent.size) {
      for (const [name, values] of index) {
        const value = sent.get(name)
        if (value !== undefined) best = this.#scan(values.get(value), request, best)
      }
      return best
    }
    for (const [name, value] of sent) best = this.#scan(index.get(name)?.get(value), request, best)
    return best
  }

  #file({ kind, name, value }: Anchor, position: number): void {
    if (kind === 'path') file(this.#paths, value, position)
    else if (kind === 'host') file(this.#hosts, value, position)
    else if (kind === 'method') file(this.#methods, value, position)
    else if (kind === 'prefix') {
      file(this.#prefixes, value, position)
      this.#longestPrefix = Math.max(this.#longestPrefix, value.length)
    } else {
      const index = kind === 'header' ? this.#headers : kind === 'query' ? this.#parameters : this.#cookies
      const values: ByValue = index.get(name) ?? new Map()
      index.set(name, values)
      file(values, value, position)
    }
  }
}

function file(index: ByValue, value: string, position: number): void {
  const positions = index.get(value)
  if (positions === undefined) index.set(value, [position])
  // A condition may name a value twice. Entries come in order, so only the last one can be the same.
  else if (positions[positions.length - 1] !== position) positions.push(position)
}

function idOf({ kind, name, value }: Anchor): string {
  return `${kind}\0${name}\0${value}`
}
