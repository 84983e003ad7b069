import { assertOneOf } from '../options/known-keys.js'
import type { Option } from '../options/option.js'
import type { LaneFormat } from './reading.js'

const FORMATS: readonly LaneFormat[] = ['header', 'mse-baggage', 'baggage']

/** Reads the option `formats`: the carriers to read, in order. */
export function laneFormats(fallback: readonly LaneFormat[]): Option<readonly LaneFormat[]> {
  return (value, place) => {
    const list = (value ?? fallback) as readonly LaneFormat[]
    if (!Array.isArray(list)) throw place.unexpected('a list', value)
    for (const [index, format] of list.entries()) assertOneOf(place.at(index), format, FORMATS)
    return Object.freeze([...list])
  }
}
