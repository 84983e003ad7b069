import { LanewayError, type OptionPath } from '../errors.js'
import { describe } from './describe.js'

/**
 * A path as a person writes it: `policies[2].lane`, `aliases["pay.example"]`.
 */
export function formatPath(path: OptionPath): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (!/^[A-Za-z_$][\w$]*$/.test(key)) text += `[${JSON.stringify(key)}]`
    else text += text === '' ? key : `.${key}`
  }
  return text
}

/** Where an option is, and the errors about it. */
export class OptionPlace {
  /** Who takes the options, for the message: a function or a file; may be empty. */
  readonly where: string
  /** The keys that lead to the option; empty for the options object itself. */
  readonly path: OptionPath

  constructor(where: string, path: OptionPath = []) {
    this.where = where
    this.path = path
  }

  /** The place of a part of this value. */
  at(...keys: readonly (string | number)[]): OptionPlace {
    return new OptionPlace(this.where, [...this.path, ...keys])
  }

  /** The place as the subject of a sentence. */
  get name(): string {
    const name = formatPath(this.path)
    if (this.where === '') return name === '' ? 'the value' : name
    return name === '' ? this.where : `${this.where}: ${name}`
  }

  /**
   * An error about this place.
   *
   * @param problem - the sentence without its subject, e.g. `sets nothing`
   * @param suggestion - the known name that was probably meant
   */
  invalid(problem: string, cause?: unknown, suggestion?: string): LanewayError {
    return new LanewayError('LANEWAY_INVALID_OPTION', `${this.name} ${problem}`, {
      ...(cause !== undefined && { cause }),
      problem,
      path: this.path,
      suggestion,
    })
  }

  /**
   * An error about a value that is not what it should be.
   *
   * @param expected - e.g. `a list of names`
   */
  unexpected(expected: string, received: unknown): LanewayError {
    return this.invalid(`is ${expected}, received ${describe(received)}`)
  }
}

/** @param place - a place, or the name of who takes the options */
export function toPlace(place: OptionPlace | string): OptionPlace {
  return typeof place === 'string' ? new OptionPlace(place) : place
}
