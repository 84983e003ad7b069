import type { Lane } from '@laneway/core'
import {
  BAGGAGE_KEY,
  baggageMember,
  hasLaneMember,
  laneOfCall,
  MSE_BAGGAGE_KEY,
  parseBaggageLane,
  parseMseLane,
  publishEgress,
  TRACE_HEADER,
  withLaneMember,
  withoutLaneMembers,
} from '@laneway/core/internal'
import type { ResolvedLaneChannelOptions } from './lane-channel-options.js'

/** What carries the tag of a call: metadata, or the headers of a transport. */
export interface Carrier<M = unknown> {
  get(key: string): (string | Buffer)[]
  set(key: string, value: string): void
  remove(key: string): void
  clone(): M
}

/** The values of a key as header lines. @returns `undefined` when there are none */
function lines(metadata: Carrier, key: string): string[] | undefined {
  const values = metadata.get(key)
  return values.length === 0 ? undefined : values.map(String)
}

/** The values of the first lane key that is there. */
function givenValues(metadata: Carrier, { header, also }: ResolvedLaneChannelOptions): (string | Buffer)[] {
  let given = metadata.get(header)
  if (also !== undefined) for (const name of also) if (given.length === 0) given = metadata.get(name)
  return given
}

/** Whether a key says the lane, in one value, or nothing for none. */
function says(metadata: Carrier, key: string, lane: Lane | undefined): boolean {
  const given = metadata.get(key)
  return lane === undefined ? given.length === 0 : given.length === 1 && given[0] === lane.header
}

/** The lane of a call: a valid tag in its metadata, else the lane of the code that made it. */
export function laneOfMetadata(
  metadata: Carrier,
  caller: Lane | undefined,
  host: string,
  options: ResolvedLaneChannelOptions,
): Lane | undefined {
  const given = givenValues(metadata, options)
  return given.length === 0 ? caller : laneOfCall(given.map(String), caller, host)
}

/**
 * Metadata for a host that gets the tag. The caller's object is not changed, because callers use one for many calls.
 *
 * @param traced - asks for the path
 * @returns the same object when it carries all of that already
 */
export function inScope<M extends Carrier<M>>(
  metadata: M,
  lane: Lane | undefined,
  host: string,
  { header, also, baggage }: ResolvedLaneChannelOptions,
  traced: boolean,
): M {
  const carried = lines(metadata, 'baggage')?.join(',')
  const said = says(metadata, header, lane) && (also === undefined || also.every(name => says(metadata, name, lane)))
  const members = baggageFor(carried, lane, baggage)
  if (lane !== undefined) publishEgress(host, lane, 'forwarded')
  const asks = traced && metadata.get(TRACE_HEADER).length === 0
  if (said && members === carried && !asks) return metadata
  const changed = metadata.clone()
  put(changed, header, lane?.header)
  if (also !== undefined) for (const name of also) put(changed, name, lane?.header)
  if (members !== carried) put(changed, 'baggage', members)
  if (asks) put(changed, TRACE_HEADER, '1')
  return changed
}

/**
 * Metadata for a target that is no service: it carries the tag when every host is in scope.
 *
 * @param hosts - empty for a unix socket, whose metadata stays as it is
 */
export function byScope<M extends Carrier<M>>(
  metadata: M,
  caller: Lane | undefined,
  hosts: readonly string[],
  options: ResolvedLaneChannelOptions,
  traced: boolean,
): M {
  const [host] = hosts
  if (host === undefined) return metadata
  if (!hosts.every(one => options.scope.includes(one))) return outOfScope(metadata, caller, hosts, options)
  return inScope(metadata, laneOfMetadata(metadata, caller, host, options), host, options, traced)
}

/** Metadata for a host that gets no tag. */
function outOfScope<M extends Carrier<M>>(
  metadata: M,
  lane: Lane | undefined,
  hosts: readonly string[],
  options: ResolvedLaneChannelOptions,
): M {
  const { header, also, keepHandSet, scope } = options
  const [host = ''] = hosts
  const values = givenValues(metadata, options)
  const given = values.length === 0 ? undefined : values.map(String)
  const handSet = given === undefined ? undefined : laneOfCall(given, undefined, host)
  const kept = keepHandSet && handSet !== undefined && !hosts.some(one => scope.forbids(one))
  if (!kept) {
    const blocked = handSet ?? lane
    if (blocked !== undefined) scope.blocked(host, blocked)
  }
  const carried = lines(metadata, 'baggage')?.join(',')
  const members = carried !== undefined && hasLaneMember(carried) ? blankAsNone(withoutLaneMembers(carried)) : carried
  const asks = metadata.get(TRACE_HEADER).length > 0
  if (given === undefined && members === carried && !asks) return metadata
  const changed = metadata.clone()
  for (const name of also === undefined ? [header] : [header, ...also])
    put(changed, name, kept ? handSet.header : undefined)
  if (members !== carried) put(changed, 'baggage', members)
  if (asks) changed.remove(TRACE_HEADER)
  return changed
}

function baggageFor(before: string | undefined, lane: Lane | undefined, write: boolean | 'mse'): string | undefined {
  if (write && lane !== undefined) return withLaneMember(before, lane, write)
  return before !== undefined && contradicts(before, lane) ? blankAsNone(withoutLaneMembers(before)) : before
}

/** Whether the baggage names another lane than the call has: then the next service would read a lane that was not picked. */
function contradicts(baggage: string, lane: Lane | undefined): boolean {
  if (!hasLaneMember(baggage)) return false
  const plain = baggageMember(baggage, BAGGAGE_KEY)
  const mse = baggageMember(baggage, MSE_BAGGAGE_KEY)
  return (
    (plain !== undefined && parseBaggageLane(plain)?.header !== lane?.header) ||
    (mse !== undefined && parseMseLane(mse)?.header !== lane?.header)
  )
}

function blankAsNone(value: string): string | undefined {
  return value.trim() === '' ? undefined : value
}

function put(metadata: Carrier, key: string, value: string | undefined): void {
  if (value === undefined) metadata.remove(key)
  else metadata.set(key, value)
}
