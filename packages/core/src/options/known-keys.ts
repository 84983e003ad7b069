import { LanewayError } from '../errors.js'
import { describe } from './describe.js'
import { nearest } from './nearest.js'
import { type OptionPlace, toPlace } from './option-place.js'

/**
 * Refuses option names that do not exist, with a suggestion.
 *
 * @param where - whose options, for the message, e.g. `expressLane`, or their place
 * @param onProblem - called with each error instead of throwing the first
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function assertKnownKeys(
  where: OptionPlace | string,
  input: object,
  keys: readonly string[],
  onProblem: (error: LanewayError) => void = raise,
): void {
  const place = toPlace(where)
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    onProblem(place.invalid(`takes an options object, received ${describe(input)}`))
    return
  }
  for (const key of Object.keys(input)) {
    if (keys.includes(key)) continue
    const near = nearest(key, keys)
    const hint = near === undefined ? `; it has ${keys.join(', ')}` : `, did you mean "${near}"?`
    onProblem(
      new LanewayError('LANEWAY_INVALID_OPTION', `${place.name} has no option ${describe(key)}${hint}`, {
        problem: `is not an option${near === undefined ? `; the options are ${keys.join(', ')}` : hint}`,
        path: [...place.path, key],
        suggestion: near,
      }),
    )
  }
}

/**
 * Refuses a value that is not one of a closed list.
 *
 * @throws LanewayError `LANEWAY_INVALID_OPTION`
 */
export function assertOneOf(where: OptionPlace | string, value: unknown, allowed: readonly string[]): void {
  if (typeof value === 'string' && allowed.includes(value)) return
  const near = typeof value === 'string' ? nearest(value, allowed) : undefined
  const list = allowed.map(one => `"${one}"`).join(', ')
  const hint = near === undefined ? '' : `, did you mean "${near}"?`
  throw toPlace(where).invalid(`is one of ${list}, received ${describe(value)}${hint}`, undefined, near)
}

function raise(error: LanewayError): never {
  throw error
}
