import { assertKnownKeys, LanewayError } from '@laneway/core'
import type { ConfigText } from './config-text.js'
import { placed } from './placed-problems.js'

/** A path in a configuration. */
export type ConfigPath = (string | number)[]

/** Collects what is wrong with a configuration, so that one look reports all of it. */
export class ConfigProblems {
  readonly #text: ConfigText
  /** A set, because two checks may meet the same mistake. */
  readonly #lines = new Set<string>()

  constructor(text: ConfigText) {
    this.#text = text
  }

  get size(): number {
    return this.#lines.size
  }

  /** @param message - what is wrong, beginning with the name of the part */
  add(path: ConfigPath, message: string): void {
    this.#lines.add(`${this.#text.place(path)}: ${message}`)
  }

  addLines(lines: readonly string[]): void {
    for (const line of lines) this.#lines.add(line)
  }

  /**
   * Runs one check; what it throws of ours is a problem.
   *
   * @param at - the place, where the message does not name it
   * @param said - what the message calls that place, instead of which it names the place itself
   * @returns whether nothing was wrong
   */
  check(work: () => void, at?: ConfigPath, said = ''): boolean {
    try {
      work()
      return true
    } catch (error) {
      if (!(error instanceof LanewayError)) throw error
      if (at === undefined) this.addLines(placed(error, this.#text))
      else this.add(at, error.message.slice(error.code.length + 2).replace(said, nameOf(at)))
      return false
    }
  }

  /** Reports each unknown key, and a value that is no object. @returns whether it is an object */
  keys(where: string, value: object, keys: readonly string[]): boolean {
    if (!this.check(() => assertKnownKeys(where, value, Object.keys(Object(value))))) return false
    for (const key of Object.keys(value)) this.check(() => assertKnownKeys(where, { [key]: undefined }, keys))
    return true
  }

  /** @throws LanewayError `LANEWAY_INVALID_OPTION` with all of them */
  throwIfAny(): void {
    if (this.size > 0) throw new LanewayError('LANEWAY_INVALID_OPTION', [...this.#lines].join('\n'))
  }
}

/** `discovery.static.sc-a[0]` */
function nameOf(path: ConfigPath): string {
  return path.reduce<string>(
    (name, key) => (typeof key === 'number' ? `${name}[${key}]` : `${name}${name && '.'}${key}`),
    '',
  )
}
