import { IncomingMessage } from 'node:http'
import { bindEmitter, type Emitter, type Lane } from '@laneway/core'
import { callInLane } from '../call/callers-lane.js'

/** A stream whose source and listeners are bound to the lane of its request. */
const kBound = Symbol('laneway.undici.body')

interface BodyStream extends Emitter {
  _read?(size: number): void
  pipe?: unknown
  [kBound]?: true
}

/**
 * Binds a request body to the lane of its call. undici begins to read a body when a connection is free, in the context of
 * the request that freed it. Here a generator, and the source of a stream, run in the lane of the call.
 *
 * @returns the body that undici is to send instead
 */
export function boundBody(body: unknown, lane: Lane | undefined): unknown {
  if (typeof body !== 'object' || body === null || ArrayBuffer.isView(body) || Array.isArray(body)) return body
  if (typeof (body as BodyStream).pipe === 'function') return boundStream(body as BodyStream, lane)
  const source = body as Partial<AsyncIterable<unknown> & Iterable<unknown>> & { locked?: unknown; append?: unknown }
  // A form is iterable too, and undici encodes it.
  if (typeof source.append === 'function') return body
  if (typeof source[Symbol.asyncIterator] === 'function') {
    return {
      [Symbol.asyncIterator]: () =>
        boundIterator(callInLane(lane, source, source[Symbol.asyncIterator] as never), lane),
      // Shows whether a web stream was read, see `connect-failure.ts`.
      get locked() {
        return source.locked
      },
    }
  }
  if (typeof source[Symbol.iterator] !== 'function') return body
  return {
    [Symbol.iterator]: () => boundIterator(callInLane(lane, source, source[Symbol.iterator] as never), lane),
  }
}

/** An incoming request as a body stays as it is: its ingress has bound it, and Node is its source. */
function boundStream(body: BodyStream, lane: Lane | undefined): BodyStream {
  const { _read } = body
  if (body instanceof IncomingMessage || typeof _read !== 'function' || body[kBound] === true) return body
  body[kBound] = true
  body._read = function laneRead(this: BodyStream, size: number) {
    callInLane(lane, this, _read, size)
  }
  return bindEmitter(body, lane)
}

type AnyIterator = Iterator<unknown> | AsyncIterator<unknown>

function boundIterator(iterator: AnyIterator, lane: Lane | undefined): AnyIterator {
  const bound: Record<string, unknown> = {}
  for (const name of ['next', 'return', 'throw'] as const) {
    const method = iterator[name] as ((...args: unknown[]) => unknown) | undefined
    if (typeof method === 'function') bound[name] = (...args: unknown[]) => callInLane(lane, iterator, method, ...args)
  }
  return bound as unknown as AnyIterator
}
