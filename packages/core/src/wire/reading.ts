import type { IngressRequest } from '../ingress/request.js'
import type { Lane } from '../lane/lane.js'
import { parseLane } from '../lane/parse-lane.js'
import { baggageMember, parseBaggageLane, parseMseLane } from './baggage.js'
import { BAGGAGE_KEY, MSE_BAGGAGE_KEY } from './baggage-key.js'
import { soleValue } from './header-lines.js'

/** The carriers of a lane, in the order in which they are looked at. */
export type LaneFormat = 'header' | 'baggage' | 'mse-baggage'

/** Why a value that was present is no lane. */
export type LaneProblem = 'invalid' | 'conflict'

/** What a request carries. */
export interface LaneReading {
  readonly lane: Lane | undefined
  /** The format that was present and so decided. */
  readonly format: LaneFormat
  readonly problem: LaneProblem | undefined
}

/**
 * Reads the lane of a request; the first format that is present decides, even when its value is no lane. Whether the
 * sender may be believed is not looked at. Never throws.
 *
 * @returns `undefined` when no format is present
 */
export function readLane(
  request: IngressRequest,
  header: string,
  formats: readonly LaneFormat[],
): LaneReading | undefined {
  for (const format of formats) {
    const reading = format === 'header' ? fromHeader(request, header) : fromBaggage(request, format)
    if (reading !== undefined) return reading
  }
  return undefined
}

/** Whether a format behind the one that decided names another lane. Never throws. */
export function isContradicted(
  request: IngressRequest,
  header: string,
  formats: readonly LaneFormat[],
  decided: LaneReading | undefined,
): boolean {
  if (decided === undefined) return false
  for (let index = formats.indexOf(decided.format) + 1; index < formats.length; index++) {
    const other = readLane(request, header, [formats[index]!])
    if (other !== undefined && other.lane?.header !== decided.lane?.header) return true
  }
  return false
}

function fromHeader(request: IngressRequest, header: string): LaneReading | undefined {
  const value = request.headers[header]
  if (value === undefined) return undefined
  const sole = soleValue(value, request.rawHeaders, header)
  if (sole === null) return { lane: undefined, format: 'header', problem: 'conflict' }
  return reading('header', parseLane(sole))
}

function fromBaggage(request: IngressRequest, format: 'baggage' | 'mse-baggage'): LaneReading | undefined {
  const baggage = request.headers['baggage']
  const value = typeof baggage === 'string' ? baggage : baggage?.join(',')
  if (value === undefined) return undefined
  const member = baggageMember(value, format === 'baggage' ? BAGGAGE_KEY : MSE_BAGGAGE_KEY)
  if (member === undefined) return undefined
  return reading(format, format === 'baggage' ? parseBaggageLane(member) : parseMseLane(member))
}

function reading(format: LaneFormat, lane: Lane | undefined): LaneReading {
  return { lane, format, problem: lane === undefined ? 'invalid' : undefined }
}
