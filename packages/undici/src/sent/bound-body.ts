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
 * A request body that undici may read late: it begins when a connection is free, in the context of whatever freed it. A
 * generator, and the source of a stream, then run in the lane of the call all the same.
 *
 * @returns what undici is to send in place of the body
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
      // By this it is told that a web stream was read, see `connect-failure.ts`.
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

/** A request that is passed on has been bound by its ingress, and its source is Node's own. */
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
