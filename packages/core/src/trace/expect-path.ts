import { type LanePath, PATH_HEADER, TRACE_HEADER } from './lane-path.js'
import { parsePath } from './path-format.js'
import { formatPath, summaryOfPath } from './path-text.js'

/** An answer of `fetch`, undici, `node:http`, axios, got, supertest, `inject()`; metadata of gRPC; or its headers alone. */
export type PathSource = object

interface Readable {
  get?(name: string): unknown
}

/**
 * Reads the path that an answer has. Ask for it with the request header `x-laneway-trace: 1`. Never throws.
 *
 * @returns `undefined` when the answer has none, or one that cannot be read
 */
export function readPath(answer: PathSource | string): LanePath | undefined {
  if (typeof answer === 'string') return parsePath(answer)
  try {
    const { headers, trailers, metadata } = answer as { headers?: object; trailers?: object; metadata?: object }
    for (const from of [headers, trailers, metadata, answer]) {
      const path = parsePath(valueIn(from))
      if (path !== undefined) return path
    }
  } catch {
    // A getter that throws: there is no path to be read.
  }
  return undefined
}

function valueIn(headers: object | undefined): unknown {
  if (typeof headers !== 'object' || headers === null) return undefined
  const { get } = headers as Readable
  const value = typeof get === 'function' ? get.call(headers, PATH_HEADER) : (headers as never)[PATH_HEADER]
  return Array.isArray(value) ? value[0] : value
}

/**
 * Asserts the way of a traced request, for tests.
 *
 * @param answer - of a request with `x-laneway-trace: 1`
 * @param expected - as {@link summaryOfPath} writes it; white space does not count
 * @returns the path
 * @throws AssertionError when the answer has no path or another one; the message shows the tree
 * @example
 * const answer = await fetch(url, { headers: { 'x-laneway-trace': '1', 'x-mse-tag': 'gray' } })
 * expectPath(answer, 'sc-A[gray] -> sc-B[base] -> sc-C[gray]')
 */
export function expectPath(answer: PathSource | string, expected: string): LanePath {
  const path = readPath(answer)
  const actual = path === undefined ? undefined : summaryOfPath(path)
  if (path !== undefined && squeezed(actual!) === squeezed(expected)) return path
  const message =
    path === undefined
      ? `the answer has no ${PATH_HEADER}: send ${TRACE_HEADER}: 1 from a trusted caller; expected ${expected}`
      : `the request went another way:\n  expected ${expected}\n  received ${actual}\n\n${formatPath(path)}`
  // Not of node:assert, which takes milliseconds to load: services load this file too.
  const error = Object.assign(new Error(message), { name: 'AssertionError', code: 'ERR_ASSERTION', actual, expected })
  Error.captureStackTrace(error, expectPath)
  throw error
}

function squeezed(text: string): string {
  return text.replace(/\s+/g, '')
}
