import type { Lane } from '@laneway/core'
import { assertLane } from '@laneway/core/internal'
import type { ClientAddress } from '../condition/condition.js'
import { cookieOf, headerOf, parameterOf, type RulesRequest } from '../condition/request.js'
import { bytesOf, textOf } from '../condition/wire-text.js'
import type { KeySource, Split } from '../document/document.js'
import { SLOTS, slotOf } from './slots.js'

/** Where a request falls in a split. */
export interface Draw {
  /** Position in the split's list of lanes; -1 for none of them. */
  readonly lane: number
  /** `undefined`: the request has no key. */
  readonly slot: number | undefined
  /** Where the key was read, e.g. `cookie uid`. */
  readonly source: string | undefined
}

/** A compiled split. Never throws. */
export interface CompiledSplit {
  /** In the order of the document. */
  readonly lanes: readonly Lane[]
  /** Position of the caller's lane, -1 for none. */
  readonly pick: (request: RulesRequest) => number
  readonly draw: (request: RulesRequest) => Draw
}

interface Key {
  readonly source: string
  readonly read: (request: RulesRequest) => string | undefined
}

/**
 * Compiles a checked split.
 *
 * @param random - 0 <= n < 1, for `key: random`
 */
export function compileSplit(split: Split, clientAddress: ClientAddress, random: () => number): CompiledSplit {
  const { salt } = split
  const ranges = split.lanes.map(({ from, percent }) => ({ from, end: from + slotsOf(percent) }))
  const keys = split.key === 'random' ? undefined : split.key.map(source => compileKey(source, clientAddress))

  function laneAt(slot: number): number {
    for (let index = 0; index < ranges.length; index++) {
      const range = ranges[index]!
      if (slot >= range.from && slot < range.end) return index
    }
    return -1
  }

  return {
    lanes: split.lanes.map(({ lane }) => assertLane('split', lane)),
    pick(request) {
      if (keys === undefined) return laneAt(Math.floor(random() * SLOTS))
      for (const key of keys) {
        const value = key.read(request)
        if (value !== undefined && value !== '') return laneAt(slotOf(salt, textOf(value)))
      }
      return -1
    },
    draw(request) {
      if (keys === undefined) {
        const slot = Math.floor(random() * SLOTS)
        return { lane: laneAt(slot), slot, source: 'random' }
      }
      for (const key of keys) {
        const value = key.read(request)
        if (value === undefined || value === '') continue
        const slot = slotOf(salt, textOf(value))
        return { lane: laneAt(slot), slot, source: key.source }
      }
      return { lane: -1, slot: undefined, source: undefined }
    },
  }
}

/** A share in slots; a checked percentage has no finer steps. */
export function slotsOf(percent: number): number {
  return Math.round((percent * SLOTS) / 100)
}

function compileKey(source: KeySource, clientAddress: ClientAddress): Key {
  if (source === 'address') return { source, read: clientAddress }
  if ('header' in source) {
    const name = source.header.toLowerCase()
    return { source: `header ${name}`, read: request => headerOf(request, name) }
  }
  if ('cookie' in source) {
    const name = source.cookie
    const bytes = bytesOf(name)
    return { source: `cookie ${name}`, read: request => cookieOf(request, bytes) }
  }
  const name = source.query
  const bytes = bytesOf(name)
  return { source: `query ${name}`, read: request => parameterOf(request, bytes) }
}
