/** What a log may print of an id that a client sent: no white space, no control characters, not without end. */
const PLAIN = /^[\w.:/=+-]{1,64}$/
/** W3C Trace Context: version, trace id, parent id, flags. */
const TRACEPARENT = /^[\da-f]{2}-([\da-f]{32})-[\da-f]{16}-[\da-f]{2}/
const HEADERS = ['x-request-id', 'x-correlation-id', 'x-b3-traceid', 'eagleeye-traceid']

const given = new WeakMap<object, string>()
let counter = 0

/**
 * The id under which a log names a request: the trace id of `traceparent`, else a request id that a proxy has set, else a
 * number of this process, `#17`.
 */
export function requestIdOf(request: object): string {
  let id = given.get(request)
  if (id === undefined) {
    id = idOfHeaders((request as { headers?: Record<string, unknown> }).headers ?? {}) ?? `#${++counter}`
    given.set(request, id)
  }
  return id
}

function idOfHeaders(headers: Readonly<Record<string, unknown>>): string | undefined {
  const [, traceId] = TRACEPARENT.exec(String(headers['traceparent'])) ?? []
  if (traceId !== undefined) return traceId
  for (const name of HEADERS) {
    const value = headers[name]
    if (typeof value === 'string' && PLAIN.test(value)) return value
  }
  return undefined
}
