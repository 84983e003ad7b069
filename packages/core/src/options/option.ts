import { assertOneOf } from './known-keys.js'
import type { OptionPlace } from './option-place.js'

/**
 * Reads one option: checks a value, and gives the default where it is left out (`undefined` or `null`).
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`, made by the place
 */
export type Option<V> = (value: unknown, place: OptionPlace) => V

/** The longest delay of a Node timer, in milliseconds: almost 25 days. A longer one fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1

/**
 * A time in milliseconds: a number, never a text.
 *
 * @param fallback - the default; `undefined` for none
 */
export function milliseconds<F extends number | undefined>(
  fallback: F,
  least = 0,
  most = MAX_TIMER_MS,
): Option<number | F> {
  return ranged(fallback, least, most, 'a number of milliseconds', Number.isFinite)
}

/** A number in a range, both ends included. */
export function numeric<F extends number | undefined>(fallback: F, least: number, most: number): Option<number | F> {
  return ranged(fallback, least, most, 'a number', Number.isFinite)
}

/** A whole number in a range, both ends included. */
export function whole<F extends number | undefined>(fallback: F, least: number, most: number): Option<number | F> {
  return ranged(fallback, least, most, 'a whole number', Number.isInteger)
}

/** A TCP port. @param least - 0 where the system may choose */
export function port<F extends number | undefined>(fallback: F, least: 0 | 1 = 1): Option<number | F> {
  return whole(fallback, least, 65_535)
}

/** `true` or `false`. */
export function flag<F extends boolean | undefined>(fallback: F): Option<boolean | F> {
  return checked(fallback, value => typeof value === 'boolean', 'true or false')
}

/** A text that is not empty. */
export function text<F extends string | undefined>(fallback: F): Option<string | F> {
  return checked(fallback, value => typeof value === 'string' && value !== '', 'a text that is not empty')
}

/** A list of texts; the result is a frozen copy. */
export function texts(fallback: readonly string[] = []): Option<readonly string[]> {
  return (value, place) => {
    const list = value ?? fallback
    if (!Array.isArray(list)) throw place.unexpected('a list of texts', value)
    const wrong = list.findIndex(one => typeof one !== 'string')
    if (wrong !== -1) throw place.at(wrong).unexpected('a text', list[wrong])
    return Object.freeze([...list])
  }
}

/** A function. */
export function callback<F, D extends F | undefined = undefined>(fallback?: D): Option<F | D> {
  return checked(fallback as D, value => typeof value === 'function', 'a function')
}

/** One of a closed list of texts. */
export function oneOf<const A extends readonly string[], F extends A[number] | undefined>(
  allowed: A,
  fallback: F,
): Option<A[number] | F> {
  return (value, place) => {
    if (value === undefined || value === null) return fallback
    assertOneOf(place, value, allowed)
    return value as A[number]
  }
}

/** A value that its reader checks by itself, or that needs no check. Here `null` is a value like others. */
export function unchecked<V>(fallback?: V): Option<V> {
  return value => (value === undefined ? fallback : value) as V
}

/** As another option without a default, for one that has to be given. */
export function required<V>(option: Option<V | undefined>): Option<V> {
  return (value, place) => {
    const read = option(value, place)
    if (read === undefined) throw place.invalid('is missing')
    return read
  }
}

function ranged<F extends number | undefined>(
  fallback: F,
  least: number,
  most: number,
  kind: string,
  isKind: (value: number) => boolean,
): Option<number | F> {
  return (value, place) => {
    if (value === undefined || value === null) return fallback
    if (typeof value === 'number' && isKind(value) && value >= least && value <= most) return value
    const isQuoted = typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))
    throw place.unexpected(`${kind} from ${least} to ${most}${isQuoted ? ', without quotes' : ''}`, value)
  }
}

/** A value that passes a check; `expected` says in words what would. */
export function checked<V, F>(fallback: F, isValid: (value: unknown) => boolean, expected: string): Option<V | F> {
  return (value, place) => {
    if (value === undefined || value === null) return fallback
    if (!isValid(value)) throw place.unexpected(expected, value)
    return value as V
  }
}
