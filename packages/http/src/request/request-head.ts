import type { ClientRequest } from 'node:http'
import type { Socket } from 'node:net'
import { LanewayError } from '@laneway/core'

/** All values of a header of a request, whose head may be text already. */
export function values(request: ClientRequest, name: string): string | readonly string[] | undefined {
  if (isRendered(request)) {
    const lines = renderedValues(request, name)
    return lines?.length === 1 ? lines[0] : lines
  }
  const value = request.getHeader(name)
  return typeof value === 'number' ? String(value) : value
}

/** The names of the lane header. */
interface LaneNames {
  readonly header: string
  readonly also: readonly string[] | undefined
}

/** The values of the first lane header that a request has. */
export function laneValues(
  request: ClientRequest,
  { header, also }: LaneNames,
): string | readonly string[] | undefined {
  let given = values(request, header)
  if (also !== undefined) for (const name of also) given ??= values(request, name)
  return given
}

/**
 * Gives a request the lane under each of its names, or under none.
 *
 * @param given - what {@link laneValues} found
 * @throws LanewayError `LANEWAY_HEADERS_SENT`
 */
export function writeLane(
  request: ClientRequest,
  { header, also }: LaneNames,
  given: string | readonly string[] | undefined,
  lane: string | undefined,
): void {
  if (also === undefined) {
    if (given !== lane) write(request, header, lane)
    return
  }
  for (const name of [header, ...also]) if (values(request, name) !== lane) write(request, name, lane)
}

/** The first value of a header. */
export function firstValue(request: ClientRequest, name: string): string | undefined {
  const value = values(request, name)
  return typeof value === 'string' ? value : value?.[0]
}

/**
 * Gives a request one line of a header, or none.
 *
 * @throws LanewayError `LANEWAY_HEADERS_SENT`
 */
export function write(request: ClientRequest, name: string, value: string | undefined): void {
  if (isRendered(request)) {
    if (rewriteHeader(request, name, value)) return
    throw new LanewayError(
      'LANEWAY_HEADERS_SENT',
      `the head of a request was written before "${name}" could be ${value === undefined ? 'removed' : 'set'}`,
    )
  }
  if (value === undefined) request.removeHeader(name)
  else request.setHeader(name, value)
}

/** What Node keeps of a request whose head is text but has not left: the same fields on Node 20 to 26. */
interface Rendered {
  /** The whole head, or null before it is rendered. */
  _header: string | null
  /** Whether the head has moved into `outputData`. */
  _headerSent: boolean
  readonly outputData?: { data: unknown }[]
  outputSize: number
}

/**
 * Whether the head of a request is text already, so that `setHeader` throws: headers given as an array, or with
 * `Expect: 100-continue`, are rendered by the constructor.
 */
export function isRendered(request: ClientRequest): boolean {
  const head = (request as unknown as Rendered)._header
  return head !== null && head !== undefined
}

/** The values of a header in a rendered head, one per line; `undefined` when there is none. */
function renderedValues(request: ClientRequest, name: string): string[] | undefined {
  const values: string[] = []
  for (const line of headOf(request).split('\r\n').slice(1)) {
    if (isLineOf(line, name)) values.push(line.slice(name.length + 1).trim())
  }
  return values.length === 0 ? undefined : values
}

/**
 * Gives a rendered head exactly one line of a header, or none. Possible until the head has left for the socket, or while that
 * socket is corked.
 *
 * @param value - `undefined` removes the header
 * @returns `false` when the head can no longer be changed; then nothing was changed
 */
function rewriteHeader(request: ClientRequest, name: string, value: string | undefined): boolean {
  return rewriteHead(request, lines => {
    const kept = lines.filter((line, index) => index === 0 || !isLineOf(line, name))
    // Behind the request line, because the two empty last lines must stay the end.
    if (value !== undefined) kept.splice(1, 0, `${name}: ${value}`)
    return kept
  })
}

/** Replaces the target in the request line of a rendered head; see {@link rewriteHeader}. */
export function rewriteTarget(request: ClientRequest, target: string): boolean {
  return rewriteHead(request, lines => [`${request.method} ${target} HTTP/1.1`, ...lines.slice(1)])
}

function rewriteHead(request: ClientRequest, change: (lines: string[]) => string[]): boolean {
  const rendered = request as unknown as Rendered
  const head = headOf(request)
  if (!head.endsWith('\r\n\r\n')) return false
  const next = change(head.split('\r\n')).join('\r\n')
  if (request.socket !== null && request.socket !== undefined) {
    if (request.socket.writableCorked === 0) return false
    if (rendered._headerSent && !rewriteBuffered(request.socket, head, next)) return false
  } else if (rendered._headerSent) {
    const first = rendered.outputData?.[0]
    if (first === undefined || typeof first.data !== 'string' || !first.data.startsWith(head)) return false
    first.data = next + first.data.slice(head.length)
    rendered.outputSize += next.length - head.length
  }
  rendered._header = next
  return true
}

/** The head of a request whose socket is corked, because it is not known yet where the request goes. */
function rewriteBuffered(socket: Socket, head: string, next: string): boolean {
  const { _writableState: state } = socket as Buffered
  const first = state.getBuffer()[0]
  if (typeof first?.chunk !== 'string' || !first.chunk.startsWith(head)) return false
  first.chunk = next + first.chunk.slice(head.length)
  state.length += next.length - head.length
  return true
}

type Buffered = Socket & {
  readonly _writableState: { length: number; getBuffer(): { chunk: unknown }[] }
}

function headOf(request: ClientRequest): string {
  return (request as unknown as Rendered)._header ?? ''
}

function isLineOf(line: string, name: string): boolean {
  return line.charCodeAt(name.length) === 58 && line.slice(0, name.length).toLowerCase() === name
}
