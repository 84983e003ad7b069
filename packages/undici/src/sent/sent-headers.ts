import type { Lane } from '@laneway/core'
import { sentBaggage, withoutLaneMembers } from '@laneway/core/internal'
import type { UndiciSettings } from '../options.js'
import { type PlainHeaders, textOf } from './headers.js'

/** V8 inlines this call inside `for in`, but not `Object.hasOwn`. */
const hasOwn = Object.prototype.hasOwnProperty

// Scratch state for one synchronous edit; avoids an allocation.
let sawHost = false
let sawBaggage: string | undefined

/**
 * The headers as they go onto the wire: one lane header or none, baggage that says the same, and a `Host`. The result is
 * always a flat list: undici reads it fastest, and it costs least to build.
 *
 * @param host - set unless the caller set one
 * @param inScope - the target may see the lane
 */
export function sentHeaders(
  headers: PlainHeaders,
  settings: UndiciSettings,
  lane: Lane | undefined,
  host: string | undefined,
  inScope: boolean,
): unknown[] {
  const { header } = settings
  const edited: unknown[] = []
  sawHost = false
  sawBaggage = undefined
  if (Array.isArray(headers)) {
    const { length } = headers
    for (let index = 0; index + 1 < length; index += 2) copy(edited, header, headers[index], headers[index + 1])
    // A list of odd length stays one: undici refuses it.
    if (length % 2 === 1) edited.push(headers[length - 1])
  } else {
    const record = headers as Record<string, unknown>
    for (const key in record) if (hasOwn.call(record, key)) copy(edited, header, key, record[key])
  }
  if (lane !== undefined) edited.push(header, lane.header)
  if (!sawHost && host !== undefined) edited.push('host', host)
  const baggage =
    inScope || lane !== undefined
      ? sentBaggage(sawBaggage, lane, settings.baggage)
      : sawBaggage && withoutLaneMembers(sawBaggage)
  if (baggage !== undefined && baggage !== '') edited.push('baggage', baggage)
  return edited
}

/** Whether the headers that were edited last came with a `Host` of the caller's own. */
export function cameWithHost(): boolean {
  return sawHost
}

/** Copies one header, except the lane header and baggage, which are written anew. */
function copy(edited: unknown[], name: string, key: unknown, value: unknown): void {
  if (typeof key === 'string' && value !== undefined) {
    const { length } = key
    if (length === name.length && key.toLowerCase() === name) return
    if (length === 4 && key.toLowerCase() === 'host') sawHost = true
    else if (length === 7 && isText(value) && key.toLowerCase() === 'baggage') {
      const text = Array.isArray(value) ? value.map(textOf).join(',') : textOf(value)
      sawBaggage = sawBaggage === undefined ? text : `${sawBaggage},${text}`
      return
    }
  }
  edited.push(key, value)
}

/** Whether undici takes a value: it refuses every other object. */
function isText(value: unknown): boolean {
  return value !== null && (typeof value !== 'object' || Array.isArray(value))
}
