import { LanewayError } from '../errors.js'
import { assertKnownKeys } from './known-keys.js'
import type { Option } from './option.js'
import { type OptionPlace, toPlace } from './option-place.js'

/** How each option of a function is read; its keys are the known ones. Write `satisfies OptionTable<MyOptions>`. */
export type OptionTable<T extends object> = { readonly [K in keyof Required<T>]: Option<unknown> }

/** What {@link readOptions} gives for a table. */
export type OptionValues<S extends Readonly<Record<string, Option<unknown>>>> = {
  readonly [K in keyof S]: ReturnType<S[K]>
}

/**
 * Reads the options of a function: refuses unknown names with the nearest known one, checks every value and puts the
 * defaults in place. Never writes to the input.
 *
 * @param where - the function that takes the options, for the message, or the place of the object
 * @param onProblem - called with each error instead of throwing the first; the option is then `undefined` in the result
 * @returns a new frozen object with every key of the table
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function readOptions<S extends Readonly<Record<string, Option<unknown>>>>(
  where: OptionPlace | string,
  input: object,
  table: S,
  onProblem?: (error: LanewayError) => void,
): OptionValues<S> {
  const place = toPlace(where)
  assertKnownKeys(place, input, Object.keys(table), onProblem)
  const given = Object(input) as Readonly<Record<string, unknown>>
  const values: Record<string, unknown> = {}
  for (const key of Object.keys(table)) {
    try {
      values[key] = table[key]!(given[key], place.at(key))
    } catch (error) {
      if (onProblem === undefined || !(error instanceof LanewayError)) throw error
      onProblem(error)
      values[key] = undefined
    }
  }
  return Object.freeze(values) as OptionValues<S>
}

/** Options within options: an object that a table of its own reads. @default an object of defaults */
export function nested<S extends Readonly<Record<string, Option<unknown>>>>(table: S): Option<OptionValues<S>> {
  return (value, place) => readOptions(place, (value ?? {}) as object, table)
}

/** As another option, and `undefined` where it is left out. */
export function optional<V>(option: Option<V>): Option<V | undefined> {
  return (value, place) => (value === undefined || value === null ? undefined : option(value, place))
}
