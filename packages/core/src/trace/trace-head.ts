import type { Lane } from '../lane/lane.js'
import { PATH_HEADER } from './lane-path.js'
import type { Trace } from './trace.js'
import { traceOf } from './traced-lane.js'

type Method = (this: unknown, ...args: any[]) => unknown

/** Of a `ServerResponse` of either protocol, or of the stream of a gRPC call. */
interface Answer {
  writeHead?: Method
  setHeader?(name: string, value: string): unknown
  respond?: Method
  sendTrailers?: Method
}

/**
 * Writes the path of a traced request into the head of its answer when that is written, or into the trailers of a gRPC call. Without
 * a trace it does nothing. Never throws.
 *
 * @param context - what is kept for the code of the request
 */
export function answerWithPath(context: Lane | undefined, response: object): void {
  const trace = traceOf(context)
  if (trace === undefined || trace.answered) return
  const answer = response as Answer
  const { writeHead, respond, sendTrailers } = answer
  if (typeof writeHead === 'function') {
    replace(answer, 'writeHead', function (...args) {
      return writeHead.apply(this, withPath(trace, this as Answer, args))
    })
  } else if (typeof respond === 'function' && typeof sendTrailers === 'function') {
    replace(answer, 'respond', function (headers, options, ...more) {
      const isWhole = (options as { endStream?: boolean } | undefined)?.endStream === true
      return respond.call(this, isWhole ? withTrailer(trace, headers) : headers, options, ...more)
    })
    replace(answer, 'sendTrailers', function (trailers) {
      return sendTrailers.call(this, withTrailer(trace, trailers))
    })
  } else return
  trace.answered = true
}

function replace(answer: Answer, name: keyof Answer, value: Method): void {
  Object.defineProperty(answer, name, { value, configurable: true, writable: true })
}

/** The arguments of `writeHead`, in the shape that the caller chose. An interim answer is none. */
function withPath(trace: Trace, response: Answer, args: unknown[]): unknown[] {
  if (Number(args[0]) < 200) return args
  const path = trace.close()
  if (path === undefined) return args
  const at = typeof args[1] === 'string' || args[1] === undefined ? 2 : 1
  const headers = args[at] ?? undefined
  try {
    if (headers === undefined) response.setHeader?.(PATH_HEADER, path)
    else args[at] = headersWith(headers, path)
  } catch {
    // The head was written before: the original reports it.
  }
  return args
}

/** One value of the header: what a handler passed on from another answer is that of another request. */
function headersWith(headers: unknown, path: string): unknown {
  if (!Array.isArray(headers)) {
    const kept = Object.entries(headers as object).filter(([name]) => name.toLowerCase() !== PATH_HEADER)
    return { ...Object.fromEntries(kept), [PATH_HEADER]: path }
  }
  const kept: unknown[] = []
  const pairs = Array.isArray(headers[0])
  for (let index = 0; index < headers.length; index += pairs ? 1 : 2) {
    const name = pairs ? headers[index][0] : headers[index]
    if (String(name).toLowerCase() !== PATH_HEADER) kept.push(...headers.slice(index, index + (pairs ? 1 : 2)))
  }
  kept.push(...(pairs ? [[PATH_HEADER, path]] : [PATH_HEADER, path]))
  return kept
}

function withTrailer(trace: Trace, trailers: object | undefined): object | undefined {
  const path = trace.close()
  return path === undefined ? trailers : { ...trailers, [PATH_HEADER]: path }
}
