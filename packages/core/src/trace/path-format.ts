import { parseHost } from '../egress/host.js'
import type { LanePath, PathCall } from './lane-path.js'

/** Most bytes of a path on the wire. Node takes heads of 16 kB by default, and an answer has other headers too. */
export const MAX_PATH_BYTES = 8192
/** Processes below each other that are read. */
const MAX_DEPTH = 24
/** Longest name that is read or written. */
const MAX_NAME = 120
const VERSION = '1'

/** What was left out; without a call it says how many. */
type NodeList = [service: string, ownLane: string, lane: string, by: string, calls: (CallList | number)[]]
type CallList = [
  target: string,
  lane: string,
  served: string,
  outcome: string,
  address: string,
  attempt: number,
  status: number | string,
  at: number,
  ms: number,
  path: NodeList | 0,
]

/**
 * Writes a path as a header value: the version, then JSON of nested lists, in printable ASCII. A path that is too long loses its
 * deepest calls first, then the last ones; where calls are left out, their number stands in their place.
 *
 * @param bare - leaves out all addresses
 */
export function encodePath(path: LanePath, bare: boolean = false, maxBytes: number = MAX_PATH_BYTES): string {
  let text = textOf(nodeList(path, bare, MAX_DEPTH))
  for (let depth = Math.min(depthOf(path), MAX_DEPTH) - 1; text.length > maxBytes && depth > 0; depth--) {
    text = textOf(nodeList(path, bare, depth))
  }
  for (let most = path.calls.length; text.length > maxBytes && most > 0; ) {
    most = Math.min(most - 1, Math.floor((most * maxBytes) / text.length))
    text = textOf(nodeList(path, bare, 1, most))
  }
  return text
}

/** Reads a path as {@link encodePath} writes it. Never throws; what is no path is `undefined`. */
export function parsePath(value: unknown): LanePath | undefined {
  if (typeof value !== 'string' || value.length > MAX_PATH_BYTES || value.charAt(0) !== VERSION) return undefined
  try {
    return parseNode(JSON.parse(value.slice(1)), MAX_DEPTH)
  } catch {
    return undefined
  }
}

function textOf(list: NodeList): string {
  return (
    VERSION + JSON.stringify(list).replace(/[^ -~]/g, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
  )
}

function depthOf({ calls }: LanePath): number {
  let deepest = 0
  for (const { path } of calls) if (path !== undefined) deepest = Math.max(deepest, depthOf(path))
  return deepest + 1
}

/** @param depth - levels of calls that are written; @param most - calls that are written on this level */
function nodeList(path: LanePath, bare: boolean, depth: number, most: number = path.calls.length): NodeList {
  const kept = depth > 0 ? Math.min(most, path.calls.length) : 0
  const calls: (CallList | number)[] = []
  for (let index = 0; index < kept; index++) calls.push(callList(path.calls[index]!, bare, depth - 1))
  const cut = path.cut + path.calls.length - kept
  if (cut > 0) calls.push(cut)
  const service = bare ? withoutAddress(path.service) : short(path.service)
  return [service, short(path.ownLane), path.lane ?? '', short(path.by), calls]
}

function callList(call: PathCall, bare: boolean, depth: number): CallList {
  const { target, lane, served, outcome, address, attempt, status, at, ms, path } = call
  return [
    bare && outcome !== 'message' ? withoutAddress(target) : short(target),
    lane ?? '',
    short(served),
    outcome,
    bare ? '' : short(address),
    attempt,
    status,
    Math.round(at),
    // Of calls one after the other, none may begin before the one before has ended.
    ms === undefined ? -1 : Math.round(at + ms) - Math.round(at),
    path === undefined ? 0 : nodeList(path, bare, depth),
  ]
}

function short(text: string = ''): string {
  return text.length > MAX_NAME ? text.slice(0, MAX_NAME) : text
}

/** Clouds make names of addresses: `ip-10-0-0-7.ec2.internal`. */
const NAMED_AFTER_ADDRESS = /\d{1,3}[.-]\d{1,3}[.-]\d{1,3}[.-]\d{1,3}/

function withoutAddress(target: string): string {
  const host = parseHost(target)
  if (host === undefined || host.family !== 0 || NAMED_AFTER_ADDRESS.test(target)) return 'address'
  return short(target)
}

function parseNode(value: unknown, depth: number): LanePath | undefined {
  if (!Array.isArray(value) || depth === 0) return undefined
  const [service, ownLane, lane, by, list] = value as unknown[]
  const name = nameOf(service)
  if (name === undefined || !Array.isArray(list)) return undefined
  const calls: PathCall[] = []
  let cut = 0
  for (const entry of list as unknown[]) {
    const call = typeof entry === 'number' ? undefined : parseCall(entry, depth)
    if (call !== undefined) calls.push(call)
    else cut += count(entry)
  }
  return { service: name, ownLane: nameOf(ownLane), lane: laneText(lane), by: nameOf(by), calls, cut }
}

function parseCall(value: unknown, depth: number): PathCall | undefined {
  if (!Array.isArray(value)) return undefined
  const [target, lane, served, outcome, address, attempt, status, at, ms, path] = value as unknown[]
  const name = nameOf(target)
  if (name === undefined) return undefined
  return {
    target: name,
    lane: laneText(lane),
    served: nameOf(served),
    outcome: nameOf(outcome) ?? '',
    address: nameOf(address),
    attempt: count(attempt),
    status: typeof status === 'number' ? count(status) : (nameOf(status) ?? ''),
    at: count(at),
    ms: typeof ms === 'number' && ms >= 0 ? count(ms) : undefined,
    path: path === 0 ? undefined : parseNode(path, depth - 1),
  }
}

/** A text that may be printed: without control characters, also those that turn the direction of a terminal. */
function nameOf(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  return short(value).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, '?')
}

/** A lane has at most 255 characters. */
function laneText(value: unknown): string | undefined {
  if (typeof value !== 'string' || value === '') return undefined
  return value.slice(0, 255).replace(/[^ -~]/g, '?')
}

function count(value: unknown): number {
  return typeof value === 'number' && value >= 1 && value <= Number.MAX_SAFE_INTEGER ? Math.round(value) : 0
}
